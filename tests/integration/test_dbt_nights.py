"""Night by night, with late, corrected and out-of-order rows, the marts equal one full refresh, row for row."""

from tests.fixtures.dbt import MARTS as INCIDENT_MARTS
from tests.fixtures.dbt import TestWarehouse, message

MARTS = (*INCIDENT_MARTS, "mart_year_summary")

ROADS = {"authority": "Дороги", "topic": "Ямы", "channel": "vk", "municipality": "Реж", "municipality_code": "65720000"}
WATER = {"authority": "Водоканал", "topic": "Вода", "channel": "ok"}

MARCH_1 = [
    message("a", "2022-03-01 09:00", first_response_at="2022-03-01 11:28", due_at="2022-03-01 13:00", **ROADS),
    message("b", "2022-03-01 10:00", due_at="2022-03-01 14:00", **ROADS),
    message("c", "2022-03-01 12:00", first_response_at="2022-03-01 12:30", **WATER),
    message("d", "2022-03-01 11:00", first_response_at="2022-03-01 15:00", resolved_at="2022-03-01 16:00", **WATER),
]
CORRECTED = [
    # The answer to `a` came a day later than first told; `b` is answered.
    message("a", "2022-03-01 09:00", first_response_at="2022-03-02 09:00", due_at="2022-03-01 13:00", **ROADS),
    message("b", "2022-03-01 10:00", first_response_at="2022-03-02 12:00", due_at="2022-03-01 14:00", **ROADS),
]
MERGED = [
    # `d` becomes part of incident `c`; `a` was another authority's all along.
    message(
        "d",
        "2022-03-01 11:00",
        incident_id="c",
        first_response_at="2022-03-01 15:00",
        resolved_at="2022-03-03 10:00",
        **WATER,
    ),
    message(
        "a",
        "2022-03-01 09:00",
        first_response_at="2022-03-02 09:00",
        due_at="2022-03-01 13:00",
        updated_at="2022-03-03 12:00",
        **WATER,
    ),
]
UNANSWERED = [
    # What counted as the answer to `a` was none; `d` is an incident of its own again, without a resolution.
    message("a", "2022-03-01 09:00", due_at="2022-03-01 13:00", updated_at="2022-04-10 10:00", **WATER),
    message("d", "2022-03-01 11:00", first_response_at="2022-03-01 15:00", updated_at="2022-04-10 10:00", **WATER),
]
FILLED_IN = [
    # A February night that had been missed: new incidents, and a version of `b` older than the one known.
    message("e", "2022-01-20 10:00", first_response_at="2022-02-15 10:00", due_at="2022-01-21 10:00", **ROADS),
    message("f", "2022-02-15 11:00", due_at="2022-02-15 15:00"),
    message("b", "2022-02-14 10:00", updated_at="2022-02-15 10:00", **WATER),
]
MOSCOW = [message("a", "2022-04-30 23:30", first_response_at="2022-05-01 01:30", due_at="2022-05-01 00:00", **ROADS)]
A_YEAR_LATER = [
    # `a` is answered at last, after a year of being overdue at the end of every month.
    message(
        "a",
        "2022-03-01 09:00",
        first_response_at="2023-03-05 09:00",
        due_at="2022-03-01 13:00",
        updated_at="2023-03-05 09:00",
        **ROADS,
    ),
    message("g", "2023-03-05 10:00", first_response_at="2023-03-05 10:10", due_at="2023-03-05 14:00", **ROADS),
]


def test_every_mart_equals_a_full_refresh_after_every_turn(by_night: TestWarehouse, at_once: TestWarehouse) -> None:
    def load(day: str, rows: list[dict], region: str = "66") -> None:
        for warehouse in (by_night, at_once):
            warehouse.night(day, rows, region, rejected=len(rows) % 3)

    def assert_equal() -> None:
        at_once.model("--full-refresh", marts=MARTS)
        assert at_once.marts(MARTS) == by_night.marts(MARTS)

    load("2022-03-01", MARCH_1)
    by_night.dbt("build", "--selector", "night")
    load("2022-03-02", CORRECTED)
    by_night.model(marts=MARTS)
    assert by_night.month("2022-03", "Дороги")["mean_minutes"] == (1440 + 1560) / 2
    load("2022-03-03", MERGED)
    by_night.model(marts=MARTS)
    assert by_night.rows("select incident_id, message_count from marts.fct_incident order by 1") == [
        ("a", 1),
        ("b", 1),
        ("c", 2),
    ]
    assert_equal()

    load("2022-04-10", UNANSWERED)
    by_night.model(marts=MARTS)
    assert by_night.month("2022-04")["overdue_unanswered_count"] == 1
    load("2022-02-15", FILLED_IN)
    by_night.model(marts=MARTS)
    assert by_night.month("2022-01")["overdue_unanswered_count"] == 1
    assert by_night.month("2022-02")["overdue_unanswered_count"] == 1
    assert_equal()

    load("2022-05-01", MOSCOW, "77")
    load("2023-03-05", A_YEAR_LATER)
    by_night.model(marts=MARTS)
    assert by_night.month("2023-03")["mean_minutes_previous_year"] == by_night.month("2022-03")["mean_minutes"]
    assert_equal()
    assert all(by_night.marts(MARTS).values()), "an empty mart proves nothing"


def test_a_build_that_stopped_half_way_is_made_up_for_by_the_next(
    by_night: TestWarehouse, at_once: TestWarehouse
) -> None:
    for warehouse in (by_night, at_once):
        warehouse.night("2022-03-01", MARCH_1)
    by_night.dbt("run")
    for warehouse in (by_night, at_once):
        warehouse.night("2022-03-02", CORRECTED)
    by_night.dbt("run", "--selector", "night_intermediate")
    assert by_night.row("select * from marts.mart_as_of")["as_of_local"].isoformat() == "2022-03-02T00:00:00"
    for warehouse in (by_night, at_once):
        warehouse.night("2022-03-03", MERGED)

    by_night.model()

    at_once.model("--full-refresh")
    assert by_night.marts() == at_once.marts()


def test_a_night_that_brought_nothing_moves_the_clock_and_what_still_waits(by_night: TestWarehouse) -> None:
    by_night.night("2022-03-01", MARCH_1)
    by_night.model()
    before = by_night.marts()
    by_night.night("2022-03-02", [])

    by_night.model()

    after = by_night.marts()
    assert by_night.row("select * from marts.mart_as_of")["as_of_local"].isoformat() == "2022-03-03T00:00:00"
    assert {mart for mart in before if before[mart] != after[mart]} == {
        "mart_as_of",
        "mart_backlog_daily",
        "mart_resolution_cohort",
    }
