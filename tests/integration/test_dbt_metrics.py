"""What MetricFlow answers, asked as people ask it, is what the marts say; units stand in the database's comments."""

from datetime import date

import pytest

from tests.fixtures.dbt import TestWarehouse, message
from tests.fixtures.metricflow import METRICS, Answer, number, otklik, period, query

# The day a mart's rows belong to, for metrics of answers; the month, for those of what was received.
DAYS = {
    "fct_first_response": "first_response_date",
    "fct_incident": "first_response_date",
    "mart_time_to_respond": "day",
    "mart_topic_trend": "month",
    "mart_repeat_and_reopened": "month",
}
SHARES = ("resolved_share_1_day", "resolved_share_3_days", "resolved_share_7_days", "resolved_share_30_days")


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two winters of a region in eleven messages, one overdue over New Year; and a region that answers nobody."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    roads, water = {"authority": "Дороги", "topic": "Снег"}, {"authority": "Водоканал", "topic": "Вода"}
    warehouse.night(
        "2022-03-31",
        [
            message(
                "o1",
                "2021-12-10 10:00",
                first_response_at="2021-12-10 13:20",
                due_at="2021-12-10 14:00",
                resolved_at="2021-12-12 10:00",
                **roads,
            ),
            message("o2", "2021-12-11 10:00", first_response_at="2021-12-11 13:30", due_at="2021-12-11 12:00", **water),
            # Forty-seven days; overdue and unanswered at the end of December and of January.
            message("o3", "2021-12-20 10:00", first_response_at="2022-02-05 10:00", due_at="2021-12-20 14:00", **roads),
            # Ten, twenty, thirty, forty and a hundred minutes; nobody knows who answered the second.
            message("r1", "2022-03-01 10:00", first_response_at="2022-03-01 10:10", due_at="2022-03-01 14:00", **roads),
            message("r2", "2022-03-02 10:00", first_response_at="2022-03-02 10:20", due_at="2022-03-02 14:00"),
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
            # Overdue and unanswered; not due yet and not taken into work.
            message("r7", "2022-03-20 10:00", due_at="2022-03-20 14:00", **water),
            message("r8", "2022-03-31 10:00", due_at="2022-04-01 10:00", registered_at=None, **roads),
        ],
    )
    warehouse.night("2022-03-31", [message("u1", "2022-03-30 10:00", due_at="2022-03-30 12:00")], region="77")
    warehouse.dbt("run")
    return warehouse


@pytest.fixture(scope="module")
def months(story: TestWarehouse) -> Answer:
    answers = [name for name, metric in METRICS.items() if metric["file"] == "_semantic__metrics"]
    return query(answers, "metric_time__month", "region")


def test_a_month_has_the_figures_worked_out_by_hand(months: Answer) -> None:
    assert months[period(date(2021, 12, 1)), "66"] == {
        "messages_received": 3,
        "messages_processed": 3,
        "messages_answered": 2,
        "problems_resolved": 1,
        "incidents_answered": 2,
        "mean_time_to_respond": 205,
        "median_time_to_respond": 205,
        "p90_time_to_respond": 209,
        # The second came on a Saturday.
        "mean_working_time_to_respond": 100,
        "median_working_time_to_respond": 100,
        "p90_working_time_to_respond": 180,
        "incidents_answered_with_deadline": 2,
        "incidents_answered_on_time": 1,
        "incidents_overdue_unanswered": 1,
        "on_time_share": 0.333333,  # 1 ÷ (2 answered with a deadline + 1 overdue)
        "on_time_share_of_answered": 0.5,
    }
    assert months[period(date(2022, 3, 1)), "66"] == {
        "messages_received": 8,
        "messages_processed": 7,
        "messages_answered": 6,
        "problems_resolved": 2,
        "incidents_answered": 5,
        "mean_time_to_respond": 40,
        "median_time_to_respond": 30,
        "p90_time_to_respond": 76,
        "mean_working_time_to_respond": 40,
        "median_working_time_to_respond": 30,
        "p90_working_time_to_respond": 76,
        # Two of them without a deadline of their own have nine working hours by policy, until the next morning.
        "incidents_answered_with_deadline": 5,
        "incidents_answered_on_time": 4,
        "incidents_overdue_unanswered": 1,
        "on_time_share": 0.666667,  # 4 ÷ (5 + 1)
        "on_time_share_of_answered": 0.8,
    }


def test_where_nobody_was_answered_counts_are_0_and_the_mean_is_unknown(months: Answer) -> None:
    moscow = months[period(date(2022, 3, 1)), "77"]
    assert (moscow["incidents_answered"], moscow["messages_answered"], moscow["messages_received"]) == (0, 0, 1)
    assert (moscow["mean_time_to_respond"], moscow["p90_time_to_respond"]) == (None, None)
    assert (moscow["on_time_share"], moscow["on_time_share_of_answered"]) == (0, None)


def test_only_months_in_which_something_happened_are_told(months: Answer) -> None:
    assert sorted(months) == [
        (period(date(2021, 12, 1)), "66"),
        (period(date(2022, 1, 1)), "66"),
        (period(date(2022, 2, 1)), "66"),
        (period(date(2022, 3, 1)), "66"),
        (period(date(2022, 3, 1)), "77"),
    ]


def test_a_month_is_the_same_in_the_mart_of_months(story: TestWarehouse, months: Answer) -> None:
    mart = story.rows(
        "select month, region_code, answered_count, mean_minutes, median_minutes, p90_minutes, mean_working_minutes,"
        " median_working_minutes, p90_working_minutes, on_time_count, overdue_unanswered_count, on_time_share"
        " from marts.mart_time_to_respond_month where scope = 'region'"
    )
    columns = (
        "incidents_answered",
        "mean_time_to_respond",
        "median_time_to_respond",
        "p90_time_to_respond",
        "mean_working_time_to_respond",
        "median_working_time_to_respond",
        "p90_working_time_to_respond",
        "incidents_answered_on_time",
        "incidents_overdue_unanswered",
        "on_time_share",
    )
    expected = {(period(day), code): tuple(map(number, values)) for day, code, *values in mart}
    told = {(day, code): tuple(figures[name] for name in columns) for (day, code), figures in months.items()}
    assert told == expected
    assert len(told) == 5


def test_an_authority_is_the_same_in_the_mart_of_months(story: TestWarehouse) -> None:
    mart = story.rows(
        "select month, region_code, authority, mean_minutes, on_time_share from marts.mart_time_to_respond_month"
        " where scope = 'authority'"
    )
    told = query(["mean_time_to_respond", "on_time_share"], "metric_time__month", "region", "authority")
    assert {
        (period(day), code, authority or ""): {"mean_time_to_respond": number(mean), "on_time_share": number(share)}
        for day, code, authority, mean, share in mart
    } == told
    assert len(told) == 8


def test_a_year_is_the_same_in_the_summary_of_the_year(story: TestWarehouse) -> None:
    mart = story.rows("select year, region_code, metric, value from marts.mart_year_summary")
    told = query(sorted({metric for _, _, metric, _ in mart}), "metric_time__year", "region")
    assert {(year, code, metric): number(value) for year, code, metric, value in mart} == {
        (int(day[:4]), code, metric): value
        for (day, code), figures in told.items()
        for metric, value in figures.items()
    }
    # On time in 2022 were four of six with a deadline; at its end one was overdue, in January another one.
    assert told[period(date(2022, 1, 1)), "66"]["on_time_share"] == 0.571429


def test_what_waits_is_told_of_the_last_day(story: TestWarehouse) -> None:
    told = query(["incidents_open", "incidents_open_overdue", "mean_days_open"], "metric_time__month", "region")
    assert told == {
        # Eight were never resolved; one was due and not answered.
        (period(date(2022, 3, 1)), "66"): {
            "incidents_open": 8,
            "incidents_open_overdue": 1,
            "mean_days_open": (110 + 101 + 30 + 29 + 28 + 28 + 11 + 0) / 8,
        },
        (period(date(2022, 3, 1)), "77"): {"incidents_open": 1, "incidents_open_overdue": 1, "mean_days_open": 1},
    }


def shares(*group_by: str) -> dict[tuple[str, ...], tuple[float | None, ...]]:
    """Shares resolved within 1, 3, 7 and 30 days."""
    return {key: tuple(told[name] for name in SHARES) for key, told in query(SHARES, *group_by).items()}


def test_the_share_resolved_is_told_of_a_region_and_its_month(story: TestWarehouse) -> None:
    assert shares("metric_time__month", "region") == {
        # One of three, after two days; all were watched for months.
        (period(date(2021, 12, 1)), "66"): (0, 0.333333, 0.333333, 0.333333),
        # One after a day of the six watched for as long, the first of them for thirty days.
        (period(date(2022, 3, 1)), "66"): (0.166667, 0.166667, 0.166667, 0.166667),
        # Watched for a day and a half.
        (period(date(2022, 3, 1)), "77"): (0, None, None, None),
    }


def test_the_share_resolved_is_told_of_an_authority_and_its_month(story: TestWarehouse) -> None:
    assert shares("metric_time__month", "region", "authority") == {
        (period(date(2021, 12, 1)), "66", "Дороги"): (0, 0.5, 0.5, 0.5),
        (period(date(2021, 12, 1)), "66", "Водоканал"): (0, 0, 0, 0),
        # Every authority is known.
        (period(date(2021, 12, 1)), "66", ""): (None, None, None, None),
        (period(date(2022, 3, 1)), "66", "Дороги"): (0, 0, 0, 0),
        # One of four; the first of them came less than thirty days ago.
        (period(date(2022, 3, 1)), "66", "Водоканал"): (0.25, 0.25, 0.25, None),
        (period(date(2022, 3, 1)), "66", ""): (0, 0, 0, None),
        (period(date(2022, 3, 1)), "77", ""): (0, None, None, None),
    }


def test_shares_of_more_than_one_month_or_region_are_not_put_together(story: TestWarehouse) -> None:
    nothing = (None, None, None, None)
    assert shares("region") == {("66",): nothing, ("77",): (0, None, None, None)}
    assert shares("metric_time__year")[(period(date(2022, 1, 1)),)] == nothing
    assert shares("authority") == dict.fromkeys([("Дороги",), ("Водоканал",), ("",)], nothing)


def test_messages_can_be_asked_by_what_their_incident_is_about(story: TestWarehouse) -> None:
    told = query(["messages_processed", "mean_time_to_respond"], "region__region_name", "incident__topic")
    assert told == {
        ("Свердловская область", "Снег"): {
            "messages_processed": 3,
            "mean_time_to_respond": number((200 + 67680 + 10) / 3),
        },
        # The incident of two messages is about what its latest message says.
        ("Свердловская область", "Вода"): {"messages_processed": 6, "mean_time_to_respond": 95},
        ("Свердловская область", ""): {"messages_processed": 1, "mean_time_to_respond": 20},
        ("Москва", ""): {"messages_processed": 1, "mean_time_to_respond": None},
    }


# This story has no pages: theirs is in test_dbt_pages.py.
IN_SQL = [
    (name, mart)
    for name, metric in METRICS.items()
    for mart in metric["config"]["meta"].get("sql", {})
    if metric["file"] != "_pages__semantic"
]


@pytest.fixture(scope="module")
def told_in_sql(story: TestWarehouse) -> Answer:
    return query(dict(IN_SQL), "metric_time__month", "region")


@pytest.mark.parametrize(("metric", "mart"), IN_SQL)
def test_the_metric_in_sql_of_a_mart_is_the_metric(
    story: TestWarehouse, told_in_sql: Answer, metric: str, mart: str
) -> None:
    own = METRICS[metric]["config"]["meta"]["sql"][mart]
    day = DAYS[mart]
    counted = story.rows(
        f"select date_trunc('month', {day})::date, region_code, {own} from marts.{mart}"  # noqa: S608
        f" where {day} is not null group by 1, 2"
    )
    assert len(counted) == 3
    for start, code, value in counted:
        assert number(value) == told_in_sql[period(start), code][metric]


def test_who_asks_for_metrics_cannot_see_what_analysts_cannot(story: TestWarehouse) -> None:
    refused = otklik("mf", "query", "--metrics", "messages_received", OTKLIK_ANALYST_PASSWORD="wrong")
    assert refused.returncode != 0


def test_the_on_time_share_is_told_by_nothing_that_those_waiting_are_not_counted_by(story: TestWarehouse) -> None:
    refused = otklik("mf", "query", "--metrics", "on_time_share", "--group-by", "incident__topic", "--quiet")
    assert refused.returncode != 0


def test_periods_are_lined_up_on_the_production_calendar(story: TestWarehouse) -> None:
    told = otklik("mf", "query", "--group-by", "metric_time__year", "--quiet", "--csv", "/dev/stdout")
    years = [period(date(year, 1, 1)) for year in range(2020, 2027)]
    assert sorted(told.stdout.splitlines()) == [*years, "metric_time__year"], told.stderr


def test_every_metric_is_listed_with_what_it_can_be_split_by(story: TestWarehouse) -> None:
    told = otklik("mf", "list", "metrics")
    assert told.returncode == 0
    assert [name for name in METRICS if f"{name}: " not in told.stdout] == []
    assert "on_time_share: region__region_name\n" in told.stdout


def test_dbts_own_command_works_on_this_installation(story: TestWarehouse) -> None:
    told = otklik("dbt", "--quiet", "show", "--inline", "select current_user as who", "--output", "json")
    assert '"who": "otklik_transformer"' in told.stdout


@pytest.mark.parametrize(
    ("column", "comment"),
    [
        (
            "marts.mart_time_to_respond_month.on_time_count",
            "Of those, the ones answered by their deadline. [incidents]",
        ),
        ("marts.fct_incident.message_count", "Messages merged into the incident. [messages]"),
        ("intermediate.int_overdue_month.month", "First day of the month, in the region's own time zone."),
        ("staging.stg_raw__batch.rows_read", "Rows in the file. [rows]"),
    ],
)
def test_a_columns_comment_is_its_description_and_its_unit(story: TestWarehouse, column: str, comment: str) -> None:
    schema, table, name = column.split(".")
    told = story.row(
        "select col_description(attrelid, attnum) as comment from pg_attribute"
        " where attrelid = to_regclass(%s) and attname = %s",
        f"{schema}.{table}",
        name,
        role="engineer",
    )
    assert told["comment"] == comment


def test_no_column_in_the_database_is_without_a_comment(story: TestWarehouse) -> None:
    silent = story.rows(
        "select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid"
        " where relnamespace::regnamespace::text in ('staging', 'intermediate', 'marts', 'reference')"
        " and relkind in ('r', 'v') and attnum > 0 and col_description(attrelid, attnum) is null",
        role="engineer",
    )
    assert silent == []
