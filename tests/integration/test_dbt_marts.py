"""What the marts say of a small story, worked out by hand; and who may read it."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.fixtures.dbt import TestWarehouse, at, message


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two years of a region in ten messages; a region where nobody is answered; one that has no rows yet."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    warehouse.region("01", "Адыгея", "Europe/Moscow")
    roads, water = {"authority": "Дороги"}, {"authority": "Водоканал"}
    warehouse.night(
        "2021-03-31",
        [
            message("o1", "2021-03-10 10:00", first_response_at="2021-03-10 13:20", due_at="2021-03-10 14:00", **roads),
            message(
                "o2",
                "2021-03-11 10:00",
                first_response_at="2021-03-11 13:30",
                resolved_at="2021-03-12 10:00",
                due_at="2021-03-11 12:00",
                **water,
            ),
        ],
    )
    warehouse.night(
        "2022-03-31",
        [
            # Ten, twenty, thirty, forty and a hundred minutes; the last is two messages and late.
            message("r1", "2022-03-01 10:00", first_response_at="2022-03-01 10:10", due_at="2022-03-01 14:00", **roads),
            message("r2", "2022-03-02 10:00", first_response_at="2022-03-02 10:20", due_at="2022-03-02 14:00", **roads),
            # Without a deadline of their own they have nine working hours, until the next morning's ten.
            message("r3", "2022-03-03 10:00", first_response_at="2022-03-03 10:30", **water),
            message("r4", "2022-03-03 10:00", first_response_at="2022-03-03 10:40", **water),
            message(
                "r5",
                "2022-03-04 10:00",
                incident_id="five",
                first_response_at="2022-03-04 11:40",
                due_at="2022-03-04 11:00",
                resolved_at="2022-03-05 10:00",
                updated_at="2022-03-06 10:00",
                **water,
            ),
            message("r6", "2022-03-04 10:30", incident_id="five", updated_at="2022-03-05 10:00", **roads),
            # Overdue and unanswered at the end of March; the second is not due yet.
            message("r7", "2022-03-20 10:00", due_at="2022-03-20 14:00", **water),
            message("r8", "2022-03-31 10:00", due_at="2022-04-01 10:00", registered_at=None, **roads),
        ],
        rejected=2,
    )
    warehouse.night("2022-03-31", [message("u1", "2022-03-30 10:00", due_at="2022-03-30 12:00")], region="77")
    warehouse.dbt("build")
    return warehouse


def test_a_month_has_the_figures_worked_out_by_hand(story: TestWarehouse) -> None:
    march = story.month("2022-03")
    assert march["answered_count"] == 5
    assert march["mean_minutes"] == 40
    assert march["median_minutes"] == 30
    assert march["p90_minutes"] == 76
    assert march["mean_minutes_previous_year"] == 205
    assert march["on_time_count"] == 4
    assert march["overdue_unanswered_count"] == 1
    assert march["on_time_share"] == Decimal("0.666667"), "4 ÷ (5 answered with a deadline + 1 overdue)"


def test_an_authority_has_its_own_figures(story: TestWarehouse) -> None:
    roads, water = story.month("2022-03", "Дороги"), story.month("2022-03", "Водоканал")
    assert (roads["mean_minutes"], roads["mean_minutes_previous_year"], roads["on_time_share"]) == (15, 200, 1)
    assert (water["answered_count"], water["median_minutes"], water["on_time_share"]) == (3, 40, Decimal("0.5"))


def test_a_year_is_told_beside_the_year_before(story: TestWarehouse) -> None:
    figures = story.rows(
        "select metric, value, value_previous_year, value_first_year, unit from marts.mart_year_summary"
        " where region_code = '66' and year = 2022 order by metric"
    )
    assert figures == [
        ("mean_time_to_respond", 40, 205, 205, "minutes"),
        ("median_time_to_respond", 30, 205, 205, "minutes"),
        ("messages_processed", 7, 2, 2, "messages"),
        ("on_time_share", Decimal("0.666667"), Decimal("0.5"), Decimal("0.5"), "share"),
        ("p90_time_to_respond", 76, 209, 209, "minutes"),
        ("problems_resolved", 2, 1, 1, "messages"),
    ]


def test_the_parts_of_a_day_add_up_to_it(story: TestWarehouse) -> None:
    third = date(2022, 3, 3)
    assert story.rows(
        "select authority, answered_count, minutes_sum, with_deadline_count, on_time_count"
        " from marts.mart_time_to_respond where day = %s",
        third,
    ) == [("Водоканал", 2, 70, 2, 2)]
    total = story.row(
        "select sum(minutes_sum) / sum(answered_count) as mean from marts.mart_time_to_respond"
        " where region_code = '66' and day >= '2022-03-01'"
    )
    assert total["mean"] == 40


def test_an_unanswered_incident_has_no_time_to_respond(story: TestWarehouse) -> None:
    unanswered = story.row("select * from marts.fct_incident where incident_id = 'r7'")
    assert unanswered["minutes_to_respond"] is None
    assert unanswered["is_on_time"] is None


def test_a_region_where_nobody_was_answered_has_no_mean_and_no_share_of_nothing(story: TestWarehouse) -> None:
    month = story.month("2022-03", region="77")
    assert (month["answered_count"], month["mean_minutes"], month["on_time_share"]) == (0, None, 0)
    assert story.rows("select metric, value from marts.mart_year_summary where region_code = '77' order by metric") == [
        ("mean_time_to_respond", None),
        ("median_time_to_respond", None),
        ("messages_processed", 1),
        ("on_time_share", 0),
        ("p90_time_to_respond", None),
        ("problems_resolved", 0),
    ]


@pytest.mark.parametrize("mart", ["mart_as_of", "mart_time_to_respond_month", "mart_year_summary", "fct_incident"])
def test_a_region_without_rows_is_nowhere(story: TestWarehouse, mart: str) -> None:
    assert story.mart(mart, region="01") == []


def test_as_of_is_the_end_of_the_latest_night_by_the_regions_own_clock(story: TestWarehouse) -> None:
    as_of = story.row("select * from marts.mart_as_of where region_code = '66'")
    assert as_of["region_name"] == "Свердловская область"
    assert as_of["as_of"] == at("2022-04-01 00:00")
    assert as_of["as_of_local"] == datetime(2022, 4, 1)  # noqa: DTZ001 - what the column holds has no zone
    assert (as_of["rows_read"], as_of["rows_loaded"], as_of["rows_rejected"]) == (10, 8, 2)


def test_checks_count_as_passed_only_when_both_suites_ran_on_these_figures_and_nothing_critical_failed(
    story: TestWarehouse,
) -> None:
    [(shown,)] = story.rows("select build_id from intermediate.int_build", role="engineer")
    other = uuid4()

    def checks() -> tuple[bool | None, int | None]:
        return story.rows("select checks_passed, checks_failed from marts.mart_as_of where region_code = '66'")[0]

    def run(suite: str, critical: int, warning: int, build: UUID = shown) -> None:
        with psycopg.connect(story.settings.dsn("publisher")) as connection:
            connection.execute(
                "insert into quality.check_run (run_id, build_id, suite, started_at, finished_at, success, evaluated,"
                " failed_critical, failed_warning)"
                " values (gen_random_uuid(), %s, %s, clock_timestamp(), clock_timestamp(), %s, 9, %s, %s)",
                (build, suite, critical == 0, critical, warning),
            )

    with psycopg.connect(story.settings.dsn("publisher")) as connection:
        for build in (shown, other):
            connection.execute(
                "insert into quality.build (build_id, started_at, finished_at, success, is_full_refresh, generation,"
                " otklik_version) values (%s, now(), now(), true, false, 1, '0')",
                [build],
            )
    assert checks() == (None, None)
    run("raw", critical=0, warning=1)
    assert checks() == (None, 1)
    run("marts", critical=0, warning=0)
    assert checks() == (True, 1)
    run("marts", critical=2, warning=1, build=other)
    assert checks() == (True, 1), "a run on other figures"
    run("marts", critical=2, warning=1)
    assert checks() == (False, 4)
    run("marts", critical=0, warning=0)
    assert checks() == (True, 1)


@pytest.mark.parametrize(
    ("minutes", "label"),
    [
        (None, "нет данных"),
        ("0", "0 мин"),
        ("0.4", "0 мин"),
        ("28", "28 мин"),
        ("59.5", "1 ч"),
        ("148", "2 ч 28 мин"),
        ("147.5", "2 ч 28 мин"),
        ("1500", "25 ч"),
        ("2879.4", "47 ч 59 мин"),
        ("2880", "2 сут"),
        ("3060", "2 сут 3 ч"),
        ("4310", "3 сут"),
        ("-57", "−57 мин"),
    ],
)
def test_minutes_read_as_a_russian_says_them(story: TestWarehouse, minutes: str | None, label: str) -> None:
    said = story.rows("select marts.duration_label(%s::numeric)", minutes)
    assert said == [(label.replace(" ", "\u00a0") if minutes else label,)]


@pytest.mark.parametrize(
    ("value", "digits", "number", "share"),
    [
        (None, 0, "нет данных", "нет данных"),
        ("54548", 0, "54 548", "5 454 800 %"),
        ("0.97626", 1, "1,0", "97,6 %"),
        ("-0.125", 2, "−0,13", "−12,50 %"),
        ("-0.004", 0, "0", "0 %"),
        ("0.5", 0, "1", "50 %"),
    ],
)
def test_numbers_and_shares_are_written_as_a_russian_writes_them(
    story: TestWarehouse, value: str | None, digits: int, number: str, share: str
) -> None:
    said = story.rows(
        "select marts.number_label(%s::numeric, %s), marts.share_label(%s::numeric, %s)", value, digits, value, digits
    )
    written = [text if value is None else text.replace(" ", "\u00a0") for text in (number, share)]
    assert said == [tuple(written)]


@pytest.mark.parametrize("role", ["reader", "analyst", "auditor", "engineer"])
def test_every_reader_reads_every_mart(story: TestWarehouse, role: str) -> None:
    for mart in (
        "fct_message",
        "fct_incident",
        "mart_time_to_respond",
        "mart_time_to_respond_month",
        "mart_backlog_daily",
        "mart_year_summary",
        "mart_as_of",
    ):
        assert story.mart(mart, role=role)


@pytest.mark.parametrize("role", ["reader", "analyst", "auditor"])
def test_what_is_behind_the_marts_is_closed_to_who_reads_them(story: TestWarehouse, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        story.rows("select 1 from intermediate.int_incident", role=role)


def test_the_loader_may_not_even_word_a_duration(story: TestWarehouse) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        story.rows("select marts.duration_label(1)", role="loader")


def test_nothing_that_tells_who_wrote_what_leaves_raw(story: TestWarehouse) -> None:
    personal = ["author_id", "author_name", "author_url", "message_url", "message_text", "original"]
    assert (
        story.rows(
            "select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid"
            " where relnamespace::regnamespace::text in ('staging', 'intermediate', 'marts') and attname = any(%s)",
            personal,
            role="engineer",
        )
        == []
    )


def test_every_column_of_every_mart_has_its_description_in_the_database(story: TestWarehouse) -> None:
    assert (
        story.rows(
            "select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid"
            " where relnamespace = 'marts'::regnamespace and relkind in ('r', 'v') and attnum > 0 and not attisdropped"
            " and col_description(attrelid, attnum) is null",
            role="engineer",
        )
        == []
    )
