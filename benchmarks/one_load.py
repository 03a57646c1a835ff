"""One load in a process of its own: `python -m benchmarks.one_load FILE` prints seconds, growth, peak MB and counts."""

import re
import sys
import time
from datetime import date
from pathlib import Path

from upath import UPath

from otklik.interval import Interval
from otklik.load import Progress, load_file
from otklik.mapping import load_mapping
from otklik.settings import get_settings
from otklik.warehouse.ledger import BatchReport

_MAPPING = Path(__file__).with_name("incidents.yml")


def load(file: Path, progress: Progress = lambda rows: None) -> tuple[float, BatchReport]:
    """Load the file as a night does, landing and ledger and all; return the seconds it took, and its ledger line."""
    settings = get_settings()
    mapping = load_mapping(_MAPPING)
    # The night of it all: nothing in the file lies in the future.
    interval = Interval.of_days(date(2020, 11, 1), date(2045, 12, 31), settings.zone)
    started = time.perf_counter()
    [report] = load_file(UPath(file), mapping, interval, settings, progress)
    return time.perf_counter() - started, report


def peak_mb() -> float:
    """Return the greatest resident memory of this process (MB of 2^20 bytes).

    Of the kernel's own count of it: `ru_maxrss` begins with that of the process which started this one.
    """
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) / 1024


def growth(pace: list[tuple[int, float]]) -> float:
    """Return how many times longer the second half of the rows took than the first, of (rows, moment) as they came."""
    (first, began), (last, ended) = pace[0], pace[-1]
    middle = next(moment for rows, moment in pace if rows >= (first + last) / 2)
    return (ended - middle) / (middle - began)


if __name__ == "__main__":
    pace: list[tuple[int, float]] = []
    seconds, line = load(Path(sys.argv[1]), lambda rows: pace.append((rows, time.perf_counter())))
    print(seconds, growth(pace), peak_mb(), line.rows_loaded, line.rows_rejected, line.rows_unchanged)
