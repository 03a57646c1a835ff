"""What happened to each incident, and who answers fastest, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fixtures.dbt import NOTES, TestWarehouse, message

MARTS = ("fct_incident_event", "mart_authority_ranking")


@pytest.fixture
def centre(dbt_warehouse: TestWarehouse) -> TestWarehouse:
    dbt_warehouse.region()
    return dbt_warehouse


def events(centre: TestWarehouse, incident: str = "a") -> list[str]:
    """«resolved 03-02 10:00», in the order of time."""
    rows = centre.rows(
        "select event, event_at at time zone 'Asia/Yekaterinburg', event_date from marts.fct_incident_event"
        " where incident_id = %s order by event_at, event",
        incident,
    )
    assert all(when.date() == day for _, when, day in rows)
    return [f"{event} {when:%m-%d %H:%M}" for event, when, _ in rows]


def told(updated_at: str, **columns: Any) -> dict[str, Any]:
    return message("a", "2022-03-01 09:00", registered_at="2022-03-01 09:30", updated_at=updated_at, **columns)


def test_an_incident_opened_again_keeps_every_round_of_its_history(centre: TestWarehouse) -> None:
    first = {"first_response_at": "2022-03-01 12:00", "resolved_at": "2022-03-02 10:00", "reopened_count": 0}
    again = first | {"reopened_at": "2022-03-04 10:00", "reopened_count": 1}
    # The second resolution was told wrongly at first.
    ended = again | {"resolved_at": "2022-03-06 10:00"}
    right = again | {"resolved_at": "2022-03-06 11:00", "closed_at": "2022-03-07 10:00"}
    for night, version in (
        ("02", told("2022-03-02 10:00", **first)),
        ("04", told("2022-03-04 10:00", **again)),
        ("06", told("2022-03-06 10:00", **ended)),
        ("07", told("2022-03-07 10:00", **right)),
    ):
        centre.night(f"2022-03-{night}", [version])
        centre.model(marts=MARTS)
    history = [
        "received 03-01 09:00",
        "registered 03-01 09:30",
        "first_response 03-01 12:00",
        "resolved 03-02 10:00",
        "reopened 03-04 10:00",
        "resolved 03-06 11:00",
        "closed 03-07 10:00",
    ]
    assert events(centre) == history
    centre.model("--full-refresh", marts=MARTS)
    assert events(centre) == history


def test_a_corrected_answer_is_one_event_and_not_two(centre: TestWarehouse) -> None:
    centre.night("2022-03-01", [told("2022-03-01 12:00", first_response_at="2022-03-01 12:00")])
    centre.model(marts=MARTS)
    centre.night("2022-03-02", [told("2022-03-02 12:00", first_response_at="2022-03-01 15:00")])
    centre.model(marts=MARTS)
    assert [event for event in events(centre) if event.startswith("first")] == ["first_response 03-01 15:00"]


def test_a_source_that_begins_to_count_begins_no_round_by_it(centre: TestWarehouse) -> None:
    centre.history(
        "2022-03-01",
        "2022-03-02",
        [
            told("2022-03-02 10:00", resolved_at="2022-03-02 10:00"),
            told("2022-03-02 13:00", resolved_at="2022-03-02 12:00", reopened_count=0),
        ],
    )
    centre.model(marts=MARTS)
    assert events(centre) == ["received 03-01 09:00", "registered 03-01 09:30", "resolved 03-02 12:00"]


def test_events_of_a_day_are_the_answers_of_that_day(centre: TestWarehouse) -> None:
    rows = [
        message(f"m{n}", f"2022-03-0{day} 09:00", first_response_at=f"2022-03-0{day} 1{n}:00", incident_id=f"i{n // 2}")
        for n in range(8)
        for day in [1 + n % 3]
    ]
    centre.history("2022-03-01", "2022-03-05", rows)
    centre.model(marts=MARTS)
    by_events = centre.rows(
        "select event_date, count(*) from marts.fct_incident_event where event = 'first_response' group by 1 order by 1"
    )
    by_answers = centre.rows(
        "select day, sum(answered_count)::int from marts.mart_time_to_respond group by 1 order by 1"
    )
    assert by_events == by_answers
    assert sum(count for _, count in by_events) == 4


def test_an_authority_with_too_few_answers_has_no_place(centre: TestWarehouse) -> None:
    def answers(authority: str, count: int, minutes: int, month: int = 3) -> list[dict[str, Any]]:
        return [
            message(
                f"{authority}{month}{n}",
                f"2022-{month:02}-{n + 1:02} 10:00",
                first_response_at=f"2022-{month:02}-{n + 1:02} 10:{minutes}",
                due_at=f"2022-{month:02}-{n + 1:02} 10:{20 if n % 2 else 59}",
                authority=authority,
            )
            for n in range(count)
        ]

    waiting = [message("w", "2022-03-20 10:00", due_at="2022-03-21 10:00", authority="Вода")]
    march_rows = [*answers("Дороги", 9, 10), *answers("Вода", 10, 30), *answers("Свет", 12, 25), *waiting]
    centre.history("2022-03-01", "2022-03-31", march_rows)
    centre.dbt("build", "--select", "+mart_authority_ranking", *NOTES)

    def ranking(kind: str, start: str) -> list[tuple[Any, ...]]:
        return centre.rows(
            "select authority, answered_count, round(mean_minutes, 2), place_label, round(on_time_share, 4)"
            " from marts.mart_authority_ranking where period_kind = %s and period_start = %s::date"
            " order by place nulls last, authority",
            kind,
            start,
        )

    # Half of the deadlines were at 10:20: 6 of 12 in time; water 5 of 10, and one is overdue: 5 ÷ 11.
    march = [
        ("Свет", 12, 25, "1", Decimal("0.5")),
        ("Вода", 10, 30, "2", Decimal("0.4545")),
        ("Дороги", 9, 10, "мало данных", 1),
    ]
    assert ranking("month", "2022-03-01") == march
    assert ranking("year", "2022-01-01") == march
    # One answer more in April: too few in the month, enough in the year, and first in it.
    centre.history("2022-04-01", "2022-04-30", answers("Дороги", 1, 10, month=4))
    centre.model(marts=MARTS)
    assert ranking("month", "2022-03-01") == march
    assert ranking("month", "2022-04-01") == [("Дороги", 1, 10, "мало данных", 1)]
    assert [row[:4] for row in ranking("year", "2022-01-01")] == [
        ("Дороги", 10, 10, "1"),
        ("Свет", 12, 25, "2"),
        ("Вода", 10, 30, "3"),
    ]
