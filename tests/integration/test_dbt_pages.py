"""What the marts say of pages and their audience in a small story, worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.metricflow import METRICS, query
from tests.fixtures.pages import (
    ARTI,
    CITY,
    COUNTED,
    FIRST_NIGHT,
    LAST_NIGHT,
    MARTS,
    PAGES,
    REGISTER,
    REZH,
    THIRD_NIGHT,
    days,
    page,
)


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two weeks of three towns' pages: four nights were counted; and a region that has no rows."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("01", "Адыгея", "Europe/Moscow")
    warehouse.load("authority", "2022-11-30", REGISTER)
    warehouse.load("page", "2022-11-30", PAGES)
    warehouse.load("page_snapshot", "2022-11-30", COUNTED)
    warehouse.load("page_snapshot", "2022-12-01", FIRST_NIGHT)
    warehouse.load("page_snapshot", "2022-12-03", THIRD_NIGHT)
    warehouse.load("page", "2022-12-03", [page("wrong-vk", "town", is_deleted=True)])
    warehouse.load("page_snapshot", "2022-12-12", LAST_NIGHT)
    warehouse.dbt("build", "--select", *(f"+{mart}" for mart in MARTS))
    return warehouse


def test_a_count_stands_for_seven_days_and_then_nothing_is_known(story: TestWarehouse) -> None:
    assert days(story, "town-vk") == {
        0: (100, 0, None),
        1: (110, 0, None),
        2: (110, 1, "not_asked"),
        3: (120, 0, None),
        **{day: (120, day - 3, "not_asked") for day in range(4, 11)},
        11: (None, None, "not_asked"),
        12: (None, None, "limit"),
    }


def test_a_page_that_could_not_be_read_has_its_last_count_and_the_reason(story: TestWarehouse) -> None:
    clinic = days(story, "clinic-vk")
    assert [clinic[day] for day in (0, 1, 2, 3)] == [
        (30, 0, None),
        (30, 1, "no_answer"),
        (30, 2, "not_asked"),
        (33, 0, None),
    ]


def test_a_page_with_never_a_count_is_unknown_from_its_first_day_and_never_0(story: TestWarehouse) -> None:
    found = days(story, "hospital-ok")
    assert list(found) == list(range(2, 13))
    assert {audience for audience, _, _ in found.values()} == {None}
    assert (found[2][2], found[3][2]) == ("not_asked", "closed")


def test_a_page_without_subscribers_has_0(story: TestWarehouse) -> None:
    assert days(story, "museum-vk")[3] == (0, 0, None)


def test_a_page_ends_on_the_day_it_closed_and_one_taken_from_the_register_never_was(story: TestWarehouse) -> None:
    assert list(days(story, "town-tg")) == [0, 1, 2, 3]
    assert days(story, "wrong-vk") == {}
    assert story.rows("select 1 from marts.dim_page where page_id = 'wrong-vk'") == []


def test_how_a_page_looked_belongs_to_the_day_it_was_seen(story: TestWarehouse) -> None:
    assert story.rows(
        "select day, counted_by, is_carried, has_avatar, has_cover, has_description, posts_7_days, reach_7_days"
        " from marts.fct_page_day where page_id = 'town-vk' and day in ('2022-12-01', '2022-12-03', '2022-12-04')"
        " order by day"
    ) == [
        (date(2022, 12, 1), "live", False, None, None, None, None, None),
        (date(2022, 12, 3), "live", False, True, False, None, 3, 60),
        (date(2022, 12, 4), None, True, None, None, None, None, None),
    ]


def test_a_page_that_changed_its_name_in_the_network_is_the_same_page(story: TestWarehouse) -> None:
    assert story.rows(
        "select external_id, valid_from, valid_to, is_current from marts.dim_page"
        " where page_id = 'museum-vk' order by valid_from nulls first"
    ) == [("zavod", None, date(2022, 12, 2), False), ("muzey", date(2022, 12, 3), None, True)]
    assert list(days(story, "museum-vk")) == list(range(13))


def test_the_audience_of_a_day_is_whose_it_was_and_named_as_it_was(story: TestWarehouse) -> None:
    def of(day: str) -> list[tuple[Any, ...]]:
        return story.rows(
            "select network, authority, pages_count, observed_count, carried_count, not_observed_count, audience_count"
            " from marts.mart_audience_daily where day = %s order by 1, 2",
            day,
        )

    assert of("2022-12-02") == [
        ("ok", "Больница", 1, 0, 0, 1, None),
        ("telegram", "Администрация Режа", 1, 0, 1, 0, 22),
        ("vk", "Администрация Режа", 1, 0, 1, 0, 110),
        ("vk", "Музей завода", 1, 0, 1, 0, 55),
        ("vk", "Поликлиника", 1, 0, 1, 0, 30),
    ]
    assert of("2022-12-04") == [
        ("ok", "Больница", 1, 0, 0, 1, None),
        ("vk", "Администрация Режа", 1, 0, 1, 0, 120),
        # The merged clinic's page and its own new one.
        ("vk", "Больница", 2, 0, 2, 0, 73),
        ("vk", "Краеведческий музей", 1, 0, 1, 0, 0),
    ]


def growth(story: TestWarehouse, day: str, period: int, network: str = "all") -> dict[str, Any]:
    return story.row(
        "select * from marts.mart_audience_growth where day = %s and period_days = %s and network = %s",
        day,
        period,
        network,
    )


def test_growth_is_told_like_for_like_and_by_what_opened(story: TestWarehouse) -> None:
    third = growth(story, "2022-12-03", 1)
    assert (third["audience_now"], third["audience_then"], third["growth_count"]) == (215, 217, -2)
    assert third["growth_share"] == Decimal("-0.009217")
    assert (third["like_for_like_pages_count"], third["like_for_like_now"], third["like_for_like_then"]) == (
        4,
        175,
        217,
    )
    assert third["like_for_like_growth_share"] == Decimal("-0.193548")
    assert (third["new_pages_count"], third["new_pages_audience"]) == (1, 40)
    assert growth(story, "2022-12-03", 1, "vk")["growth_count"] == 193 - 195


def test_growth_is_told_by_what_closed_and_by_what_is_no_longer_known(story: TestWarehouse) -> None:
    fourth, last = growth(story, "2022-12-04", 1), growth(story, "2022-12-12", 7)
    assert (fourth["growth_count"], fourth["closed_pages_count"], fourth["closed_pages_audience"]) == (-22, 1, 22)
    assert (last["growth_count"], last["like_for_like_growth_count"], last["no_longer_known_audience"]) == (
        -97,
        63,
        160,
    )


def test_growth_from_or_to_the_unknown_is_unknown(story: TestWarehouse) -> None:
    last, never = growth(story, "2022-12-12", 1), growth(story, "2022-12-03", 1, "ok")
    assert (last["audience_now"], last["audience_then"], last["growth_count"]) == (96, None, None)
    assert last["newly_known_audience"] == 96
    assert (never["audience_now"], never["growth_count"], never["growth_share"]) == (None, None, None)


def test_a_day_without_the_day_a_period_before_is_not_compared(story: TestWarehouse) -> None:
    assert story.rows("select period_days, min(day) from marts.mart_audience_growth group by 1 order by 1") == [
        (1, date(2022, 12, 1)),
        (7, date(2022, 12, 7)),
    ]


def test_who_lacks_a_mandatory_page_and_since_when(story: TestWarehouse) -> None:
    found = story.rows(
        "select authority_id, network, page_id, pages_count, lacking_since"
        " from marts.mart_page_compliance order by 1, 2"
    )
    assert found == [
        ("hospital", "ok", "hospital-ok", 1, None),
        ("hospital", "vk", "late-vk", 2, None),
        ("ministry", "ok", None, 0, date(2022, 12, 5)),
        ("ministry", "vk", None, 0, date(2022, 12, 5)),
        ("museum", "ok", None, 0, date(2022, 12, 2)),
        ("museum", "vk", "museum-vk", 1, None),
        ("town", "ok", None, 0, date(2022, 12, 1)),
        ("town", "vk", "town-vk", 1, None),
    ]


def test_the_share_of_mandatory_pages_is_a_metric_in_whole_and_by_network(story: TestWarehouse) -> None:
    names = ("mandatory_pages_due", "mandatory_pages_open", "mandatory_page_share")
    told = query(names, "region") | query(names, "region", "page_duty__network")
    assert {key: tuple(figures[name] for name in names) for key, figures in told.items()} == {
        ("66",): (8, 4, 0.5),
        ("66", "ok"): (4, 1, 0.25),
        ("66", "vk"): (4, 3, 0.75),
    }
    own = METRICS["mandatory_page_share"]["config"]["meta"]["sql"]["mart_page_compliance"]
    assert story.rows(f"select {own} from marts.mart_page_compliance") == [(Decimal("0.5"),)]  # noqa: S608


def test_coverage_is_a_share_of_residents_where_they_are_known(story: TestWarehouse) -> None:
    found = story.rows(
        "select day, municipality_code, pages_count, audience_count, residents, coverage_share"
        " from marts.mart_audience_coverage where pages_count > 0 order by day, municipality_code"
    )
    november, latest = date(2022, 11, 30), date(2022, 12, 12)
    assert found == [
        (november, CITY, 2, 57, 1377738, Decimal("0.000041")),
        (november, ARTI, 1, 30, None, None),
        (november, REZH, 2, 120, 38709, Decimal("0.003100")),
        (latest, CITY, 1, 60, 1377738, Decimal("0.000044")),
        (latest, ARTI, 3, 36, None, None),
        (latest, REZH, 1, None, 38709, None),
    ]
    assert story.rows("select day, count(*) from marts.mart_audience_coverage group by 1 order by 1") == [
        (november, 94),
        (latest, 94),
    ]


def test_the_health_of_a_page_is_scored_by_what_is_known(story: TestWarehouse) -> None:
    found = story.rows(
        "select page_id, day, authority, reach_share, has_enough_posts, passed_count, known_count, score"
        " from marts.mart_page_health order by page_id"
    )
    assert found == [
        ("clinic-vk", None, "Больница", None, None, 0, 0, None),
        ("hospital-ok", None, "Больница", None, None, 0, 0, None),
        ("late-vk", None, "Больница", None, None, 0, 0, None),
        ("museum-vk", date(2022, 12, 12), "Краеведческий музей", Decimal("0.5"), False, 4, 5, Decimal("0.8")),
        # Nothing more was told of it on the last night.
        ("town-vk", date(2022, 12, 3), "Администрация Режа", Decimal("0.5"), True, 2, 3, Decimal("0.666667")),
    ]


@pytest.mark.parametrize("mart", MARTS)
def test_a_region_without_rows_is_nowhere(story: TestWarehouse, mart: str) -> None:
    assert story.mart(mart, region="01") == []


@pytest.mark.parametrize("role", ["reader", "analyst", "auditor"])
def test_what_is_behind_the_pages_marts_is_closed_to_who_reads_them(story: TestWarehouse, role: str) -> None:
    assert story.rows("select 1 from marts.fct_page_day limit 1", role=role) == [(1,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        story.rows("select 1 from intermediate.int_page_day", role=role)
