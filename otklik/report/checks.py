"""What the checks of the night said of the tables that a number was made of."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from otklik.settings import PROJECT
from otklik.warehouse.publish import RECONCILIATION, SUITES

_MODELS = PROJECT / "dbt_project" / "models"
_READ = re.compile(r"(?:ref\('|source\('raw', *')(\w+)'\)")
# They tell which rows a night looks at again, and no number.
_BOOKKEEPING = ("int_touched_", "int_batch_window")


@dataclass(frozen=True)
class Check:
    """One check of the night: of which table, what it guards (in Russian), and what it found."""

    table: str
    name: str
    severity: str
    success: bool
    observed: str | None
    protects: str

    def __str__(self) -> str:
        found = f"; найдено: {self.observed}" if self.observed else ""
        return f"«{self.protects}» ({self.table}: {self.name}{found})"


@dataclass(frozen=True)
class Verdict:
    """The checks behind a number; `were_run` is False where the night was published without them."""

    checks: tuple[Check, ...]
    were_run: bool

    @property
    def failed(self) -> list[Check]:
        """Critical checks that failed: the number cannot be told."""
        return [check for check in self.checks if not check.success and check.severity == "critical"]

    @property
    def warned(self) -> list[Check]:
        """The others that failed: they are told beside the number."""
        return [check for check in self.checks if not check.success and check.severity != "critical"]

    @property
    def holds(self) -> bool:
        """Whether the number may be told."""
        return self.were_run and not self.failed


class Checks:
    """The latest run of every suite on the build that people see."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        build = published(connection)
        runs = dict(
            connection.execute(
                "select distinct on (suite) suite, run_id from quality.check_run where build_id = %s"
                " order by suite, finished_at desc",
                [build and build[1]],
            ).fetchall()
        )
        self._were_run = runs.keys() >= {*SUITES, RECONCILIATION}
        with connection.cursor(row_factory=class_row(Check)) as cursor:
            self._checks = cursor.execute(
                "select split_part(expectation, ': ', 1) as table,"
                " concat_ws(', ', split_part(expectation, ': ', 2), \"column\") as name,"
                " severity, success, observed, protects"
                " from quality.check_result where run_id = any(%s) order by 1, 2",
                [list(runs.values())],
            ).fetchall()

    def behind(self, marts: Sequence[str]) -> Verdict:
        """Return what was said of these marts and of everything they are made of, down to the rows of `raw`."""
        tables = {table for mart in marts for table in _made_of(mart)}
        return Verdict(
            tuple(check for check in self._checks if check.table.partition(".")[2] in tables), self._were_run
        )


def published(connection: psycopg.Connection[Any]) -> tuple[int, UUID] | None:
    """Return the number of the publication that people see, and its build; None before the first."""
    return connection.execute(
        "select publication_id, build_id from quality.publication where published order by publication_id desc limit 1"
    ).fetchone()


@cache
def _made_of(model: str) -> frozenset[str]:
    """The model and all it stands on, as its files say it; tables of `raw` without their schema."""
    return frozenset({model}).union(*(_made_of(below) for below in _reads(model)))


def _reads(model: str) -> Iterator[str]:
    for file in _MODELS.rglob(f"{model}.sql"):
        found = _READ.findall(file.read_text(encoding="utf-8"))
        yield from (name for name in found if not name.startswith(_BOOKKEEPING))
