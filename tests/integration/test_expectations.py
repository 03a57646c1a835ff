"""Suites of expectations on a real warehouse: what they catch, and that nothing personal is left behind."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from expectations.__main__ import parse, run
from expectations.suite import SUITES
from otklik import dbt
from otklik.settings import PROJECT, Settings
from tests.fixtures import survey_rows
from tests.fixtures.dbt import TestWarehouse, message

PHONE, NAME = "+7 912 345-67-89", "Пётр Выдуманный"
PERSONAL = {"author_id": "id77001", "author_name": NAME, "author_url": "https://example.org/p", "message_text": PHONE}


@pytest.fixture
def house(warehouse: Settings) -> TestWarehouse:
    """A warehouse with the region and one night of two messages, both of a known municipality."""
    house = TestWarehouse(warehouse)
    house.region()
    rows = [
        message("1", "2022-03-01 10:00", municipality="Реж", first_response_at="2022-03-01 12:00", status="answered"),
        message("2", "2022-03-01 11:00", municipality="Асбест", **PERSONAL),
    ]
    house.night("2022-03-01", rows)
    return house


def checked(place: Path, settings: Settings, *, beside: bool = False) -> int:
    """Run a suite on what people see, or on what is built beside it; the exit code."""
    return run(*parse([place], settings, beside=beside), settings)


def failures(house: TestWarehouse) -> list[tuple[Any, ...]]:
    """Return (expectation, column, severity, observed) of what failed in the latest run."""
    return house.rows(
        """
        select expectation, "column", severity, observed
        from quality.check_result
        inner join quality.check_run using (run_id)
        where not check_result.success
            and started_at = (select max(started_at) from quality.check_run)
        order by check_result_id
        """,
        role="auditor",
    )


def suite(folder: Path, table: str, checks: list[dict[str, Any]], **others: Any) -> Path:
    """Write a suite of one table whose every check is critical unless it says otherwise."""
    told = {"severity": "critical", "protects": "Проверка для теста."}
    file = folder / "scratch.yml"
    content = {"table": table, "expectations": [told | check for check in checks]} | others
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


def written() -> list[dict[str, Any]]:
    """The checks on `raw` as their files have them."""
    files = sorted((SUITES / "raw").glob("*.yml"))
    return [check for file in files for check in yaml.safe_load(file.read_text("utf-8"))["expectations"]]


def command(name: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "expectations", name]
    return subprocess.run(program, check=False, cwd=PROJECT, capture_output=True, text=True)


def test_sound_rows_pass_and_every_result_is_kept_with_what_it_protects(house: TestWarehouse) -> None:
    assert checked(SUITES / "raw", house.settings) == 0

    expected = sum(len(check.get("columns", ["one"])) for check in written())
    kept = house.row("select * from quality.check_run", role="auditor")
    assert (kept["suite"], kept["success"], kept["evaluated"]) == ("raw", True, expected)
    assert (kept["failed_critical"], kept["failed_warning"], kept["region_code"]) == (0, 0, None)
    assert house.rows("select count(*) from quality.check_result where success", role="auditor") == [(expected,)]
    assert house.rows(
        "select observed, protects from quality.check_result where \"column\" = 'message_id'", role="auditor"
    ) == [
        (
            "0 из 2 строк",
            "У каждого сообщения есть ключ и время поступления. Без них его нельзя ни посчитать, ни найти.",
        )
    ]


def test_an_empty_warehouse_is_a_critical_failure(warehouse: Settings) -> None:
    assert checked(SUITES / "raw", warehouse) == 1
    assert failures(TestWarehouse(warehouse)) == [("raw.incident: there_are_messages", None, "critical", "1")]


def test_rows_that_went_missing_after_the_load_are_caught_by_name(house: TestWarehouse) -> None:
    with psycopg.connect(house.settings.dsn("owner")) as connection:
        connection.execute("delete from raw.incident where message_id = '1'")
    assert checked(SUITES / "raw", house.settings) == 1
    assert failures(house) == [("raw.batch: loaded_rows_are_there", None, "critical", "1")]


def test_what_breaks_the_order_of_things_is_caught_by_name(house: TestWarehouse) -> None:
    rows = [
        message("3", "2022-03-02 10:00", municipality="Реж", status="lost"),
        message("4", "2022-03-02 10:00", municipality="Реж", first_response_at="2022-03-02 09:59"),
        message("5", "2022-03-02 10:00", municipality="Реж", updated_at="2022-03-03 00:01"),
    ]
    # The file had a fourth row, rejected; yet the row itself was not kept.
    house.night("2022-03-02", rows, rejected=1)
    assert checked(SUITES / "raw", house.settings) == 1
    assert failures(house) == [
        ("raw.batch: rejected_rows_are_there", None, "critical", "1"),
        ("raw.batch: rejected_share_is_small", None, "warning", "1"),
        ("raw.incident: ExpectColumnValuesToBeInSet", "status", "critical", "1 из 5 строк"),
        (
            "raw.incident: ExpectColumnPairValuesAToBeGreaterThanB",
            "first_response_at, received_at",
            "critical",
            "1 из 5 строк",
        ),
        ("raw.incident: updated_within_its_night", None, "critical", "1"),
    ]


def test_a_warning_does_not_stop_the_night(house: TestWarehouse) -> None:
    house.night("2022-03-02", [message(str(number), "2022-03-02 10:00") for number in range(3, 8)])
    assert checked(SUITES / "raw", house.settings) == 0
    # Five of seven messages lack a municipality; at most one in ten may.
    assert failures(house) == [
        ("raw.incident: ExpectColumnValuesToNotBeNull", "municipality", "warning", "5 из 7 строк")
    ]


def test_no_failing_value_is_left_anywhere(
    house: TestWarehouse, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    column = {"column": "author_name"}
    text = {"column": "message_text"}
    checks = [
        {"expect": "ExpectColumnValuesToBeInSet", **column, "value_set": ["nobody"]},
        {"expect": "ExpectColumnDistinctValuesToBeInSet", **column, "value_set": ["nobody"]},
        {"expect": "ExpectColumnMostCommonValueToBeInSet", **column, "value_set": ["nobody"]},
        {"expect": "ExpectColumnValueLengthsToBeBetween", **column, "max_value": 1},
        {"expect": "ExpectColumnValuesToMatchRegex", **text, "regex": "^never$"},
        {"expect": "ExpectColumnPairValuesToBeEqual", "column_A": "author_name", "column_B": "message_text"},
        {"expect": "ExpectCompoundColumnsToBeUnique", "column_list": ["author_name", "message_text"]},
        {
            "expect": "UnexpectedRowsExpectation",
            "name": "people",
            "unexpected_rows_query": "select author_name, message_text from {batch} where author_name is not null",
        },
        {
            "expect": "UnexpectedRowsExpectation",
            "name": "breaks_on_a_value",
            "unexpected_rows_query": "select 1 from {batch} where message_text::int > 0",
        },
    ]
    # The same person twice, so that the compound key is not unique either.
    house.night("2022-03-02", [message("3", "2022-03-02 11:00", **PERSONAL)])
    assert checked(suite(tmp_path, "raw.incident", checks), house.settings) == 1
    assert len(failures(house)) == len(checks)
    assert failures(house)[-1] == (
        "raw.incident: breaks_on_a_value",
        None,
        "critical",
        "The check itself broke: InvalidTextRepresentation",
    )

    kept = [path for path in house.settings.var.rglob("*") if path.suffix in (".html", ".json")]
    assert any("validations" in path.parts for path in kept), kept
    said = [path.read_text(encoding="utf-8") for path in kept]
    said += [*capfd.readouterr(), str(house.rows("select * from quality.check_result", role="auditor"))]
    for secret in (NAME, PHONE, house.settings.publisher_password):
        # JSON and HTML may write Russian letters as escapes.
        for form in (secret, secret.encode("unicode_escape").decode()):
            assert not any(form in one for one in said)


def test_earlier_runs_stay_within_reach(house: TestWarehouse) -> None:
    checked(SUITES / "raw", house.settings)
    checked(SUITES / "raw", house.settings)
    report = house.settings.var / "site" / "quality"
    runs = house.rows("select run_id from quality.check_run", role="auditor")
    page = (report / "index.html").read_text(encoding="utf-8")
    for (run_id,) in runs:
        found = sorted(
            path.relative_to(report).as_posix() for path in report.glob(f"docs/validations/*/*/{run_id}/*/*")
        )
        tables = sorted(".".join(address.split("/")[2:4]) for address in found)
        files = [yaml.safe_load(file.read_text("utf-8")) for file in (SUITES / "raw").glob("*.yml")]
        assert tables == sorted(file["table"] for file in files)
        assert all(f'href="{address}"' in page for address in found)
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("table", "check", "complaint"),
    [
        (
            "raw.incident",
            {"expect": "ExpectColumnValuesToNotBeNull", "column": "mesage_id"},
            "ExpectColumnValuesToNotBeNull: table raw.incident has no column 'mesage_id'; it has batch_id,",
        ),
        (
            "raw.incidents",
            {"expect": "ExpectColumnValuesToNotBeNull", "column": "message_id"},
            "there is no table raw.incidents that otklik_engineer may read",
        ),
        (
            "raw.batch",
            {
                "expect": "UnexpectedRowsExpectation",
                "name": "typo",
                "unexpected_rows_query": "select rows_red from {batch}",
            },
            'typo: the query cannot be run: column "rows_red" does not exist',
        ),
        (
            "raw.batch",
            {"expect": "ExpectMiracles"},
            "Great Expectations has no expectation called ExpectMiracles",
        ),
        (
            "raw.batch",
            {"expect": "ExpectColumnValuesToNotBeNull", "column": "source", "severity": "grave"},
            "ExpectColumnValuesToNotBeNull on column source: severity: Input should be 'critical'",
        ),
        (
            "raw.batch",
            {"expect": "ExpectColumnValuesToNotBeNull", "column": "source", "protects": ""},
            "ExpectColumnValuesToNotBeNull on column source: protects: String should have at least",
        ),
    ],
)
def test_a_suite_that_cannot_run_says_where_it_is_wrong(
    warehouse: Settings, tmp_path: Path, table: str, check: dict[str, Any], complaint: str
) -> None:
    file = suite(tmp_path, table, [check])
    ended = command(str(file))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{file}: {complaint}")
    assert TestWarehouse(warehouse).rows("select count(*) from quality.check_run", role="auditor") == [(0,)]


def test_a_word_that_a_suite_does_not_know_is_named(warehouse: Settings, tmp_path: Path) -> None:
    checks = [{"expect": "ExpectColumnValuesToNotBeNull", "column": "source"}]
    ended = command(str(suite(tmp_path, "raw.batch", checks, row="batch_id > 1")))
    assert (ended.returncode, ended.stderr.partition(".yml: ")[2]) == (2, "row: Extra inputs are not permitted\n")


def test_suites_are_read_without_running_them(warehouse: Settings) -> None:
    program = [sys.executable, "-m", "expectations", "raw", "--parse"]
    assert subprocess.run(program, check=False, cwd=PROJECT).returncode == 0
    assert TestWarehouse(warehouse).rows("select count(*) from quality.check_run", role="auditor") == [(0,)]


def test_an_unknown_suite_is_named_with_those_there_are(warehouse: Settings) -> None:
    ended = command("mart")
    assert ended.returncode == 2
    assert ended.stderr.strip().endswith("mart: there is no such suite; there are: marts, raw")


def test_a_warehouse_that_does_not_answer_may_be_tried_again(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTKLIK_DB_PORT", "1")
    ended = command("raw")
    assert ended.returncode == 3
    assert ended.stderr.startswith("The warehouse does not answer: ")


def test_marts_agree_with_raw_until_a_row_is_lost_on_the_way(house: TestWarehouse) -> None:
    assert {result.status for result in dbt.build(house.settings)} == {"success"}
    assert checked(SUITES / "marts", house.settings, beside=True) == 0

    # The next night is in raw before these marts are checked: not their fault.
    house.night("2022-03-02", [message("3", "2022-03-02 10:00", municipality="Реж")])
    assert checked(SUITES / "marts", house.settings, beside=True) == 0

    with psycopg.connect(house.settings.dsn("transformer")) as connection:
        connection.execute("delete from intermediate_next.int_message where message_id = '2'")
        connection.execute("update marts_next.mart_time_to_respond set answered_count = answered_count + 1")
    assert checked(SUITES / "marts", house.settings, beside=True) == 1
    assert [name for name, *_ in failures(house)] == [
        "marts.fct_incident: messages_of_incidents_add_up",
        "marts.fct_message: every_message_that_came_is_there",
        "marts.mart_time_to_respond: answered_incidents_add_up",
        "marts.mart_time_to_respond: the_histogram_holds_every_answer",
        "marts.mart_time_to_respond_month: a_month_is_the_sum_of_its_days",
        "marts.mart_topic_trend: topics_add_up_to_all_messages",
        "marts.mart_year_summary: messages_processed_agree_with_messages",
    ]


@pytest.mark.parametrize("is_whole", [True, False], ids=["all of history", "a night"])
def test_a_version_of_a_message_that_no_batch_brought_is_caught_by_name(house: TestWarehouse, is_whole: bool) -> None:
    assert {result.status for result in dbt.build(house.settings)} == {"success"}
    with psycopg.connect(house.settings.dsn("transformer")) as connection:
        connection.execute(
            "update intermediate_next.int_message set updated_at = updated_at + interval '1 minute' "
            "where message_id = '2'"
        )
    suites, side = parse([SUITES / "marts" / "fct_message.yml"], house.settings, beside=True)
    # A night that touched no message, and has one all the same.
    assert run(suites, replace(side, is_whole=is_whole), house.settings) == 1
    assert failures(house) == [("marts.fct_message: every_message_came_with_its_batch", None, "critical", "1")]


def test_what_says_it_came_with_a_night_that_did_not_touch_it_is_caught_by_name(house: TestWarehouse) -> None:
    survey_rows.load(
        house,
        "2022-03-01",
        responses=[survey_rows.response("park", 1, "2022-03-01 10:00")],
        answers=survey_rows.answers("park", 1, {"q1": "yes"}),
    )
    assert {result.status for result in dbt.build(house.settings)} == {"success"}
    narrowed = ("fct_incident", "fct_survey_answer", "fct_survey_response")
    suites, side = parse([SUITES / "marts" / f"{name}.yml" for name in narrowed], house.settings, beside=True)
    night = replace(side, is_whole=False)

    # What is built anew notes nothing as touched: a night notes all that came with it.
    with psycopg.connect(house.settings.dsn("transformer")) as connection:
        for entity, keys in (
            ("incident", "region_code, source, incident_id"),
            ("survey_response", "region_code, source, survey_id, response_id"),
        ):
            connection.execute(
                f"insert into intermediate_next.int_touched_{entity} select {keys} from intermediate_next.int_{entity}"  # noqa: S608
            )
    assert run(suites, night, house.settings) == 0

    with psycopg.connect(house.settings.dsn("transformer")) as connection:
        connection.execute("delete from intermediate_next.int_touched_incident where incident_id = '2'")
        connection.execute("delete from intermediate_next.int_touched_survey_response")
    assert run(suites, night, house.settings) == 1
    assert house.rows("select expectation, observed from quality.check_result where not success", role="auditor") == [
        (f"marts.{name}: what_came_is_of_the_night", "1") for name in narrowed
    ]
