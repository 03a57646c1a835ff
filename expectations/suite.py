"""A suite: a folder of YAML files, one for each table, read and checked before anything runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from expectations.side import Side

SUITES = Path(__file__).parent / "suites"

# Arguments of expectations that name columns.
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")


class SuiteError(Exception):
    """A suite that cannot be run as written; names its file, the expectation and the column."""


class Check(BaseModel):
    """One expectation on one table. What is not a field here is an argument of Great Expectations' own class."""

    model_config = ConfigDict(extra="allow", frozen=True)

    expect: str
    name: str | None = None
    severity: Literal["critical", "warning"]
    protects: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _query_has_a_name(self) -> "Check":
        if self.query and not self.name:
            raise ValueError("an expectation with a query needs a name")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of Great Expectations' class."""
        return dict(self.model_extra or {})

    @property
    def label(self) -> str:
        """How results and errors call the expectation."""
        return self.name or self.expect

    @property
    def columns(self) -> list[str]:
        """The columns it looks at; none for whole-table and query expectations."""
        named = [self.arguments[key] for key in _COLUMN_ARGUMENTS if key in self.arguments]
        return [column for value in named for column in ([value] if isinstance(value, str) else value)]

    @property
    def query(self) -> str | None:
        """The SQL that must return no rows, `{batch}` standing for the rows that are checked."""
        return self.arguments.get("unexpected_rows_query")


class Table(BaseModel):
    """What must hold of a table: of the rows of the night for which the SQL condition `rows` is true, else of all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path
    table: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_0-9]+$")]
    rows: str | None = None
    expectations: list[Check]


class Suite(BaseModel):
    """Tables in the order of their files."""

    model_config = ConfigDict(frozen=True)

    name: str
    tables: list[Table]

    def __iter__(self) -> Iterator[tuple[Table, Check]]:  # type: ignore[override]
        """Yield every check with its table."""
        return ((table, check) for table in self.tables for check in table.expectations)

    def in_parts(self, tables: int) -> list["Suite"]:
        """Return the suite in parts of at most so many tables, in their order."""
        starts = range(0, len(self.tables), tables)
        return [self.model_copy(update={"tables": self.tables[start : start + tables]}) for start in starts]


def read_suite(place: Path) -> Suite:
    """Read a suite: a folder of files, or one file alone.

    A check with `columns: [a, b]` stands for one check of each. Raises SuiteError naming all that is wrong.
    """
    files = sorted(place.glob("*.yml")) if place.is_dir() else [place]
    if not files or not files[0].exists():
        known = ", ".join(sorted(path.name for path in SUITES.iterdir() if path.is_dir()))
        raise SuiteError(f"{place}: there is no such suite; there are: {known}")
    return Suite(name=place.stem, tables=[_read_table(file) for file in files])


def check_against_database(suite: Suite, side: Side, connection: psycopg.Connection[Any]) -> None:
    """Make sure that every table, column and query of the suite exists on that side and may be read.

    Raises SuiteError naming all that do not. Queries are planned, not run.
    """
    problems = [f"{table.file}: {problem}" for table in suite.tables for problem in _problems(table, side, connection)]
    if problems:
        raise SuiteError("\n".join(problems))


def rows_checked(table: Table, side: Side) -> str:
    """Return the query for the rows of a table that are checked."""
    return side.rows(table.table, table.rows)


def unexpected_rows(table: Table, check: Check, side: Side) -> str:
    """Return the query of a check with the numbers of the batches and the rows that are checked in their places."""
    return side.fill(check.query or "").replace("{batch}", f"({rows_checked(table, side)})")


def _read_table(file: Path) -> Table:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        checks = [one for check in content["expectations"] for one in _each_column(check)]
        return Table(**content | {"file": file, "expectations": checks})
    except yaml.YAMLError as error:
        raise SuiteError(f"{file}: not YAML: {error}") from None
    except ValidationError as error:
        problems = (f"{_place(checks, item['loc'])}: {item['msg']}" for item in error.errors())
        raise SuiteError(f"{file}: " + "; ".join(problems)) from None
    except (AttributeError, KeyError, TypeError):
        raise SuiteError(f"{file}: expected `table`, and under `expectations` a list of them") from None


def _each_column(check: dict[str, Any]) -> list[dict[str, Any]]:
    if "columns" not in check:
        return [check]
    rest = {key: value for key, value in check.items() if key != "columns"}
    return [rest | {"column": column} for column in check["columns"]]


def _place(checks: list[dict[str, Any]], location: tuple[int | str, ...]) -> str:
    # ('expectations', 3, 'severity') → the words a reader of the file would look for.
    match location:
        case ("expectations", int(number), *rest):
            check = checks[number]
            subject = check.get("name") or check.get("expect") or f"expectation {number + 1}"
            column = f" on column {check['column']}" if "column" in check else ""
            return ": ".join([f"{subject}{column}", *map(str, rest)])
    return ": ".join(map(str, location))


def _problems(table: Table, side: Side, connection: psycopg.Connection[Any]) -> Iterator[str]:
    place = side.table(table.table)
    columns = _readable_columns(place, connection)
    if columns is None:
        yield f"there is no table {place} that {connection.info.user} may read"
        return
    if table.rows and (reason := _cannot_be_run(rows_checked(table, side), connection)):
        yield f"rows: the condition cannot be used: {reason}"
        return
    for check in table.expectations:
        for column in check.columns:
            if column not in columns:
                yield f"{check.label}: table {table.table} has no column '{column}'; it has {', '.join(columns)}"
        if check.query and (reason := _cannot_be_run(unexpected_rows(table, check, side), connection)):
            yield f"{check.label}: the query cannot be run: {reason}"


def _cannot_be_run(query: str, connection: psycopg.Connection[Any]) -> str | None:
    # Planned, not run.
    try:
        with connection.transaction():
            connection.execute("explain " + query)  # type: ignore[call-overload]
    except psycopg.Error as error:
        return error.diag.message_primary or repr(error)
    return None


def _readable_columns(table: str, connection: psycopg.Connection[Any]) -> list[str] | None:
    rows = connection.execute(
        "select attname from pg_attribute join pg_class on pg_class.oid = attrelid"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " where nspname = %s and relname = %s and attnum > 0 and not attisdropped"
        " and has_schema_privilege(nspname, 'usage') and has_table_privilege(attrelid, 'select') order by attnum",
        table.split("."),
    ).fetchall()
    return [row[0] for row in rows] or None
