"""A suite: a YAML file of expectations by table, read and checked before anything runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import psycopg
import yaml
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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
        """The SQL that must return no rows, `{batch}` standing for the table."""
        return self.arguments.get("unexpected_rows_query")


class Suite(BaseModel):
    """Expectations by table, in the order of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path
    tables: dict[Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_0-9]+$")], list[Check]]

    @property
    def name(self) -> str:
        return self.file.stem

    def __iter__(self) -> Iterator[tuple[str, Check]]:  # type: ignore[override]
        """Yield every check with its table."""
        return ((table, check) for table, checks in self.tables.items() for check in checks)


def read_suite(file: Path) -> Suite:
    """Read a suite file.

    A check with `columns: [a, b]` stands for one check of each. Raises SuiteError.
    """
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in SUITES.glob("*.yml")))
        raise SuiteError(f"{file}: there is no such suite; there are: {known}")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        tables = {table: [one for check in checks for one in _each_column(check)] for table, checks in content.items()}
        return Suite(file=file, tables=tables)
    except yaml.YAMLError as error:
        raise SuiteError(f"{file}: not YAML: {error}") from None
    except ValidationError as error:
        problems = (f"{_place(content, item['loc'])}: {item['msg']}" for item in error.errors())
        raise SuiteError(f"{file}: " + "; ".join(problems)) from None
    except (AttributeError, TypeError):
        raise SuiteError(f"{file}: expected tables, and under each a list of expectations") from None


def check_against_database(suite: Suite, connection: psycopg.Connection[Any]) -> None:
    """Make sure that every table, column and query of the suite exists and may be read.

    Raises SuiteError naming all that do not. Queries are planned, not run.
    """
    problems = [
        f"{suite.file}: {table}: {check.label}: {problem}"
        for table, check in suite
        for problem in _problems(table, check, connection)
    ]
    if problems:
        raise SuiteError("\n".join(problems))


def _each_column(check: dict[str, Any]) -> list[dict[str, Any]]:
    if "columns" not in check:
        return [check]
    rest = {key: value for key, value in check.items() if key != "columns"}
    return [rest | {"column": column} for column in check["columns"]]


def _place(content: dict[str, Any], location: tuple[int | str, ...]) -> str:
    # ('tables', 'raw.incident', 3, 'severity') → the words a reader of the file would look for.
    _, table, *inside = (*location, "", "")[: max(len(location), 2)]
    if not inside:
        return str(table)
    number, *rest = inside
    checks = [one for check in content[table] for one in _each_column(check)]
    check = checks[int(number)]
    subject = check.get("name") or check.get("expect") or f"expectation {int(number) + 1}"
    column = f" on column {check['column']}" if "column" in check else ""
    return ": ".join([str(table), f"{subject}{column}", *map(str, rest)])


def _problems(table: str, check: Check, connection: psycopg.Connection[Any]) -> Iterator[str]:
    columns = _readable_columns(table, connection)
    if columns is None:
        yield f"there is no table {table} that {connection.info.user} may read"
        return
    for column in check.columns:
        if column not in columns:
            yield f"table {table} has no column '{column}'; it has {', '.join(columns)}"
    if check.query:
        try:
            with connection.transaction():
                connection.execute("explain " + check.query.format(batch=table))  # type: ignore[call-overload]
        except (psycopg.Error, KeyError, IndexError) as error:
            reason = getattr(getattr(error, "diag", None), "message_primary", None) or repr(error)
            yield f"the query cannot be run: {reason}"


def _readable_columns(table: str, connection: psycopg.Connection[Any]) -> list[str] | None:
    schema, name = table.split(".")
    rows = connection.execute(
        sql.SQL(
            "select attname from pg_attribute join pg_class on pg_class.oid = attrelid"
            " join pg_namespace on pg_namespace.oid = relnamespace"
            " where nspname = %s and relname = %s and attnum > 0 and not attisdropped"
            " and has_schema_privilege(nspname, 'usage') and has_table_privilege(attrelid, 'select') order by attnum"
        ),
        (schema, name),
    ).fetchall()
    return [row[0] for row in rows] or None
