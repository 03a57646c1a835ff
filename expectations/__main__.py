"""`python -m expectations raw marts`: run suites.

Exit codes: 0 = all hold, 1 = a critical expectation failed, 2 = a suite or a setting is wrong,
3 = the warehouse does not answer.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from expectations import reconciliation
from expectations.record import Outcome, Run, failed, record, table
from expectations.report import write_report
from expectations.side import Side, not_published_yet, what_people_see
from expectations.suite import SUITES, Suite, SuiteError, check_against_database, read_suite
from otklik.settings import Settings, SettingsError, get_settings

HOLDS, CRITICAL, CANNOT_RUN, NO_ANSWER = 0, 1, 2, 3


def main() -> int:
    """Run the suites named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m expectations", description="Run suites of expectations.")
    parser.add_argument("suites", nargs="+", metavar="suite", help="raw, marts, or the path of a folder or file")
    parser.add_argument("--next", action="store_true", help="check the build that is not published yet")
    arguments = parser.parse_args()
    places = [Path(name) if "/" in name else SUITES / name for name in arguments.suites]
    try:
        return run(places, get_settings(), beside=arguments.next)
    except (SuiteError, SettingsError) as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    except psycopg.OperationalError as error:
        print(f"The warehouse does not answer: {error}", file=sys.stderr)
        return NO_ANSWER


def run(places: Sequence[Path], settings: Settings, *, beside: bool = False) -> int:
    """Read suites, run them, record and print what they found; return the exit code.

    `beside` checks the build that is not published yet, otherwise what people see is checked.
    """
    suites = [read_suite(place) for place in places]
    # Who checks can change nothing of what it checks.
    with psycopg.connect(settings.dsn("engineer"), autocommit=True) as reading:
        side = not_published_yet(reading) if beside else what_people_see(reading)
        reading.execute("select set_config('search_path', %s, false)", [side.search_path])
        for suite in suites:
            check_against_database(suite, side, reading)
        counts = _reconcile(reading, side, settings) if beside else HOLDS
    return max(counts, *_run(suites, side, settings))


def _reconcile(reading: psycopg.Connection[Any], side: Side, settings: Settings) -> int:
    this_run = Run(reconciliation.SUITE, side.build_id)
    nights = reconciliation.reconcile(reading, side)
    outcomes = list(reconciliation.outcomes(nights))
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as writing, writing.transaction():
        record(writing, this_run, outcomes)
        reconciliation.record_nights(writing, this_run, nights)
    return _tell(this_run.suite, outcomes)


def _run(suites: Sequence[Suite], side: Side, settings: Settings) -> list[int]:
    # Great Expectations takes seconds to import: a suite that cannot run should say so at once.
    from expectations.checkpoint import Checkpoints

    report = settings.var / "site" / "quality"
    docs, results = report / "docs", settings.var / "quality"
    checkpoints = Checkpoints(side, settings.sqlalchemy_url("engineer"), docs, results)
    codes = []
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as writing:
        for suite in suites:
            this_run = Run(suite.name, side.build_id)
            outcomes = checkpoints.run(suite, this_run)
            record(writing, this_run, outcomes)
            codes.append(_tell(suite.name, outcomes))
        write_report(writing, report, docs, settings.zone)
    return codes


def _tell(suite: str, outcomes: Sequence[Outcome]) -> int:
    critical, warning = len(failed(outcomes, "critical")), len(failed(outcomes, "warning"))
    print(table(outcomes))
    print(f"{suite}: {len(outcomes)} expectations, {critical} critical failures, {warning} warnings")
    return CRITICAL if critical else HOLDS


if __name__ == "__main__":
    sys.exit(main())
