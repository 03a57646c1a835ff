"""Whose rows are checked: those of the build that is not published yet, or those that people see."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

# What is built beside what people see has a schema of its own for each of these.
_TWO_SIDED = ("intermediate", "marts")


@dataclass(frozen=True)
class Side:
    """One side of the marts, and the batches its last build took in: `after` < batch <= `through`.

    `is_whole` when it built all of history anew, so that all of it is to be checked.
    """

    suffix: str
    build_id: UUID | None
    after: int
    through: int
    is_whole: bool

    @property
    def search_path(self) -> str:
        """Where the names in a query are found; `raw` and `quality` are always named."""
        return ",".join(f"{schema}{self.suffix}" for schema in reversed(_TWO_SIDED)) + ",staging,reference"

    def table(self, name: str) -> str:
        """Return where the table that a suite calls `name` stands."""
        schema, table = name.split(".")
        return f"{schema}{self.suffix}.{table}" if schema in _TWO_SIDED else name

    def rows(self, name: str, condition: str | None) -> str:
        """Return the query for the rows of a table that the build brought, or for all where nothing restricts them."""
        where = f" where {self.fill(condition)}" if condition and not self.is_whole else ""
        return f"select * from {self.table(name)}{where}"  # noqa: S608 - a suite is SQL of ours

    def fill(self, text: str) -> str:
        """Put the numbers of the batches in the place of {after} and {through}, and a truth in that of {whole}."""
        told = {"{after}": self.after, "{through}": self.through, "{whole}": str(self.is_whole).lower()}
        for name, value in told.items():
            text = text.replace(name, str(value))
        return text


def what_people_see(connection: psycopg.Connection[Any]) -> Side:
    """Return the side that is published, with the build it is of."""
    return _side(connection, "")


def not_published_yet(connection: psycopg.Connection[Any]) -> Side:
    """Return the side beside it."""
    return _side(connection, "_next")


def _side(connection: psycopg.Connection[Any], suffix: str) -> Side:
    window = f"intermediate{suffix}.int_batch_window"
    if connection.execute("select to_regclass(%s)", [window]).fetchone() == (None,):
        # Nothing has been built: every row is new.
        return Side(suffix, None, 0, _last_batch(connection), is_whole=True)
    query = sql.SQL(
        "select build.build_id, built.batches_after, built.batches_through, coalesce(build.is_full_refresh, true)"
        " from {} as built left join quality.build as build on built.build_id = build.build_id"
    ).format(sql.Identifier(*window.split(".")))
    [(build_id, after, through, is_whole)] = connection.execute(query).fetchall()
    return Side(suffix, build_id, 0 if is_whole else after, through, is_whole)


def _last_batch(connection: psycopg.Connection[Any]) -> int:
    [(last,)] = connection.execute("select coalesce(max(batch_id), 0) from raw.batch").fetchall()
    return int(last)
