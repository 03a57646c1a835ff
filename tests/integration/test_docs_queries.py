"""Every query in the readers' pages runs as the role it is shown for, on real marts."""

import csv
import io
import re
from typing import NamedTuple

import psycopg
import pytest
from psycopg.types.json import Jsonb

from otklik.settings import PROJECT, Settings
from otklik.warehouse.query import csv_rows
from tests.fixtures.dbt import TestWarehouse, message


class Query(NamedTuple):
    """A query as a page shows it."""

    page: str
    sql: str
    role: str


QUERIES = [
    Query(page, sql, role)
    for page in ("analysts", "auditors", "engineers")
    for sql, role in re.findall(
        r'^otklik sql "(.+?)" --role (\w+)', (PROJECT / f"docs/{page}.md").read_text(encoding="utf-8"), re.M | re.S
    )
]


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Twelve answers of a day in 2022 after three hours, one long overdue; four of weeks before; one row refused."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    known = {
        "source": "sverdlovsk", "authority": "Дороги", "topic": "Снег", "channel": "vk", "municipality": "Реж",
        "status": "answered", "due_at": "2022-12-20 15:00",
    }  # fmt: skip
    answered = {"first_response_at": "2022-12-20 13:00"}
    rows = [message(str(1000001 + n), "2022-12-20 10:00", **known | answered) for n in range(12)]
    rows.append(message("1000020", "2022-12-20 10:00", **known | {"status": "assigned"}))
    for n, day in enumerate(("2022-11-22", "2022-11-29", "2022-12-06", "2022-12-13")):
        before = known | {"authority": "Водоканал", "topic": "Вода", "due_at": f"{day} 15:00"}
        rows.append(message(str(1000030 + n), f"{day} 10:00", first_response_at=f"{day} 13:00", **before))
    batch = warehouse.night("2022-12-31", rows, rejected=1)
    _refuse_a_row(warehouse.settings, batch)
    _fail_a_check(warehouse.settings)
    _publish(warehouse.settings)
    _erase(warehouse.settings)
    warehouse.dbt("build", "--selector", "night")
    return warehouse


def _refuse_a_row(settings: Settings, batch: int) -> None:
    reasons = [{"code": "missing", "column": "Статус", "value": None, "message": "Нет значения"}]
    with psycopg.connect(settings.dsn("loader")) as connection:
        connection.execute(
            "insert into raw.rejected_row (batch_id, row_number, reasons, original, shown_reasons, shown_row)"
            " values (%s, 15, %s, '{}', %s, '{}')",
            [batch, Jsonb(reasons), Jsonb(reasons)],
        )


def _fail_a_check(settings: Settings) -> None:
    with psycopg.connect(settings.dsn("publisher")) as connection:
        connection.execute(
            "insert into quality.check_run values (gen_random_uuid(), 'raw', null, now(), now(), true, 1, 0, 1)"
        )
        connection.execute(
            "insert into quality.check_result (run_id, expectation, severity, success, protects)"
            " select run_id, 'raw.incident: rows', 'warning', false, 'Данные есть.' from quality.check_run"
        )


def _publish(settings: Settings) -> None:
    """Note a build that was published, with a test that warned, the rows it counted, and a figure it showed."""
    with psycopg.connect(settings.dsn("publisher")) as connection:
        for statement in (
            "insert into quality.build values (gen_random_uuid(), now(), now(), true, true, 1, 0, 1, '0')",
            "insert into quality.publication (build_id, published) select build_id, true from quality.build",
            "insert into quality.dbt_result"
            " select build_id, 'a_topic_is_known', 'test', 'dim_topic', 'warn', 1, null, 0 from quality.build",
            "insert into quality.reconciliation select run_id, '66', 'sverdlovsk', 'incident', now(),"
            " 18, 1, 0, 17, 0, 17, 0, 0, 17, 17, 16, 1, 0 from quality.check_run",
            "insert into quality.figure select '66', 'year', '2022-01-01', 'region', '', 'mean_time_to_respond', 180,"
            " publication_id, null from quality.publication",
        ):
            connection.execute(statement)


def _erase(settings: Settings) -> None:
    """Note a night that erased what was too old, and a resident taken out of one file."""
    with psycopg.connect(settings.dsn("owner")) as connection:
        for statement in (
            "insert into quality.retention (kept_days, older_than, batches_through, message_count, answer_count,"
            " rejected_count, file_count) values (1825, now(), 1, 1, 0, 0, 0)",
            "insert into quality.erasure (version_count, rejected_count, file_count, row_count, otklik_version)"
            " values (1, 0, 1, 1, '0')",
            "insert into quality.erased_file (landed_path, sha256_before, sha256_after) values ('a.csv', '1', '2')",
        ):
            connection.execute(statement)


def answer(settings: Settings, query: Query) -> list[dict[str, str]]:
    text = b"".join(csv_rows(settings.dsn(query.role), query.sql)).decode()
    return list(csv.DictReader(io.StringIO(text)))


def starting(words: str) -> Query:
    (found,) = [query for query in QUERIES if words in " ".join(query.sql.split())]
    return found


def test_the_pages_hold_queries() -> None:
    assert {page: sum(query.page == page for query in QUERIES) for page in ("analysts", "auditors", "engineers")} == {
        "analysts": 11,
        "auditors": 19,
        "engineers": 2,
    }


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.page)
def test_a_shell_leaves_a_query_as_it_is(query: Query) -> None:
    assert not set("$`\\!") & set(query.sql)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.page}-{' '.join(query.sql.split())[:40]}")
def test_a_query_of_the_pages_runs_and_finds_something(story: TestWarehouse, query: Query) -> None:
    assert answer(story.settings, query)


def test_the_year_counted_from_incidents_is_the_year_on_the_screen(story: TestWarehouse) -> None:
    shown = answer(story.settings, starting("select year, metric, value"))
    [counted] = answer(story.settings, starting("extract(year from first_response_date)::integer as year"))
    on_screen = {row["metric"]: row["value"] for row in shown}
    assert counted["answered_count"] == "16"
    assert on_screen["mean_time_to_respond"] == counted["mean_time_to_respond"] == "180.000000"


def test_an_incident_leads_to_its_file_and_row(story: TestWarehouse) -> None:
    [version] = answer(story.settings, starting("incident.incident_id = '1000001'"))
    assert (version["message_id"], version["row_number"]) == ("1000001", "2")
    assert version["file_name"].startswith("2022-12-31-")


def test_who_waits_is_counted_at_the_moment_the_data_ends(story: TestWarehouse) -> None:
    [waiting] = answer(story.settings, starting("count(*) as unanswered_count"))
    assert (waiting["authority"], waiting["unanswered_count"], waiting["overdue_count"]) == ("Дороги", "1", "1")
    assert waiting["longest_wait"] == "11 days 14:00:00"


def test_a_ranking_gives_its_place_to_ten_answers(story: TestWarehouse) -> None:
    roads, water = answer(story.settings, starting("as place, authority"))
    assert (roads["place"], roads["answered_count"], roads["mean"]) == ("1", "12", "3\N{NO-BREAK SPACE}ч")
    assert (water["place"], water["authority"], water["mean"]) == ("", "Водоканал", "мало данных")


def test_an_unusual_day_is_shown_with_what_is_usual(story: TestWarehouse) -> None:
    [unusual] = answer(story.settings, starting("is_warning and day"))
    assert (unusual["topic"], unusual["message_count"], unusual["threshold"]) == ("Снег", "13", "3.0")
    assert unusual["counts_before"] == "{0,0,0,0}"


def test_what_changed_the_mean_is_shown_by_who_answered(story: TestWarehouse) -> None:
    changes = answer(story.settings, starting("from marts.mart_response_change"))
    assert {row["authority"]: row["answered_count"] for row in changes} == {"Дороги": "12", "Водоканал": "2"}
