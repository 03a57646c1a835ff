"""`python -m expectations raw marts`: run suites.

Exit codes: 0 = all hold, 1 = a critical expectation failed, 2 = a suite or a setting is wrong,
3 = the warehouse does not answer.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
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
# So many tables of a suite are checked by one process.
_TABLES = 18


def main() -> int:
    """Run the suites named on the command line."""
    # It ends before there is anything worth looking for, and looking costs a tenth of its time.
    gc.disable()
    parser = argparse.ArgumentParser(prog="python -m expectations", description="Run suites of expectations.")
    parser.add_argument("suites", nargs="+", metavar="suite", help="raw, marts, or the path of a folder or file")
    parser.add_argument("--next", action="store_true", help="check the build that is not published yet")
    parser.add_argument("--parse", action="store_true", help="only tell whether the suites can be run as written")
    arguments = parser.parse_args()
    places = [Path(name) if "/" in name else SUITES / name for name in arguments.suites]
    try:
        suites, side = parse(places, get_settings(), beside=arguments.next)
        return HOLDS if arguments.parse else run(suites, side, get_settings())
    except (SuiteError, SettingsError) as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    except psycopg.OperationalError as error:
        print(f"The warehouse does not answer: {error}", file=sys.stderr)
        return NO_ANSWER


def parse(places: Sequence[Path], settings: Settings, *, beside: bool = False) -> tuple[list[Suite], Side]:
    """Read suites and make sure that each can be run as written; return them and whose rows they are to look at.

    `beside` means the build that is not published yet, otherwise what people see. Raises SuiteError.
    """
    suites = [read_suite(place) for place in places]
    with _reading(settings) as connection:
        side = not_published_yet(connection) if beside else what_people_see(connection)
        connection.execute("select set_config('search_path', %s, false)", [side.search_path])
        for suite in suites:
            check_against_database(suite, side, connection)
    return suites, side


def run(suites: Sequence[Suite], side: Side, settings: Settings) -> int:
    """Run suites, record and print what they found; of a build that is not published yet, count its rows, too.

    Returns the exit code.
    """
    counts = _reconcile(side, settings) if side.suffix else HOLDS
    return max(counts, *_run(suites, side, settings))


def _reading(settings: Settings) -> psycopg.Connection[Any]:
    # Who checks can change nothing of what it checks.
    return psycopg.connect(settings.dsn("engineer"), autocommit=True)


def _reconcile(side: Side, settings: Settings) -> int:
    this_run = Run(reconciliation.SUITE, side.build_id)
    with _reading(settings) as connection:
        connection.execute("select set_config('search_path', %s, false)", [side.search_path])
        nights = reconciliation.reconcile(connection, side)
    outcomes = list(reconciliation.outcomes(nights))
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as writing, writing.transaction():
        record(writing, this_run, outcomes)
        reconciliation.record_nights(writing, this_run, nights)
    return _tell(this_run.suite, outcomes)


def _run(suites: Sequence[Suite], side: Side, settings: Settings) -> list[int]:
    # Great Expectations takes seconds to import: a suite that cannot run should say so at once.
    from expectations.checkpoint import run_suite

    report = settings.var / "site" / "quality"
    docs = report / "docs"
    runs = [Run(suite.name, side.build_id) for suite in suites]
    parts = [(this_run, part) for this_run, suite in zip(runs, suites, strict=True) for part in suite.in_parts(_TABLES)]
    # What was imported stays to the end, and no process has to go through it for what can be thrown away.
    gc.freeze()
    # Nearly all of it is Great Expectations' own work, for which one core is not enough; a fork has it imported.
    with ProcessPoolExecutor(len(parts), get_context("fork")) as pool:
        asked = [
            (this_run, pool.submit(run_suite, part, this_run, side, settings.sqlalchemy_url("engineer"), docs))
            for this_run, part in parts
        ]
        found = [[one for run, each in asked if run is this_run for one in each.result()] for this_run in runs]
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as writing:
        for this_run, outcomes in zip(runs, found, strict=True):
            record(writing, this_run, outcomes)
        write_report(writing, report, docs, settings.zone)
    return [_tell(suite.name, outcomes) for suite, outcomes in zip(suites, found, strict=True)]


def _tell(suite: str, outcomes: Sequence[Outcome]) -> int:
    critical, warning = len(failed(outcomes, "critical")), len(failed(outcomes, "warning"))
    print(table(outcomes))
    print(f"{suite}: {len(outcomes)} expectations, {critical} critical failures, {warning} warnings")
    return CRITICAL if critical else HOLDS


if __name__ == "__main__":
    sys.exit(main())
