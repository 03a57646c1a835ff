"""What comes again, what grows, what is unusual today: by hand, and night by night as in one full refresh."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from tests.fixtures.dbt import TestWarehouse, message
from tests.fixtures.metricflow import period, query

MARTS = ("mart_repeat_and_reopened", "mart_topic_trend", "mart_early_warning")
REZH = {"municipality": "Реж", "municipality_code": "65720000"}
ROADS = REZH | {"topic": "Дороги", "authority": "Администрация"}
IRBIT = {"municipality": "Ирбит"}
WATER = REZH | {"topic": "Вода", "authority": "Водоканал"}
MONDAY = date(2022, 5, 2)


def day_of(day: date, number: int, **columns: Any) -> list[dict[str, Any]]:
    """As many messages of a day as told."""
    return [
        message(f"{day}-{columns['topic']}-{columns.get('municipality')}-{n}", f"{day} 10:{n:02}", **columns)
        for n in range(number)
    ]


@pytest.fixture(scope="module")
def centre(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Repeats and reopened incidents of early 2021, trends from there, and ten Mondays up to a flood of complaints."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    repeats = [
        message("a1", "2021-01-31 10:00", author_hash="A", **ROADS),
        # Thirty days to the minute are within thirty days; a minute later is not.
        message("a2", "2021-03-02 10:00", author_hash="A", **ROADS),
        message("a3", "2021-04-01 10:01", author_hash="A", **ROADS),
        # Another author, another topic, another municipality, and nobody knows who.
        message("b1", "2021-03-02 11:00", author_hash="B", **ROADS),
        message("a4", "2021-03-02 12:00", author_hash="A", **WATER),
        message("a5", "2021-03-02 13:00", author_hash="A", **IRBIT, topic="Дороги"),
        message("x1", "2021-03-02 14:00", **ROADS),
        message("x2", "2021-03-02 15:00", **ROADS),
    ]  # fmt: skip
    reopened = [
        message("r1", "2021-02-01 10:00", resolved_at="2021-02-02 10:00", reopened_count=0, **WATER),
        message("r2", "2021-02-01 10:00", resolved_at="2021-02-02 10:00", reopened_count=2, **WATER),
        # Opened again and not over yet; never over; a source that does not tell.
        message("r3", "2021-02-01 10:00", reopened_count=1, **WATER),
        message("r4", "2021-02-01 10:00", reopened_count=0, **WATER),
        message("r5", "2021-02-01 10:00", resolved_at="2021-02-02 10:00", **WATER),
    ]
    mondays = [
        row
        # The eighth Monday before brought one, the ninth does not count, the third had nothing on any topic.
        for weeks, number in {9: 50, 8: 1, 7: 3, 6: 2, 5: 2, 4: 9, 2: 0, 1: 2}.items()
        for row in day_of(MONDAY - timedelta(weeks=weeks), number, **ROADS)
    ]
    others = [
        message("w1", f"{MONDAY - timedelta(weeks=2)} 09:00", **WATER),
        *day_of(MONDAY, 9, **ROADS),
        *day_of(MONDAY, 4, **WATER),
        *day_of(MONDAY, 5, topic="Тепло", **IRBIT),
        *day_of(MONDAY, 6, topic="Вода"),
        *day_of(MONDAY, 6, **REZH, topic=None),
    ]
    warehouse.history("2021-01-01", "2022-05-15", [*repeats, *reopened, *mondays, *others])
    warehouse.model(marts=MARTS)
    return warehouse


def slice_of(centre: TestWarehouse, month: str, topic: str, municipality: str = "Реж") -> dict[str, Any]:
    return centre.row(
        "select * from marts.mart_repeat_and_reopened where month = %s and topic = %s and municipality = %s",
        date.fromisoformat(f"{month}-01"),
        topic,
        municipality,
    )


def test_a_repeat_comes_from_the_same_author_on_the_same_topic_in_the_same_place_within_30_days(
    centre: TestWarehouse,
) -> None:
    march = slice_of(centre, "2021-03", "Дороги")
    counts = ("message_count", "judged_message_count", "repeat_count")
    assert [march[name] for name in counts] == [4, 2, 1]
    assert march["repeat_share"] == Decimal("0.5")
    assert slice_of(centre, "2021-01", "Дороги")["repeat_count"] == 0
    assert slice_of(centre, "2021-04", "Дороги")["repeat_count"] == 0
    assert slice_of(centre, "2021-03", "Вода")["repeat_count"] == 0
    assert slice_of(centre, "2021-03", "Дороги", "Ирбит")["repeat_count"] == 0


def test_the_share_of_reopened_counts_what_was_over_once_and_is_told_of(centre: TestWarehouse) -> None:
    february = slice_of(centre, "2021-02", "Вода")
    assert [february[name] for name in ("incident_count", "judged_incident_count", "reopened_count")] == [5, 3, 2]
    assert february["reopened_share"] == Decimal("0.666667")
    # Nobody knows of any in March: no share, and no division by zero.
    assert slice_of(centre, "2021-03", "Вода")["reopened_share"] is None


def test_the_shares_can_be_asked_by_topic(centre: TestWarehouse) -> None:
    told = query(["repeat_share", "reopened_share"], "metric_time__month", "region", "received_month__topic")
    # Of three messages whose author is known one is a repeat: two from Rezh, one from Irbit.
    assert told[period(date(2021, 3, 1)), "66", "Дороги"] == {"repeat_share": 0.333333, "reopened_share": None}
    assert told[period(date(2021, 2, 1)), "66", "Вода"] == {"repeat_share": None, "reopened_share": 0.666667}


def test_a_topic_stands_beside_the_month_before_and_the_year_before(centre: TestWarehouse) -> None:
    trends = centre.rows(
        "select month, message_count, previous_month_count, change_share, year_ago_count, year_change_count,"
        " is_complete from marts.mart_topic_trend where topic = 'Дороги' and municipality = 'Реж' order by month"
    )
    # Mondays: 28 February (9 weeks before) brought 50, 7, 14, 21 and 28 March 1 + 3 + 2 + 2, 4 and 25 April 9 + 2.
    assert trends == [
        (date(2021, 1, 1), 1, None, None, None, None, True),
        # The region received something in February, of this nothing.
        (date(2021, 2, 1), 0, 1, Decimal(-1), None, None, True),
        (date(2021, 3, 1), 4, 0, None, None, None, True),
        (date(2021, 4, 1), 1, 4, Decimal("-0.75"), None, None, True),
        (date(2022, 2, 1), 50, None, None, 0, 50, True),
        (date(2022, 3, 1), 8, 50, Decimal("-0.84"), 4, 4, True),
        (date(2022, 4, 1), 11, 8, Decimal("0.375"), 1, 10, True),
        (date(2022, 5, 1), 9, 11, Decimal("-0.181818"), None, None, False),
    ]


def test_a_day_is_a_warning_when_it_is_far_above_the_same_weekday_of_eight_weeks(centre: TestWarehouse) -> None:
    monday = centre.rows(
        "select topic, message_count, weeks_count, counts_before, median_count, mad, threshold_count, is_warning"
        " from marts.mart_early_warning where day = %s order by topic desc",
        MONDAY,
    )
    before = [2, 0, 9, 2, 2, 3, 1]
    mad = Decimal(str(median_abs_deviation(before)))
    assert (np.median(before), mad) == (2, 1)
    assert monday == [
        # Seven weeks of the eight are known; none of them had a word about heating: 0 + 3 × 1.
        ("Тепло", 5, 7, [0] * 7, 0, 0, 3, True),
        ("Дороги", 9, 7, before, 2, 1, Decimal("6.447800"), True),
    ]
    # The flood of nine weeks earlier had only four known weeks of nothing behind it at most: none, in fact.
    [(weeks, warning)] = centre.rows(
        "select weeks_count, is_warning from marts.mart_early_warning where message_count = 50"
    )
    assert (weeks, warning) == (0, None)


def test_night_by_night_the_marts_equal_a_full_refresh(by_night: TestWarehouse, at_once: TestWarehouse) -> None:
    chance = np.random.default_rng(1)

    def made_up(day: date, number: int) -> list[dict[str, Any]]:
        return [
            message(
                f"{day}-{n}",
                f"{day} {chance.integers(24):02}:{chance.integers(60):02}",
                author_hash=str(chance.choice(list("ABCDEF"))),
                reopened_count=int(chance.integers(2)),
                **(ROADS if chance.integers(3) else WATER),
            )
            for n in range(number)
        ]

    def load(day: date, rows: list[dict[str, Any]]) -> None:
        for warehouse in (by_night, at_once):
            warehouse.night(f"{day}", rows)

    def turn() -> None:
        by_night.model(marts=MARTS)
        at_once.model("--full-refresh", marts=MARTS)
        assert by_night.marts(MARTS) == at_once.marts(MARTS)

    first = date(2022, 1, 3)
    for week in range(9):
        load(first + timedelta(weeks=week), made_up(first + timedelta(weeks=week), 12))
    turn()
    # The same Monday again with another topic and author, then a night filled in before all of them, then an
    # empty night in the next month, then everything of a day moved to another day.
    fifth = first + timedelta(weeks=5)
    moved = [
        row | WATER | {"author_hash": "A", "updated_at": row["updated_at"] + timedelta(days=40)}
        for row in made_up(fifth, 12)
    ]
    load(fifth + timedelta(days=40), moved)
    turn()
    load(first - timedelta(weeks=3), made_up(first - timedelta(weeks=3), 9))
    turn()
    load(date(2022, 4, 1), [])
    turn()
    again = [row | {"received_at": row["received_at"] + timedelta(days=33)} for row in moved]
    load(date(2022, 4, 2), [row | {"updated_at": row["updated_at"] + timedelta(days=20)} for row in again])
    turn()
    assert all(by_night.marts(MARTS).values()), "an empty mart proves nothing"
