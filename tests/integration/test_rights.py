"""What each role of the database may do, table by table: everything else is tried and refused."""

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg import sql

from otklik import dbt
from otklik.checks import check_build
from otklik.contracts.entities import ENTITIES
from otklik.contracts.incident import PERSONAL
from otklik.settings import DATABASE_ROLES, Settings
from otklik.warehouse.publish import publish
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.dbt import TestWarehouse, message

VERBS = {
    "select": "select from {table} limit 0",
    "insert": "insert into {table} default values",
    "update": "update {table} set {column} = {column} where false",
    "delete": "delete from {table} where false",
    "truncate": "truncate {table}",
}
READ, ADD, KEEP = {"select"}, {"select", "insert"}, {"select", "insert", "update"}
EVERYTHING = set(VERBS)

# Written by the load, by the checks and the publishing, and for people to read.
LOADED = {f"raw.{name}" for name in (*ENTITIES, "rejected_row")}
LEDGERS = {"raw.batch", "raw.region"}
# Of whom nothing is stored, which files do not come again, and by which keys authors are hashed.
KNOWN_TO_THE_LOAD = {
    "raw.erased_author": READ,
    "quality.retired_file": READ,
    "quality.erased_file": ADD,
    "quality.author_key": ADD,
}
FOUND = {f"quality.{name}" for name in ("build", "publication", "check_run", "check_result", "reconciliation")} | {
    "quality.dbt_result",
    "quality.freshness",
}
FIGURES = {
    f"marts{side}.{name}" for side in ("", "_next") for name in ("mart_year_summary", "mart_time_to_respond_month")
}
SHAPES = {"quality.source_field", "quality.schema_change", "quality.night"}
SHOWN = {"quality.batch", "quality.rejected_row"}
NOTES = {f"intermediate{side}.{name}" for side in ("", "_next") for name in ("int_build", "int_batch_window")}


def expected(role: str, table: str) -> set[str]:  # noqa: PLR0911 - a line for each thing a role may do
    """What a role may do with a table, by hand: nothing unless it is said here."""
    schema, _, name = table.partition(".")
    quality = READ if schema == "quality" else set()
    match role:
        case "loader":
            if table in KNOWN_TO_THE_LOAD:
                return KNOWN_TO_THE_LOAD[table]
            kept = KEEP if table in LEDGERS or table in ("quality.source_field", "quality.night") else set()
            return kept or (ADD if table in LOADED or name == "schema_change" else set())
        case "transformer":
            if schema in ("staging", "reference", "intermediate_next", "marts_next"):
                return EVERYTHING
            told = table in FOUND | SHAPES | {"quality.figure"} or schema == "raw"
            return READ if told and table not in ("raw.erased_author", "raw.rejected_row") else set()
        case "publisher":
            kept = KEEP if table == "quality.figure" else ADD if table in FOUND | {"quality.told"} else set()
            return kept or (READ if table in SHAPES | NOTES | FIGURES else set())
        case "reader":
            return READ if schema == "marts" else set()
        case "analyst" | "auditor":
            return READ if schema == "marts" else quality
        case "engineer":
            return READ
    raise AssertionError(role)


@pytest.fixture(scope="module")
def published(cluster: Settings) -> Iterator[TestWarehouse]:
    """A warehouse with one night that people see, and a second one being built."""
    with fresh_warehouse(cluster) as settings:
        house = TestWarehouse(settings)
        house.region()
        house.night("2022-03-01", [message("1", "2022-03-01 10:00", municipality="Реж")])
        dbt.build(settings)
        check_build(settings)
        publish(settings)
        dbt.build(settings)
        yield house


def tables(house: TestWarehouse) -> dict[str, tuple[str, str]]:
    """Every table and view of ours -> its kind and a column of it."""
    rows = house.rows(
        """
        select nspname || '.' || relname, relkind::text, min(attname)
        from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and attidentity = '' and not attisdropped
        where relkind in ('r', 'v') and nspname !~ '^(pg_|information_schema)' and relname <> 'alembic_version'
        group by 1, 2
        """,
        role="engineer",
    )
    return {name: (kind, column) for name, kind, column in rows}


def may(connection: psycopg.Connection, verb: str, table: str, column: str) -> bool:
    """Whether the statement is let through; what it would have done is taken back."""
    place = sql.Identifier(*table.split("."))
    statement = sql.SQL(VERBS[verb]).format(table=place, column=sql.Identifier(column))
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.errors.IntegrityError:
        # Let through, and then stopped by what a row has to be.
        return True
    return True


@pytest.mark.parametrize("role", [role for role in DATABASE_ROLES if role != "owner"])
def test_a_role_may_do_what_its_work_needs_and_nothing_else(published: TestWarehouse, role: str) -> None:
    wrong = []
    with psycopg.connect(published.settings.dsn(role), autocommit=True) as connection:
        for table, (kind, column) in tables(published).items():
            for verb in VERBS if kind == "r" else ("select",):
                found = may(connection, verb, table, column)
                if found != (verb in expected(role, table)):
                    wrong.append(f"{'may' if found else 'may not'} {verb} {table}")
    assert wrong == []


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("raw.incident", (*sorted(PERSONAL), "masked_text")),
        ("raw.survey_answer", ("text", "masked_text")),
    ],
)
def test_the_models_read_nothing_that_a_resident_said(
    published: TestWarehouse, table: str, columns: tuple[str, ...]
) -> None:
    with psycopg.connect(published.settings.dsn("transformer"), autocommit=True) as connection:
        for column in columns:
            query = sql.SQL("select {} from {}").format(sql.Identifier(column), sql.Identifier(*table.split(".")))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)


def test_every_schema_was_looked_at(published: TestWarehouse) -> None:
    assert {table.partition(".")[0] for table in tables(published)} == {
        "raw",
        "quality",
        "reference",
        "staging",
        "intermediate",
        "intermediate_next",
        "marts",
        "marts_next",
    }


@pytest.mark.parametrize(
    ("maker", "schema"),
    [("owner", "raw"), ("owner", "quality"), ("transformer", "marts_next"), ("transformer", "staging")],
)
def test_a_new_table_is_closed_until_it_is_granted(published: TestWarehouse, maker: str, schema: str) -> None:
    table = f"{schema}.brought_later"
    with psycopg.connect(published.settings.dsn(maker), autocommit=True) as making:
        making.execute(sql.SQL("create table {} (n integer)").format(sql.Identifier(*table.split("."))))
        try:
            open_to = []
            for role in set(DATABASE_ROLES) - {maker, "owner"}:
                with psycopg.connect(published.settings.dsn(role), autocommit=True) as connection:
                    open_to += [f"{role}: {verb}" for verb in VERBS if may(connection, verb, table, "n")]
            assert open_to == []
        finally:
            making.execute(sql.SQL("drop table {}").format(sql.Identifier(*table.split("."))))


@pytest.mark.parametrize("role", ["loader", "transformer", "reader", "analyst", "auditor", "engineer"])
def test_nobody_but_the_publisher_lets_people_see_anything(published: TestWarehouse, role: str) -> None:
    with psycopg.connect(published.settings.dsn(role), autocommit=True) as connection:
        for statement in ("alter schema marts_next rename to marts_shown", "drop schema marts cascade"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        # Who may not hand a right on is only warned.
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("grant usage on schema marts_next to otklik_reader")
    asked = "select has_schema_privilege('otklik_reader', 'marts_next', 'usage')"
    assert published.rows(asked, role="engineer") == [(False,)]
