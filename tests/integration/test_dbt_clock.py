"""Working time and deadlines, worked out by hand for every year of the production calendar; and night by night.

A working day is 09:00 to 18:00, 540 minutes; a shortened one ends at 17:00, 480 minutes.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.fixtures.dbt import MARTS, TestWarehouse, at, message

DIMENSIONS = ("dim_date", "dim_municipality", "dim_channel", "dim_topic")

YEAR_END = [
    # Into 2020: 1 to 8 January are holidays, the 9th is a Thursday.
    ("2020-01-01 00:00", "2020-01-09 10:00", 60),
    # Thursday the 31st is shortened; the holidays end with a weekend, Monday is the 11th.
    ("2020-12-31 16:30", "2021-01-11 09:20", 30 + 20),
    # Friday the 31st is off, moved from 3 January; the 9th is a Sunday.
    ("2021-12-30 17:00", "2022-01-10 10:00", 60 + 60),
    # The 31st is a Saturday; Monday is the 9th.
    ("2022-12-30 17:00", "2023-01-09 10:00", 60 + 60),
    # The 30th and 31st are a weekend; Monday the 8th is still a holiday.
    ("2023-12-29 17:00", "2024-01-09 10:00", 60 + 60),
    # Saturday the 28th is worked for Monday the 30th, the 31st is moved from 7 January.
    ("2024-12-28 17:00", "2025-01-09 10:00", 60 + 60),
    # The 31st is off, and so is Friday 9 January; Monday is the 12th.
    ("2025-12-30 17:00", "2026-01-12 10:00", 60 + 60),
    # The last day of the calendar is off; it knows nothing of 2027.
    ("2026-12-30 17:00", "2026-12-31 18:00", 60),
    ("2026-12-30 17:01", "2027-01-11 10:00", None),
    ("2019-12-31 17:00", "2020-01-09 10:00", None),
]
MAY = [
    # 1 to 5 off; the 6th and 7th worked though a decree named them, the 8th shortened; 9 to 11 off.
    ("2020-04-30 16:00", "2020-05-12 10:00", 60 + 2 * 540 + 480 + 60),
    # 30 April shortened; 1 to 3 off; 4 to 7 worked though a decree named them; 8 to 10 off.
    ("2021-04-30 16:00", "2021-05-11 10:00", 60 + 4 * 540 + 60),
    # 30 April to 3 May off; 4 to 6 worked; 7 to 10 off.
    ("2022-04-29 17:00", "2022-05-11 10:00", 60 + 3 * 540 + 60),
    # 29 April to 1 May off; 2 to 5 worked; 6 to 9 off.
    ("2023-04-28 17:00", "2023-05-10 10:00", 60 + 4 * 540 + 60),
    # Saturday 27 April worked; 28 April to 1 May off; 2, 3, 6, 7 worked, the 8th shortened; 9 to 12 off.
    ("2024-04-27 17:00", "2024-05-13 10:00", 60 + 4 * 540 + 480 + 60),
    # 30 April shortened; 1 to 4 off; 5 to 7 worked; 8 to 11 off.
    ("2025-04-30 16:00", "2025-05-12 10:00", 60 + 3 * 540 + 60),
    # 30 April shortened; 1 to 3 off; 4 to 7 worked, the 8th shortened; 9 to 11 off.
    ("2026-04-30 16:00", "2026-05-12 10:00", 60 + 4 * 540 + 480 + 60),
]
MOVED = [
    # Days off that were no epidemic's: the parade and the vote of 2020.
    ("2020-06-23 17:00", "2020-06-25 10:00", 60 + 60),
    ("2020-06-30 17:00", "2020-07-02 10:00", 60 + 60),
    # Working Saturdays, shortened like the Mondays before a holiday that they were exchanged for.
    ("2021-02-20 08:00", "2021-02-24 09:30", 480 + 30),
    ("2022-03-04 17:00", "2022-03-09 10:00", 60 + 480 + 60),
    ("2024-11-02 08:00", "2024-11-05 09:10", 480 + 10),
    ("2025-10-31 17:30", "2025-11-05 09:10", 30 + 480 + 10),
    # A whole one.
    ("2024-04-27 09:00", "2024-04-27 18:00", 540),
    # 1 and 2 November worked though a decree named them, the 3rd shortened; 4 to 7 off.
    ("2021-10-29 17:00", "2021-11-08 10:00", 60 + 2 * 540 + 480 + 60),
    # 24 February moved from 1 January, the 22nd shortened.
    ("2023-02-22 16:00", "2023-02-27 10:00", 60 + 60),
    ("2025-06-11 16:00", "2025-06-16 10:00", 60 + 60),
]
ODD_HOURS = [
    # Over a weekend, from Friday evening to Monday morning; then within it: 0 is a fact, not the unknown.
    ("2022-04-15 20:00", "2022-04-18 09:30", 30),
    ("2022-04-16 12:00", "2022-04-17 12:00", 0),
    ("2022-04-18 06:00", "2022-04-18 08:59", 0),
    ("2022-04-18 18:00", "2022-04-19 09:00", 0),
    ("2022-04-18 08:00", "2022-04-18 19:00", 540),
    ("2022-04-18 10:00", "2022-04-18 10:00:30", 0.5),
]
WORKED = YEAR_END + MAY + MOVED + ODD_HOURS

DEADLINES = [
    # 24 hours under the policy of 2020, although most of them fall under that of 2021.
    ("2020-12-31 16:30", "normal", "2021-01-01 16:30"),
    ("2020-12-31 23:59", None, "2021-01-01 23:59"),
    ("2021-01-01 00:00", "high", "2021-01-01 04:00"),
    # Eight working hours: on the first working day, from its start to 17:00.
    ("2021-01-01 00:01", "normal", "2021-01-11 17:00"),
    ("2021-12-30 17:00", "normal", "2022-01-10 16:00"),
    # Nine are a whole day: due in its evening, whenever in the weekend the clock started.
    ("2022-04-16 12:00", "low", "2022-04-18 18:00"),
    ("2022-04-18 09:00", None, "2022-04-18 18:00"),
    ("2022-04-18 09:01", None, "2022-04-19 09:01"),
    # Eight hours are what a shortened day has: due in its evening; an hour later, after the holidays.
    ("2024-05-08 09:00", "normal", "2024-05-08 17:00"),
    ("2024-05-08 10:00", "normal", "2024-05-13 10:00"),
    # An hour of Friday and seven of the shortened Saturday; then past it, over the holidays, to the second.
    ("2022-03-04 17:00", "normal", "2022-03-05 16:00"),
    ("2022-03-04 17:30:20", "low", "2022-03-09 09:30:20"),
    # The calendar ends before nine working hours do; four hours need none.
    ("2026-12-30 12:00", "low", None),
    ("2026-12-30 12:00", "high", "2026-12-30 16:00"),
    ("2027-01-12 12:00", "normal", None),
    ("2027-01-12 12:00", "high", "2027-01-12 16:00"),
    # Nothing was in force before 2020.
    ("2019-12-31 12:00", "high", None),
]

# Working days and working hours (40-hour week) of each year's official calendar, days made non-working by decree
# not taken off; in 2020 less two days of eight hours, for the parade of 24 June and the vote of 1 July.
OFFICIAL = {
    2020: (248 - 2, 1979 - 2 * 8),
    2021: (247, 1972),
    2022: (247, 1973),
    2023: (247, 1973),
    2024: (248, 1979),
    2025: (247, 1972),
    2026: (247, 1972),
}

# The law's own holidays (Labour Code, article 112), and what the Government moved: day off -> where to.
HOLIDAYS = [*((1, day) for day in range(1, 9)), (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)]
MOVED_BY_GOVERNMENT = {
    "2020-01-04": "2020-05-04", "2020-01-05": "2020-05-05",
    "2021-01-02": "2021-11-05", "2021-01-03": "2021-12-31", "2021-02-20": "2021-02-22",
    "2022-01-01": "2022-05-03", "2022-01-02": "2022-05-10", "2022-03-05": "2022-03-07",
    "2023-01-01": "2023-02-24", "2023-01-08": "2023-05-08",
    "2024-01-06": "2024-05-10", "2024-01-07": "2024-12-31", "2024-04-27": "2024-04-29",
    "2024-11-02": "2024-04-30", "2024-12-28": "2024-12-30",
    "2025-01-04": "2025-05-02", "2025-01-05": "2025-12-31", "2025-02-23": "2025-05-08",
    "2025-03-08": "2025-06-13", "2025-11-01": "2025-11-03",
    "2026-01-03": "2026-01-09", "2026-01-04": "2026-12-31",
}  # fmt: skip
NOT_WORKED = {date(2020, 6, 24), date(2020, 7, 1)}


def by_law() -> dict[date, int]:
    """Return the working minutes of every day, from the law and not from the calendar that the seed was made of."""
    days = [date(2020, 1, 1) + timedelta(number) for number in range((date(2027, 1, 1) - date(2020, 1, 1)).days)]
    holidays = {day for day in days if (day.month, day.day) in HOLIDAYS}
    moves = {date.fromisoformat(off): date.fromisoformat(to) for off, to in MOVED_BY_GOVERNMENT.items()}
    off = {day for day in days if day.weekday() >= 5} | holidays | NOT_WORKED
    eves = {day - timedelta(1) for day in [*holidays, date(2027, 1, 1)]}
    exchanged = {day: to for day, to in moves.items() if day not in holidays}
    off = (off | set(moves.values())) - set(exchanged)
    for day in sorted(holidays):
        # A holiday on a weekend gives the next working day off, if the Government moved it nowhere else.
        if day.weekday() >= 5 and day.month > 1 and day not in moves:
            off.add(next(later for later in days if later > day and later not in off))
    # A weekend that is worked is as long as the day it was exchanged for would have been.
    shortened = {day for day in days if exchanged.get(day, day) in eves}
    return {day: 0 if day in off else 480 if day in shortened else 540 for day in days}


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Answers and deadlines as listed above, and a few incidents of changing mind."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.night(
        "2027-02-01",
        [
            message(f"worked {start}", start, first_response_at=end, due_at=end, authority=f"{number}")
            for number, (start, end, _) in enumerate(WORKED)
        ]
        + [message(f"due {start} {priority}", start, priority=priority) for start, priority, _ in DEADLINES]
        + [
            message("own", "2022-04-18 10:00", due_at="2022-04-18 11:00", first_response_at="2022-04-18 11:01"),
            message("raised", "2022-04-18 10:00", priority="normal"),
            message("raised", "2022-04-18 10:00", priority="high", updated_at="2022-04-18 10:30", topic="Ямы"),
            message("waiting", "2022-04-18 10:00", registered_at=None),
        ],
    )
    warehouse.model(marts=(*MARTS, *DIMENSIONS))
    return warehouse


def incident(story: TestWarehouse, incident_id: str) -> dict:
    return story.row("select * from marts.fct_incident where incident_id = %s", incident_id)


@pytest.mark.parametrize(("start", "end", "minutes"), WORKED)
def test_only_working_minutes_count(story: TestWarehouse, start: str, end: str, minutes: float | None) -> None:
    assert incident(story, f"worked {start}")["working_minutes_to_respond"] == minutes


@pytest.mark.parametrize(("start", "priority", "deadline"), DEADLINES)
def test_a_deadline_is_that_of_the_policy_in_force_when_the_clock_started(
    story: TestWarehouse, start: str, priority: str | None, deadline: str | None
) -> None:
    told = incident(story, f"due {start} {priority}")
    assert told["deadline_at"] == (deadline and at(deadline))
    assert told["deadline_basis"] == (deadline and "policy")
    assert (told["due_at"], told["is_on_time"]) == (None, None)


def test_the_sources_own_deadline_wins(story: TestWarehouse) -> None:
    own = incident(story, "own")
    assert (own["deadline_at"], own["deadline_basis"]) == (at("2022-04-18 11:00"), "source")
    assert own["is_on_time"] is False, "though nine working hours would have been enough"


def test_a_priority_raised_later_does_not_bring_the_deadline_forward(story: TestWarehouse) -> None:
    raised = incident(story, "raised")
    assert raised["priority"] == "high"
    assert raised["deadline_at"] == at("2022-04-18 18:00"), "eight working hours, as when the clock started"


def test_a_clock_that_has_not_started_has_no_deadline(story: TestWarehouse) -> None:
    waiting = incident(story, "waiting")
    assert (waiting["clock_started_at"], waiting["deadline_at"], waiting["deadline_basis"]) == (None, None, None)


def test_working_minutes_add_up_in_a_slice_and_the_unknown_is_not_added(story: TestWarehouse) -> None:
    assert story.rows(
        "select sum(answered_count), sum(with_working_minutes_count), sum(working_minutes_sum)"
        " from marts.mart_time_to_respond where day in ('2027-01-11', '2024-05-13', '2024-11-05')"
    ) == [(3, 2, 2760 + 490)]
    unknown = "select working_minutes_sum from marts.mart_time_to_respond where day = '2027-01-11'"
    assert story.rows(unknown) == [(None,)]


@pytest.mark.parametrize("year", OFFICIAL)
def test_a_year_has_its_official_number_of_working_days_and_hours(story: TestWarehouse, year: int) -> None:
    days, minutes = story.rows(
        "select count(*) filter (where work_minutes > 0), sum(work_minutes) from intermediate.int_working_day"
        " where region_code = '66' and extract(year from day) = %s",
        year,
        role="engineer",
    )[0]
    official_days, official_hours = OFFICIAL[year]
    # Ours has an hour more each day: the break is not taken off.
    assert (days, minutes / 60) == (official_days, official_hours + official_days)


def test_every_day_is_worked_as_the_law_has_it(story: TestWarehouse) -> None:
    worked = story.rows(
        "select day, work_minutes from intermediate.int_working_day where region_code = '66'", role="engineer"
    )
    assert dict(worked) == by_law()


def test_days_that_decrees_made_non_working_are_seen_and_counted_as_worked(story: TestWarehouse) -> None:
    assert story.rows(
        "select year, day_kind, count(*), bool_and(is_working_day) from marts.dim_date"
        " where day_kind like 'decree%%' group by 1, 2 order by 1, 2"
    ) == [
        # 30 March to 30 April and 6 to 8 May; then 4 to 7 May and 1 to 3 November: their weekdays.
        (2020, "decree", 25, True),
        (2020, "decree_shortened", 2, True),
        (2021, "decree", 6, True),
        (2021, "decree_shortened", 1, True),
    ]


def test_a_date_is_described_in_russian(story: TestWarehouse) -> None:
    day = story.row("select * from marts.dim_date where day = '2021-02-20'")
    assert (day["month_name"], day["weekday_name"], day["iso_week"]) == ("февраль", "суббота", 7)
    assert (day["day_kind_label"], day["is_working_day"], day["holiday"]) == ("сокращённый рабочий день", True, None)
    moved = story.row("select * from marts.dim_date where day = '2021-02-22'")
    assert (moved["is_working_day"], moved["moved_from"]) == (False, date(2021, 2, 20))
    assert story.rows("select min(day), max(day), count(*) from marts.dim_date") == [
        (date(2020, 1, 1), date(2026, 12, 31), 2557)
    ]


def test_a_municipality_without_known_residents_has_no_number_of_them(story: TestWarehouse) -> None:
    assert story.rows("select count(*), count(residents), min(residents) > 0 from marts.dim_municipality") == [
        (94, 47, True)
    ]


def test_a_topic_is_shown_under_the_name_its_source_gives_it(story: TestWarehouse) -> None:
    assert story.rows("select topic, subtopic from marts.dim_topic where not is_in_vocabulary") == [("Ямы", None)]
    assert story.rows("select count(*) from marts.dim_topic where is_in_vocabulary") == [(40,)]


def test_deadlines_by_policy_follow_late_and_corrected_rows(by_night: TestWarehouse, at_once: TestWarehouse) -> None:
    def night(day: str, *rows: dict) -> None:
        for warehouse in (by_night, at_once):
            warehouse.night(day, list(rows))
        by_night.model(marts=(*MARTS, *DIMENSIONS))

    def overdue(month: str) -> int:
        return by_night.month(month)["overdue_unanswered_count"]

    roads = {"authority": "Дороги"}
    # Nine working hours from three in the afternoon: the first of February.
    low = message("a", "2022-01-31 15:00", priority="low", updated_at="2022-01-31 20:00", topic="Ямы", **roads)
    night("2022-01-31", low)
    # Time goes on, so that no later build counts January and February again for the clock's sake.
    night("2022-05-10", message("b", "2022-05-10 10:00", first_response_at="2022-05-10 11:00", **roads))
    assert by_night.rows("select * from marts.mart_time_to_respond_month where month = '2022-01-01'") == []
    assert overdue("2022-02") == 1

    # It had been of high importance until the evening: four hours, still in January.
    night(
        "2022-01-30",
        message("a", "2022-01-31 15:00", priority="high", updated_at="2022-01-31 14:00", topic="Снег", **roads),
    )
    assert overdue("2022-01") == 1
    assert incident(by_night, "a")["priority"] == "low"
    _assert_same(by_night, at_once)

    # A merged message was written in December, but taken into work in March: the clock starts with the latter.
    night(
        "2022-05-11",
        message(
            "c",
            "2021-12-30 17:00",
            incident_id="a",
            registered_at="2022-03-01 10:00",
            updated_at="2022-05-11 10:00",
            **roads,
        ),
    )
    assert by_night.rows("select month from marts.mart_time_to_respond_month where scope = 'region' order by 1") == [
        (date(2022, 3, 1),),
        (date(2022, 4, 1),),
        (date(2022, 5, 1),),
    ]
    _assert_same(by_night, at_once)

    # The source gives a deadline of its own after all, and an answer that met it.
    night(
        "2022-05-12",
        message(
            "c",
            "2021-12-30 17:00",
            incident_id="a",
            registered_at="2022-03-01 10:00",
            first_response_at="2022-05-12 10:00",
            due_at="2022-05-12 12:00",
            **roads,
        ),
    )
    assert by_night.rows(
        "select month, on_time_share from marts.mart_time_to_respond_month where scope = 'region'"
    ) == [(date(2022, 5, 1), Decimal(1))]
    _assert_same(by_night, at_once)


def _assert_same(by_night: TestWarehouse, at_once: TestWarehouse) -> None:
    at_once.model("--full-refresh", marts=(*MARTS, *DIMENSIONS))
    assert by_night.marts() == at_once.marts()
    for dimension in DIMENSIONS:
        rows = [each.mart(dimension) for each in (by_night, at_once)]
        assert rows[0] == rows[1]
        assert rows[0]
