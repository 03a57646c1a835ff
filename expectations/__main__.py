"""`python -m expectations raw|marts`: run a suite.

Exit codes: 0 = holds, 1 = a critical expectation failed, 2 = the suite or a setting is wrong,
3 = the warehouse does not answer.
"""

import argparse
import sys
from pathlib import Path

import psycopg

from expectations.record import Run, failed, record, table
from expectations.report import write_report
from expectations.suite import SUITES, SuiteError, check_against_database, read_suite
from otklik.settings import Settings, SettingsError, get_settings

HOLDS, CRITICAL, CANNOT_RUN, NO_ANSWER = 0, 1, 2, 3


def main() -> int:
    """Run the suite named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m expectations", description="Run a suite of expectations.")
    parser.add_argument("suite", help="raw, marts, or the path of a suite file")
    name = parser.parse_args().suite
    file = Path(name) if name.endswith((".yml", ".yaml")) else SUITES / f"{name}.yml"
    try:
        return run(file, get_settings())
    except (SuiteError, SettingsError) as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    except psycopg.OperationalError as error:
        print(f"The warehouse does not answer: {error}", file=sys.stderr)
        return NO_ANSWER


def run(file: Path, settings: Settings) -> int:
    """Check a suite file, run it, record and print what it found; return the exit code."""
    suite = read_suite(file)
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as connection:
        check_against_database(suite, connection)
        # Great Expectations takes seconds to import: a suite that cannot run should say so at once.
        from expectations.checkpoint import run_checkpoint

        report = settings.var / "site" / "quality"
        docs, results = report / "docs", settings.var / "quality"
        this_run = Run(suite.name)
        outcomes = run_checkpoint(suite, this_run, settings.sqlalchemy_url("publisher"), docs, results)
        record(connection, this_run, outcomes)
        write_report(connection, report, docs, settings.zone)
    critical, warning = len(failed(outcomes, "critical")), len(failed(outcomes, "warning"))
    print(table(outcomes))
    print(f"{suite.name}: {len(outcomes)} expectations, {critical} critical failures, {warning} warnings")
    return CRITICAL if critical else HOLDS


if __name__ == "__main__":
    sys.exit(main())
