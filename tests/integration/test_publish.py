"""A night is built beside what people see, checked, and published; one that fails leaves the night before in place."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from otklik import dbt
from otklik.checks import ChecksError, check_build
from otklik.settings import Settings
from otklik.warehouse.builds import Plan, plan
from otklik.warehouse.publish import PublishError, publish
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.dbt import TestWarehouse, message


@pytest.fixture(scope="module")
def nights(cluster: Settings) -> Iterator[TestWarehouse]:
    """A warehouse whose nights the tests of this module live through, one after the other."""
    with fresh_warehouse(cluster) as settings:
        house = TestWarehouse(settings)
        house.region()
        yield house


def build(house: TestWarehouse, *, full_refresh: bool = False) -> None:
    results = dbt.build(house.settings, full_refresh=full_refresh)
    assert {result.status for result in results} == {"success"}


def spoil(house: TestWarehouse, statement: str) -> None:
    """Change what is being built behind everybody's back."""
    with psycopg.connect(house.settings.dsn("transformer")) as connection:
        connection.execute(statement)


def messages_seen(house: TestWarehouse) -> int:
    return int(house.rows("select count(*) from marts.fct_message")[0][0])


def last_night(house: TestWarehouse) -> tuple[Any, ...]:
    """What the dashboard's first line stands on: day shown, checked, failed, and what became of the last night."""
    [row] = house.rows(
        "select as_of_local::date::text, checks_passed, checks_failed, last_night_published, last_night_refusal"
        " from marts.mart_as_of"
    )
    return row


def figures(house: TestWarehouse, metric: str) -> list[tuple[Any, ...]]:
    """(value, since, until) of a figure of the year 2022, by the numbers of the publications."""
    return house.rows(
        "select value::integer, since, until from quality.figure"
        " where metric = %s and period_kind = 'year' and period_start = '2022-01-01' order by since",
        metric,
        role="auditor",
    )


def decisions(house: TestWarehouse) -> list[tuple[Any, ...]]:
    return house.rows("select published, reason from quality.publication order by publication_id", role="auditor")


def test_nothing_is_published_before_anything_is_built(nights: TestWarehouse) -> None:
    with pytest.raises(PublishError, match="Nothing has been built yet"):
        publish(nights.settings)


def test_a_build_is_not_seen_until_it_is_checked_and_published(nights: TestWarehouse) -> None:
    nights.night("2022-03-01", [message(str(n), "2022-03-01 10:00", municipality="Реж") for n in range(3)])
    build(nights)
    with pytest.raises(psycopg.errors.UndefinedTable):
        messages_seen(nights)
    with pytest.raises(PublishError, match="не проведены проверки: raw, marts, reconciliation"):
        publish(nights.settings)

    check_build(nights.settings)
    assert publish(nights.settings).endswith("is what people see now, with all batches through 1")
    assert messages_seen(nights) == 3
    assert last_night(nights) == ("2022-03-02", True, 0, True, None)


def test_every_figure_that_was_shown_is_kept_with_when_it_was(nights: TestWarehouse) -> None:
    assert figures(nights, "messages_processed") == [(3, 2, None)]


def test_publishing_again_changes_nothing(nights: TestWarehouse) -> None:
    assert publish(nights.settings).endswith("is what people see already")
    assert messages_seen(nights) == 3
    assert decisions(nights) == [(False, "не проведены проверки: raw, marts, reconciliation"), (True, None)]


def test_what_words_numbers_still_does_when_its_schema_has_another_name(nights: TestWarehouse) -> None:
    written = nights.rows("select marts.duration_label(148), marts.number_label(54548), marts.share_label(0.976)")
    assert written == [("2\u00a0ч\u00a028\u00a0мин", "54\u00a0548", "97,6\u00a0%")]
    assert nights.rows("select round(marts.histogram_percentile('-1000:1', 0.5))") == [(0,)]


def test_who_builds_does_not_reach_what_people_see_nor_people_what_is_built(nights: TestWarehouse) -> None:
    for role, table in [("transformer", "marts.fct_message"), ("transformer", "intermediate.int_message")]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            nights.rows(f"select count(*) from {table}", role=role)  # noqa: S608 - names of ours
    for role in ("reader", "analyst", "auditor"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            nights.rows("select count(*) from marts_next.int_message", role=role)
    for role in ("loader", "reader", "analyst", "auditor", "engineer", "transformer"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            nights.rows("alter schema marts rename to stolen", role=role)


def test_rows_lost_on_the_way_are_named_and_people_see_the_night_before(nights: TestWarehouse) -> None:
    nights.night("2022-03-02", [message(str(n), "2022-03-02 10:00", municipality="Реж") for n in range(3, 6)])
    build(nights)
    spoil(nights, "delete from intermediate_next.int_message where message_id = '4'")
    with pytest.raises(ChecksError):
        check_build(nights.settings)
    failed = nights.rows(
        "select expectation from quality.check_result where not success and severity = 'critical' order by 1",
        role="auditor",
    )
    assert [name for (name,) in failed] == [
        "marts.fct_incident: messages_of_incidents_add_up",
        "marts.fct_message: every_message_that_came_is_there",
        "marts.mart_topic_trend: topics_add_up_to_all_messages",
        "marts.mart_year_summary: messages_processed_agree_with_messages",
        "raw.incident: every_row_is_accounted_for",
    ]

    with pytest.raises(PublishError, match="не пройдены критические проверки: 5"):
        publish(nights.settings)
    assert messages_seen(nights) == 3
    assert last_night(nights) == ("2022-03-02", True, 0, False, "не пройдены критические проверки: 5")


def test_a_build_that_broke_off_is_not_published(nights: TestWarehouse) -> None:
    # The note of what was built is written last, so it tells of the build before.
    [(build_id,)] = nights.rows("select build_id from intermediate_next.int_build", role="engineer")
    note = "update intermediate_next.int_build set build_id = "
    spoil(nights, f"{note} gen_random_uuid()")
    with pytest.raises(PublishError, match="расчёт не завершён"):
        publish(nights.settings)
    spoil(nights, f"{note} '{build_id}'")
    assert messages_seen(nights) == 3


def test_the_next_good_night_brings_what_the_bad_one_could_not(nights: TestWarehouse) -> None:
    nights.night("2022-03-03", [message("4", "2022-03-02 10:00", municipality="Реж", status="registered")])
    build(nights)
    check_build(nights.settings)
    publish(nights.settings)
    assert messages_seen(nights) == 6
    assert last_night(nights) == ("2022-03-04", True, 0, True, None)
    # Two nights were refused in between; what did not change is kept once.
    assert figures(nights, "messages_processed") == [(3, 2, 5), (6, 5, None)]
    assert figures(nights, "surveys_completed") == []


def test_a_build_that_holds_less_than_people_see_is_refused(nights: TestWarehouse) -> None:
    nights.night("2022-03-04", [message("9", "2022-03-04 10:00", municipality="Реж")])
    build(nights)
    check_build(nights.settings)
    with psycopg.connect(nights.settings.dsn("owner")) as connection:
        connection.execute(
            "update quality.build set batches_through = 1"
            " where finished_at = (select max(finished_at) from quality.build)"
        )
    with pytest.raises(PublishError, match="в расчёте данные по загрузку 1, а показаны уже по загрузку 3"):
        publish(nights.settings)
    assert messages_seen(nights) == 6


def test_a_rebuild_of_history_is_followed_by_the_other_side(nights: TestWarehouse) -> None:
    def next_plan(*, full_refresh: bool = False) -> Plan:
        with psycopg.connect(nights.settings.dsn("publisher")) as connection:
            return plan(connection, full_refresh=full_refresh)

    generations = nights.rows(
        "select generation, is_full_refresh from quality.build order by finished_at", role="auditor"
    )
    # Each side once, then both go on.
    assert generations == [(1, True), (1, True), (1, False), (1, False)]
    assert next_plan() == Plan(1, is_full_refresh=False)
    assert next_plan(full_refresh=True) == Plan(2, is_full_refresh=True)
