"""The backlog of each day, as it was known that night, worked out by hand."""

from datetime import date
from typing import Any

import pytest

from tests.fixtures.dbt import NOTES, TestWarehouse, at, message

MARTS = ("mart_backlog_daily", "mart_resolution_cohort", "fct_incident")


@pytest.fixture
def centre(dbt_warehouse: TestWarehouse) -> TestWarehouse:
    dbt_warehouse.region()
    return dbt_warehouse


def incident(number: str, received_at: str, **columns: Any) -> dict[str, Any]:
    """A message with a deadline far away, unless told otherwise."""
    return message(number, received_at, **{"due_at": "2022-12-31 10:00"} | columns)


def backlog(centre: TestWarehouse, authority: str | None = None) -> dict[str, tuple[int, ...]]:
    """Day -> open, unanswered, overdue, and the sum of ages, of the region or of one authority."""
    rows = centre.rows(
        "select day, sum(open_count)::int, sum(unanswered_count)::int, sum(overdue_count)::int, sum(age_days_sum)::int"
        " from marts.mart_backlog_daily where region_code = '66' and (%s::text is null or authority = %s)"
        " group by day order by day",
        authority,
        authority,
    )
    return {f"{day:%m-%d}": tuple(counts) for day, *counts in rows}


def test_each_day_counts_what_was_open_at_its_end_by_age(centre: TestWarehouse) -> None:
    centre.night("2022-03-01", [incident("a", "2022-03-01 09:00", due_at="2022-03-02 09:00", authority="Дороги")])
    centre.dbt("build", "--select", "+mart_backlog_daily", *NOTES)
    assert backlog(centre) == {"03-01": (1, 1, 0, 0)}
    # Nothing came of `a` for eight days.
    centre.night("2022-03-09", [incident("b", "2022-03-09 23:59", authority="Вода")])
    centre.model(marts=MARTS)
    assert backlog(centre, authority="Дороги") == {
        f"03-0{day}": (1, 1, 0 if day == 1 else 1, day - 1) for day in range(1, 10)
    }
    assert centre.rows(
        "select day, age_band from marts.mart_backlog_daily where authority = 'Дороги' order by day"
    ) == [
        (date(2022, 3, day), band)
        for day, band in zip(range(1, 10), ["0", "1-2", "1-2", "3-6", "3-6", "3-6", "3-6", "7-29", "7-29"], strict=True)
    ]
    assert backlog(centre, authority="Вода") == {"03-09": (1, 1, 0, 0)}


def test_an_end_after_a_reopening_ends_it_and_a_reopening_needs_no_moment(centre: TestWarehouse) -> None:
    solved = {"resolved_at": "2022-03-02 10:00", "reopened_count": 1}
    centre.history(
        "2022-03-01",
        "2022-03-07",
        [
            # Open on the first day, the fourth and the fifth, whatever tells of its end.
            incident(
                "a",
                "2022-03-01 09:00",
                status="closed",
                reopened_at="2022-03-04 10:00",
                closed_at="2022-03-06 10:00",
                authority="Закрыто",
                **solved,
            ),
            incident(
                "b",
                "2022-03-01 09:00",
                status="resolved",
                reopened_at="2022-03-04 10:00",
                updated_at="2022-03-06 10:00",
                authority="Решено",
                **solved,
            ),
            # Open on the first day and again from the fifth on, whether the source says when or only that.
            incident(
                "c", "2022-03-01 09:00", status="reopened", reopened_at="2022-03-05 10:00", authority="Да", **solved
            ),
            incident(
                "d", "2022-03-01 09:00", status="reopened", updated_at="2022-03-05 10:00", authority="Нет", **solved
            ),
        ],
    )
    centre.model(marts=MARTS)
    for authority, days in {"Закрыто": "145", "Решено": "145", "Да": "1567", "Нет": "1567"}.items():
        assert list(backlog(centre, authority)) == [f"03-0{day}" for day in days], authority
    assert centre.rows(
        "select authority, resolved_count, open_count from marts.mart_resolution_cohort where scope = 'authority'"
        " order by resolved_count, authority"
    ) == [("Да", 0, 1), ("Нет", 0, 1), ("Закрыто", 1, 0), ("Решено", 1, 0)]


def test_what_was_answered_waits_no_more_and_what_ended_is_open_no_more(centre: TestWarehouse) -> None:
    times = {"due_at": "2022-03-01 13:00", "first_response_at": "2022-03-02 10:00", "resolved_at": "2022-03-04 10:00"}
    centre.night("2022-03-05", [incident("a", "2022-03-01 09:00", **times)])
    centre.model(marts=MARTS)
    assert backlog(centre) == {}, "a night tells of its own day, and on that day nothing was open"
    history = [incident("h", "2022-03-01 09:00", **times)]
    centre.history("2022-03-01", "2022-03-05", history)
    centre.model(marts=MARTS)
    assert backlog(centre) == {"03-01": (1, 1, 1, 0), "03-02": (1, 0, 0, 1), "03-03": (1, 0, 0, 2)}


def test_what_is_opened_again_is_open_again_and_as_old_as_it_is(centre: TestWarehouse) -> None:
    first = incident("a", "2022-03-01 09:00", resolved_at="2022-03-02 10:00")
    again = incident("a", "2022-03-01 09:00", resolved_at="2022-03-02 10:00", reopened_at="2022-03-04 10:00",
                    updated_at="2022-03-04 10:00", reopened_count=1)  # fmt: skip
    ended = incident("a", "2022-03-01 09:00", resolved_at="2022-03-06 10:00", reopened_at="2022-03-04 10:00",
                    updated_at="2022-03-06 10:00", reopened_count=1)  # fmt: skip
    for day, rows in (("01", []), ("02", [first]), ("03", []), ("04", [again]), ("05", []), ("06", [ended])):
        centre.night(f"2022-03-{day}", rows)
        centre.model(marts=MARTS)
    assert backlog(centre) == {"03-04": (1, 1, 0, 3), "03-05": (1, 1, 0, 4)}


def test_a_correction_that_comes_later_changes_no_earlier_day(centre: TestWarehouse) -> None:
    for day in ("01", "02", "03"):
        centre.night(f"2022-03-{day}", [incident("a", "2022-03-01 09:00", authority="Дороги")] if day == "01" else [])
        centre.model(marts=MARTS)
    # It was water's all along, and answered on the first day: known on the fourth.
    told = incident("a", "2022-03-01 09:00", first_response_at="2022-03-01 10:00", authority="Вода",
                   updated_at="2022-03-04 10:00")  # fmt: skip
    centre.night("2022-03-04", [told])
    centre.model(marts=MARTS)
    as_known = {"03-01": (1, 1, 0, 0), "03-02": (1, 1, 0, 1), "03-03": (1, 1, 0, 2)}
    assert backlog(centre, authority="Дороги") == as_known
    assert backlog(centre, authority="Вода") == {"03-04": (1, 0, 0, 3)}
    centre.model("--full-refresh", marts=MARTS)
    assert backlog(centre, authority="Дороги") == as_known


def test_an_incident_that_its_messages_left_is_open_no_more(centre: TestWarehouse) -> None:
    centre.night("2022-03-01", [incident("a", "2022-03-01 09:00"), incident("b", "2022-03-01 09:00")])
    centre.model(marts=MARTS)
    moved = incident("b", "2022-03-01 09:00", incident_id="a", updated_at="2022-03-02 10:00")
    gone = incident("c", "2022-03-02 09:00")
    centre.night("2022-03-02", [moved, gone])
    centre.model(marts=MARTS)
    centre.night("2022-03-03", [gone | {"updated_at": at("2022-03-03 10:00"), "is_deleted": True}])
    centre.model(marts=MARTS)
    assert backlog(centre) == {"03-01": (2, 2, 0, 0), "03-02": (2, 2, 0, 1), "03-03": (1, 1, 0, 2)}
    assert centre.rows("select incident_id from marts.fct_incident") == [("a",)]


def test_a_status_alone_ends_an_incident_when_the_source_said_so(centre: TestWarehouse) -> None:
    centre.night("2022-03-01", [incident("a", "2022-03-01 09:00")])
    centre.night("2022-03-03", [incident("a", "2022-03-01 09:00", status="closed", updated_at="2022-03-02 10:00")])
    centre.model(marts=MARTS)
    assert backlog(centre) == {"03-01": (1, 1, 0, 0), "03-02": (1, 1, 0, 1)}


def test_a_deadline_by_policy_passes_too_as_it_was_known_that_night(centre: TestWarehouse) -> None:
    # Eight working hours from nine in the morning end at five; from five in the afternoon, at four the next day.
    first = message("a", "2022-03-01 09:00", priority="normal")
    centre.night("2022-03-01", [first, message("b", "2022-03-01 17:00", priority="normal")])
    centre.model(marts=MARTS)
    # On the second night the source gives a deadline of its own: what was overdue by then stays so.
    centre.night("2022-03-02", [first | {"updated_at": at("2022-03-02 09:00"), "due_at": at("2022-03-09 10:00")}])
    centre.model(marts=MARTS)
    assert backlog(centre) == {"03-01": (2, 2, 1, 0), "03-02": (2, 2, 1, 2)}
    centre.model("--full-refresh", marts=MARTS)
    assert backlog(centre) == {"03-01": (2, 2, 1, 0), "03-02": (2, 2, 1, 2)}
