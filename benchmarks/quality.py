"""What checks and publishing add to a night, with 1,000,000 messages of history: `make bench-quality`.

A night is what the DAG `marts` does with it: it is built beside what people see, checked by every suite, its rows are
counted from file to mart, and it is published. Both sides of the marts are built before the first night is timed.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout

from benchmarks.figures import figure, say
from benchmarks.history import MESSAGES_A_DAY, REGIONS, History
from benchmarks.models import settle
from benchmarks.warehouse import throwaway_warehouse
from otklik import dbt
from otklik.checks import check_build
from otklik.settings import Settings
from otklik.warehouse.publish import publish

MESSAGES = 1_000_000
NIGHTS = 3


def main() -> None:
    """Measure and print the figures."""
    with throwaway_warehouse() as settings:
        history = History(settings, MESSAGES // (MESSAGES_A_DAY * len(REGIONS)))
        say(f"Making {history.messages} messages of history in the database")
        history.write()
        for number in range(2):
            say(f"Building side {number + 1} of the marts")
            history.add_night(number + 1)
            _night(settings)
        settle(settings)
        nights = []
        for number in range(3, 3 + NIGHTS):
            say(f"Night {number - 2} of {NIGHTS}: {history.add_night(number)} rows")
            nights.append(_night(settings))
    built, checked, published = (statistics.median(seconds) for seconds in zip(*nights, strict=True))
    figure("quality_build_s", built, "s")
    figure("quality_checks_s", checked, "s")
    figure("quality_publish_s", published, "s")
    figure("checks_share_of_night", (checked + published) / (built + checked + published), "ratio")


def _night(settings: Settings) -> tuple[float, float, float]:
    """Return the seconds of building, checking and publishing one night."""
    steps: tuple[Callable[[], object], ...] = (
        lambda: dbt.build(settings),
        lambda: check_build(settings),
        lambda: publish(settings),
    )
    seconds = tuple(_seconds(step) for step in steps)
    say(f"  built in {seconds[0]:.1f} s, checked in {seconds[1]:.1f} s, published in {seconds[2]:.2f} s")
    return seconds[0], seconds[1], seconds[2]


def _seconds(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    # What the steps say is no figure.
    with redirect_stdout(sys.stderr):
        step()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
