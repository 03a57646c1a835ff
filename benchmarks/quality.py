"""What checks and publishing add to a night, with 100,000 and 1,000,000 messages of history: `make bench-quality`.

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

HISTORIES = {"100k": 100_000, "1m": 1_000_000}
NIGHTS = 3

Seconds = tuple[float, float, float]
"""Of building, checking and publishing a night."""


def main() -> None:
    """Measure and print the figures."""
    nights = {size: measure(messages) for size, messages in HISTORIES.items()}
    for size, (built, checked, published) in nights.items():
        figure(f"quality_{size}_build_s", built, "s")
        figure(f"quality_{size}_checks_s", checked, "s")
        figure(f"quality_{size}_publish_s", published, "s")
    figure("checks_1m_vs_100k", nights["1m"][1] / nights["100k"][1], "ratio")
    figure("checks_share_of_night", sum(nights["1m"][1:]) / sum(nights["1m"]), "ratio")


def measure(messages: int) -> Seconds:
    """Return the medians of some nights with so many messages of history."""
    with throwaway_warehouse() as settings:
        history = History(settings, messages // (MESSAGES_A_DAY * len(REGIONS)))
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
    return built, checked, published


def _night(settings: Settings) -> Seconds:
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
