"""The ledger of builds: which there were, and whether the next one has to build all of history anew.

The marts have two sides, one that people see and one that the next night is built on; they change places when it is
published. Each catches up with the batches that came since it was built itself. What it cannot catch up with is a
rebuild of the other side, after which the models may be others: therefore builds have a generation.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from otklik import __version__

# Held by whoever builds, publishes, or changes rows on both sides of the marts: only one of them at a time.
MARTS_LOCK = 0x07_0C_11_4C


@dataclass(frozen=True)
class Plan:
    """How the next build is to be made."""

    generation: int
    is_full_refresh: bool


@dataclass(frozen=True)
class Build:
    """One line of the ledger; the batches are unknown when it ended before it had told them."""

    build_id: UUID
    started_at: datetime
    finished_at: datetime
    success: bool
    plan: Plan


@contextmanager
def alone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Keep everybody else off both sides of the marts meanwhile; wait until whoever is at them is done."""
    connection.execute("select pg_advisory_lock(%s)", [MARTS_LOCK])
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(%s)", [MARTS_LOCK])


def plan(connection: psycopg.Connection[Any], *, full_refresh: bool) -> Plan:
    """Return whether the next build can go on from its side of the marts, and its generation."""
    [(newest,)] = connection.execute("select coalesce(max(generation), 0) from quality.build").fetchall()
    if full_refresh or not newest:
        return Plan(newest + 1, is_full_refresh=True)
    built = built_on(connection, "_next")
    own = connection.execute(
        "select generation from quality.build where build_id = %s", [built and built[0]]
    ).fetchone()
    return Plan(newest, is_full_refresh=own != (newest,))


def note(connection: psycopg.Connection[Any], build: Build) -> None:
    """Write a build into the ledger."""
    window = window_of(connection, build.build_id)
    connection.execute(
        "insert into quality.build (build_id, started_at, finished_at, success, is_full_refresh, generation,"
        " batches_after, batches_through, otklik_version) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            build.build_id,
            build.started_at,
            build.finished_at,
            build.success,
            build.plan.is_full_refresh,
            build.plan.generation,
            *window,
            __version__,
        ),
    )


def note_results(connection: psycopg.Connection[Any], build_id: UUID, results: Iterable[Mapping[str, Any]]) -> None:
    """Keep what dbt found of each model, seed and test: rows of quality.dbt_result without the build."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.dbt_result (build_id, name, kind, model, status, failures, row_count, seconds)"
            " values (%(build_id)s, %(name)s, %(kind)s, %(model)s, %(status)s, %(failures)s, %(row_count)s,"
            " %(seconds)s)",
            [{"build_id": build_id, **result} for result in results],
        )


def note_freshness(
    connection: psycopg.Connection[Any], checked_at: datetime, ages: Iterable[tuple[str, datetime | None, str]]
) -> None:
    """Keep (table of raw, when its newest rows were loaded, status) of each source that was looked at."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.freshness (checked_at, source, latest_at, status) values (%s, %s, %s, %s)",
            [(checked_at, *age) for age in ages],
        )


def built_on(connection: psycopg.Connection[Any], suffix: str) -> tuple[UUID, int] | None:
    """Return (build_id, batches_through) of the build that a side of the marts is of; None where nothing was built."""
    found = _rows(connection, f"intermediate{suffix}.int_build", "build_id, batches_through")
    return found[0] if found else None


def window_of(connection: psycopg.Connection[Any], build_id: UUID) -> tuple[int | None, int | None]:
    """Return (batches_after, batches_through) of a build as its own side tells; unknown when it got not so far."""
    found = _rows(connection, "intermediate_next.int_batch_window", "build_id, batches_after, batches_through")
    return next(((after, through) for built, after, through in found if built == build_id), (None, None))


def _rows(connection: psycopg.Connection[Any], table: str, columns: str) -> list[Any]:
    if connection.execute("select to_regclass(%s)", [table]).fetchone() == (None,):
        return []
    return connection.execute(f"select {columns} from {table}").fetchall()  # noqa: S608 - names of ours
