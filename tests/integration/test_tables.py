"""The tables as the code describes them are the tables that the migrations make."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, Table, create_engine, inspect, text

from otklik.settings import Settings
from otklik.warehouse.tables import metadata

SCHEMAS = ("raw", "quality")
TABLES = {str(table): table for table in metadata.sorted_tables}


@pytest.fixture(scope="module")
def owner(module_warehouse: Settings) -> Iterator[Connection]:
    # A schema on the search path would count as nameless, and its tables as others than those described.
    nowhere = {"options": "-c search_path=pg_catalog"}
    engine = create_engine(module_warehouse.sqlalchemy_url("owner"), connect_args=nowhere)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def differences(owner: Connection) -> list[Any]:
    """Return what would have to be changed: tables, columns, types, NULLs, defaults, indexes, keys, comments."""
    options = {
        "include_schemas": True,
        "version_table_schema": "raw",
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,
    }
    found: list[Any] = compare_metadata(MigrationContext.configure(owner, opts=options), metadata)
    return found


def test_the_migrations_make_what_the_code_describes(owner: Connection) -> None:
    assert differences(owner) == []


@pytest.mark.parametrize(
    "change",
    [
        "alter table raw.page alter name type varchar(10)",
        "alter table raw.page alter network drop not null",
        "alter table raw.page drop column url",
        "alter table raw.batch alter rows_deleted drop default",
        "drop index raw.page_by_key",
        "drop index raw.page_by_key; create index page_by_key on raw.page"
        " (page_id, updated_at, batch_id, row_number, valid_from, region_code)",
        "comment on table raw.page is 'Pages'",
        "comment on column raw.page.row_number is null",
        "create table quality.note (n integer)",
    ],
)
def test_a_table_made_otherwise_would_be_noticed(owner: Connection, change: str) -> None:
    with owner.begin_nested() as undone:
        owner.execute(text(change))
        assert differences(owner) != []
        undone.rollback()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_primary_keys_and_checks_are_those_described(owner: Connection, table: Table) -> None:
    found = inspect(owner).get_pk_constraint(table.name, table.schema)
    assert found["constrained_columns"] == [column.name for column in table.primary_key]
    constraints = [*table.constraints, *(each for column in table.columns for each in column.constraints)]
    described = [check for check in constraints if isinstance(check, CheckConstraint)]
    checks = {check["name"] for check in inspect(owner).get_check_constraints(table.name, table.schema)}
    assert len(checks) == len(described)
    assert {check.name for check in described if check.name} <= checks
