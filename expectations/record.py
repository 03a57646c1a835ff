"""What a run of a suite found: written to schema `quality` and shown as a short table."""

import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg


@dataclass(frozen=True)
class Run:
    """One run of a suite."""

    suite: str
    build_id: uuid.UUID | None = None
    run_id: uuid.UUID = field(default_factory=uuid.uuid4)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Outcome:
    """The result of one expectation; no value of the data in it."""

    expectation: str
    column: str | None
    severity: str
    success: bool
    observed: str | None
    protects: str


def failed(outcomes: Sequence[Outcome], severity: str) -> list[Outcome]:
    """Return the failed expectations of a severity."""
    return [outcome for outcome in outcomes if not outcome.success and outcome.severity == severity]


def record(connection: psycopg.Connection[Any], run: Run, outcomes: Sequence[Outcome]) -> None:
    """Write a run and its results in one transaction."""
    critical, warning = len(failed(outcomes, "critical")), len(failed(outcomes, "warning"))
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "insert into quality.check_run (run_id, build_id, suite, started_at, finished_at, success, evaluated,"
            " failed_critical, failed_warning) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                run.run_id,
                run.build_id,
                run.suite,
                run.started_at,
                datetime.now(UTC),
                critical == 0,
                len(outcomes),
                critical,
                warning,
            ),
        )
        cursor.executemany(
            'insert into quality.check_result (run_id, expectation, "column", severity, success, observed, protects)'
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [(run.run_id, *astuple(outcome)) for outcome in outcomes],
        )


def table(outcomes: Sequence[Outcome]) -> str:
    """Return one line for each expectation, the failed ones first."""
    return "\n".join(_line(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.success))


def _line(outcome: Outcome) -> str:
    mark = "ok" if outcome.success else outcome.severity.upper()
    column = f" [{outcome.column}]" if outcome.column else ""
    line = f"{mark:<9} {outcome.expectation}{column}: {outcome.observed or '-'}"
    return line if outcome.success else f"{line}\n{'':<10}{outcome.protects}"
