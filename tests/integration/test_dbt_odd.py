"""A region with no rows, one with a single message nobody knows anything of, one whose night was empty."""

import psycopg
import pytest

from otklik.dashboards.assets import columns_of, read_assets
from tests.fixtures.dbt import TestWarehouse, message

DATASETS = read_assets()["datasets"]


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Region 12 is only named, 77 had an empty night, 66 a message of which nothing is known."""
    warehouse = module_dbt_warehouse
    warehouse.region("12", "Марий Эл", "Europe/Moscow")
    warehouse.region("77", "Москва", "Europe/Moscow")
    warehouse.region()
    warehouse.night("2022-03-31", [], region="77")
    warehouse.night("2022-03-31", [message("only", "2022-03-31 10:00", channel=None)])
    warehouse.dbt("build", "--selector", "night")
    return warehouse


def rows_by_region(story: TestWarehouse) -> dict[str, dict[str, int]]:
    """Region → mart → how many rows it has there."""
    marts = story.rows(
        "select table_name from information_schema.columns where table_schema = 'marts' and column_name = 'region_code'"
    )
    counted: dict[str, dict[str, int]] = {}
    for (mart,) in marts:
        for code in {row[0] for row in story.rows(f"select region_code from marts.{mart}")}:  # noqa: S608
            counted.setdefault(code, {})[mart] = len(story.mart(mart, code))
    return counted


def test_a_region_without_rows_is_in_no_mart_and_an_empty_night_only_moves_the_clock(story: TestWarehouse) -> None:
    found = rows_by_region(story)
    assert "12" not in found
    assert found["77"] == {"mart_as_of": 1}


def test_a_message_of_which_nothing_is_known_is_counted_wherever_messages_are(story: TestWarehouse) -> None:
    found = rows_by_region(story)["66"]
    # Of the reference tables, only the region's municipalities are its own.
    assert found.pop("dim_municipality") == 94
    assert found == {
        "fct_message": 1,
        "fct_incident": 1,
        "fct_incident_event": 2,
        "mart_as_of": 1,
        "mart_backlog_daily": 1,
        "mart_month_summary": 2,
        "mart_repeat_and_reopened": 1,
        "mart_resolution_cohort": 3,
        "mart_topic_trend": 1,
        "mart_year_summary": 6,
    }


def test_what_is_not_known_of_it_is_null_and_no_share_is_divided_by_nothing(story: TestWarehouse) -> None:
    assert story.rows(
        "select repeat_share, reopened_share, message_count, judged_message_count from marts.mart_repeat_and_reopened"
    ) == [(None, None, 1, 0)]
    assert story.rows(
        "select topic, municipality, previous_month_count, change_share, year_change_share from marts.mart_topic_trend"
    ) == [(None, None, None, None, None)]
    summary = dict(story.rows("select metric, value from marts.mart_year_summary"))
    assert (summary["messages_processed"], summary["problems_resolved"]) == (1, 0)
    assert summary["mean_time_to_respond"] is None
    assert summary["median_time_to_respond"] is None


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_every_dataset_of_the_dashboards_can_be_asked_of_such_regions(story: TestWarehouse, name: str) -> None:
    dataset = DATASETS[name]
    metrics = [
        metric["expression"]
        for metric in dataset.get("metrics", [])
        if isinstance(metric, dict) and "expression" in metric
    ]
    source = f"({dataset['sql']})" if "sql" in dataset else f"marts.{dataset['models'][0]}"
    role = "auditor" if dataset.get("database") == "auditors" else "reader"
    with psycopg.connect(story.settings.dsn(role)) as connection:
        for asked in (columns_of(dataset), metrics):
            # Sent as it is, per cent signs and all.
            connection.execute(f"select {', '.join(asked)} from {source} as told")  # noqa: S608
