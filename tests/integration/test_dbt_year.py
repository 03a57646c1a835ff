"""The figures a centre tells about its year, from the rows of a story worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from otklik.audit.definitions import definitions
from otklik.audit.figure import Figure, Period
from tests.fixtures.dbt import TestWarehouse, at, message
from tests.fixtures.metricflow import number, period, query
from tests.fixtures.pages import authority, page, seen
from tests.fixtures.survey_rows import survey

MARTS = ("mart_year_summary", "fct_message", "fct_incident", "mart_time_to_respond_month", "fct_page_day")


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two years of a region that has everything; and one that only ever held a broadcast, two years ago."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    warehouse.region("01", "Адыгея", "Europe/Moscow")
    warehouse.history(
        "2021-01-01",
        "2022-12-31",
        [
            message("a", "2021-12-31 22:00", first_response_at="2022-01-01 00:28", resolved_at="2022-01-02 10:00"),
            message("b", "2022-03-01 10:00", first_response_at="2022-03-01 12:28"),
            message("c", "2022-12-31 23:59"),
        ],
    )
    load = warehouse.load
    load("authority", "2022-12-31", [authority("town", "Администрация Режа"), authority("museum", "Музей")])
    load(
        "page",
        "2022-12-31",
        [
            page("town-vk", "town", opened_on="2021-01-10"),
            page("museum-ok", "museum", opened_on="2021-01-10"),
            page("late-vk", "museum", opened_on="2022-12-03"),
            page("gone-vk", "town", opened_on="2021-01-10", closed_on="2022-12-30"),
        ],
    )
    last_year, this_year = "2021-12-31 20:00", "2022-12-31 20:00"
    load(
        "page_snapshot",
        "2022-12-31",
        [
            *(seen(page_id, last_year, members) for page_id, members in COUNTED_BEFORE.items()),
            *(seen(page_id, this_year, members) for page_id, members in COUNTED.items()),
        ],
    )
    load(
        "survey",
        "2022-12-31",
        [
            survey("old", closed_on="2021-06-10"),
            survey("park", closed_on="2022-03-10"),
            survey("on its last day", closed_on="2022-12-31"),
            survey("still open", closed_on="2023-01-01"),
        ],
    )
    load("broadcast", "2022-12-31", [broadcast("E1", "2021-12-31 23:59"), broadcast("E2", "2022-01-01 00:00")])
    load("broadcast", "2022-12-31", [broadcast("M1", "2021-05-01 12:00")], "77")
    load("broadcast", "2022-12-31", [broadcast("announced", "2023-01-20 12:00")])
    load("material", "2022-12-31", [material(f"M{n}", f"2022-0{n}-01 12:00") for n in (1, 2, 3)])
    load("material", "2022-12-31", [material("M3", "2022-03-01 12:00") | {"is_deleted": True}])
    warehouse.model(marts=MARTS)
    return warehouse


COUNTED_BEFORE = {"town-vk": 100, "museum-ok": 50, "gone-vk": 10}
COUNTED = {"town-vk": 130, "museum-ok": 45, "late-vk": 25}


def broadcast(broadcast_id: str, held_at: str) -> dict[str, Any]:
    return {"broadcast_id": broadcast_id, "held_at": at(held_at)}


def material(material_id: str, published_at: str) -> dict[str, Any]:
    return {"material_id": material_id, "published_at": at(published_at)}


def year(story: TestWarehouse, of: int, region: str = "66") -> dict[str, tuple[Any, ...]]:
    """Metric → value, the year before, the first year, unit."""
    rows = story.rows(
        "select metric, value, value_previous_year, value_first_year, unit from marts.mart_year_summary"
        " where region_code = %s and year = %s",
        region,
        of,
    )
    return {metric: tuple(rest) for metric, *rest in rows}


def test_every_figure_of_the_year_stands_beside_the_year_before_and_the_first(story: TestWarehouse) -> None:
    growth, like_for_like = Decimal("0.25"), Decimal("0.166667")
    assert year(story, 2022) == {
        "messages_processed": (2, 1, 1, "messages"),
        "problems_resolved": (1, 0, 0, "messages"),
        "mean_time_to_respond": (148, None, 148, "minutes"),
        "median_time_to_respond": (148, None, 148, "minutes"),
        "p90_time_to_respond": (148, None, 148, "minutes"),
        # Both answers were in time by policy; nothing is overdue at the end of the year.
        "on_time_share": (1, None, 1, "share"),
        "surveys_completed": (2, 1, 1, "surveys"),
        "pages_working": (3, 3, 3, "pages"),
        "audience": (200, 160, 160, "people"),
        # 200 ÷ 160 in all; (130 + 45) ÷ (100 + 50) of the pages there were at both ends.
        "audience_growth_share": (growth, None, growth, "share"),
        "audience_like_for_like_growth_share": (like_for_like, None, like_for_like, "share"),
        "broadcasts_held": (1, 1, 1, "broadcasts"),
        "materials_published": (2, None, 2, "materials"),
    }


@pytest.mark.parametrize("metric", sorted(definitions()))
@pytest.mark.parametrize("of", [2021, 2022])
def test_a_figure_follows_from_the_rows_that_stand_behind_it(story: TestWarehouse, metric: str, of: int) -> None:
    shown = year(story, of) | {"incidents_answered": ({2021: 0, 2022: 2}[of],)}
    with psycopg.connect(story.settings.dsn("engineer")) as connection:
        figure = Figure(connection, definitions()[metric], Period("66", of))
        counted, row_count = figure.counted()
        rows = list(figure.rows())
    if metric in shown:
        assert (counted and round(counted, 6)) == shown[metric][0]
    # A message's incident has one row for each of its messages, and here each has one.
    assert len(rows) == row_count
    assert [row for row in rows if row["landed_path"] is None or row["row_number"] is None] == []


def test_the_year_before_has_what_began_by_then(story: TestWarehouse) -> None:
    before = year(story, 2021)
    assert "materials_published" not in before
    assert {metric: told[0] for metric, told in before.items()} == {
        "messages_processed": 1,
        "problems_resolved": 0,
        "mean_time_to_respond": None,
        "median_time_to_respond": None,
        "p90_time_to_respond": None,
        "on_time_share": None,
        "surveys_completed": 1,
        "pages_working": 3,
        "audience": 160,
        "audience_growth_share": None,
        "audience_like_for_like_growth_share": None,
        "broadcasts_held": 1,
    }


def test_a_region_tells_of_what_it_ever_had_and_of_no_year_that_has_not_begun(story: TestWarehouse) -> None:
    assert story.rows(
        "select year, metric, value, value_first_year from marts.mart_year_summary where region_code = '77' order by 1"
    ) == [(2021, "broadcasts_held", 1, 1), (2022, "broadcasts_held", 0, 1)]
    assert story.mart("mart_year_summary", region="01") == []
    assert year(story, 2023) == {}


def test_each_figure_of_the_year_is_its_metric(story: TestWarehouse) -> None:
    mart = story.rows("select year, region_code, metric, value from marts.mart_year_summary where year <= 2022")
    told = query(sorted({metric for _, _, metric, _ in mart}), "metric_time__year", "region")
    assert {
        (code, of, metric): told[period(date(of, 1, 1)), code][metric]
        for of, code, metric, _ in mart
        if (period(date(of, 1, 1)), code) in told
    } == {(code, of, metric): number(value) for of, code, metric, value in mart if (code, of) != ("77", 2022)}


def test_pages_can_be_asked_by_network_and_month(story: TestWarehouse) -> None:
    told = query(["pages_working", "audience"], "metric_time__month", "region", "audience_day__network")
    assert {network: told[period(date(2022, 12, 1)), "66", network] for network in ("vk", "ok")} == {
        "vk": {"pages_working": 2, "audience": 155},
        "ok": {"pages_working": 1, "audience": 45},
    }
    # The month before nothing was counted for weeks: the pages are known, their audience is not.
    assert told[period(date(2022, 11, 1)), "66", "vk"] == {"pages_working": 2, "audience": None}
