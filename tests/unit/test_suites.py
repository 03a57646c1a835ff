"""The suites of expectations as an auditor reads them, without a database."""

import re
from typing import Any

import pytest
import yaml

from expectations.suite import SUITES, read_suite
from otklik.contracts.entities import ENTITIES
from otklik.settings import PROJECT
from otklik.warehouse.publish import SUITES as CHECKED

RAW, MARTS = read_suite(SUITES / "raw"), read_suite(SUITES / "marts")
CHECKS = [(table, check) for suite in (RAW, MARTS) for table, check in suite]


def public_marts() -> set[str]:
    """Every model of schema marts, as its files describe it."""
    files = (PROJECT / "dbt_project" / "models" / "marts").glob("_*__models.yml")
    models: list[dict[str, Any]] = [
        model for file in files for model in yaml.safe_load(file.read_text("utf-8"))["models"]
    ]
    return {f"marts.{model['name']}" for model in models if not model["name"].startswith("int_")}


def test_every_entity_of_raw_and_its_ledger_has_a_suite() -> None:
    tables = {table.table for table in RAW.tables}
    assert {f"raw.{name}" for name in ENTITIES} | {"raw.batch", "raw.rejected_row"} <= tables


def test_every_mart_that_people_read_has_a_suite() -> None:
    assert {table.table for table in MARTS.tables} == public_marts()


def test_a_file_is_called_as_its_table() -> None:
    assert [table.file for table in RAW.tables + MARTS.tables if table.file.stem != _name(table.table)] == []


def test_what_is_run_is_what_there_is() -> None:
    assert sorted(CHECKED) == sorted(place.name for place in SUITES.iterdir() if place.is_dir())


def test_every_check_says_in_russian_what_it_protects() -> None:
    silent = [
        f"{table.table}: {check.label}" for table, check in CHECKS if not re.match("[А-ЯЁ].*[.!]$", check.protects)
    ]
    assert silent == []


def test_a_check_is_named_once_in_its_table() -> None:
    names = [(table.table, check.label, tuple(check.columns)) for table, check in CHECKS]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.parametrize("suite", [RAW, MARTS], ids=lambda suite: suite.name)
def test_every_table_has_something_critical(suite: Any) -> None:
    harmless = [
        table.table for table in suite.tables if all(check.severity == "warning" for check in table.expectations)
    ]
    # A source that is silent, or has changed its fields, keeps no night back.
    assert harmless == (["quality.night", "quality.schema_change"] if suite is RAW else [])


def _name(table: str) -> str:
    return table.partition(".")[2]
