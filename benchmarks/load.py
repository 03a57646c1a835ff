"""How fast a file of incidents loads, beside bare COPY and dlt, and what memory it takes: `make bench-load`.

All on one machine, one file and one database: PostgreSQL tuned as in production, durable. Bare COPY is
`copy from stdin (format csv, header)` of the file's bytes into a table of its columns, moments as timestamptz, without
an index, commit included: nothing looks at a row. A load is all that a night does with a file: landing with fsync,
SHA-256, parsing, contract, refused rows, hashes of authors, masked texts, versions, two indexes, the ledger.

The two take turns, each begins after a checkpoint, and medians are compared, so neither pays for the other.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from benchmarks.figures import figure, say
from benchmarks.files import write_incidents
from benchmarks.one_load import load
from benchmarks.warehouse import empty, throwaway_warehouse
from otklik.settings import Settings

ROWS, MANY_ROWS = 1_000_000, 10_000_000
DLT_ROWS, DLT_ARROW_ROWS = 50_000, 300_000
TURNS = 3
_BLOCK = 1 << 20
_DLT = Path(__file__).parent / ".venv" / "bin" / "python"


def main() -> None:
    """Measure everything and print the figures."""
    with throwaway_warehouse() as settings:
        file = settings.var / "incidents.csv"
        say(f"Writing {ROWS} rows")
        write_incidents(file, ROWS)
        by_copy, by_load = _turns(file, settings)
        figure("copy_speed", ROWS / by_copy, "rows/s")
        figure("load_speed", ROWS / by_load, "rows/s")
        figure("load_vs_copy", by_copy / by_load, "ratio")
        for way, rows in (("rows", DLT_ROWS), ("arrow", DLT_ARROW_ROWS)):
            say(f"dlt, {way}: {rows} rows")
            seconds = _by_dlt(way, file, rows, settings)
            figure(f"dlt_{way}_speed", rows / seconds, "rows/s")
            figure(f"load_vs_dlt_{way}", (ROWS / by_load) / (rows / seconds), "ratio")
        file.unlink()
        _many(file, by_load / ROWS, settings)


def _turns(file: Path, settings: Settings) -> tuple[float, float]:
    """Return the median seconds of bare COPY and of a load."""
    by_copy, by_load = [], []
    for turn in range(TURNS):
        empty(settings)
        by_copy.append(_copy(file, settings))
        empty(settings)
        seconds, line = load(file)
        by_load.append(seconds)
        say(
            f"Turn {turn + 1} of {TURNS}: COPY {by_copy[-1]:.1f} s, load {seconds:.1f} s "
            f"({line.rows_loaded} loaded, {line.rows_rejected} rejected, {line.rows_unchanged} unchanged)"
        )
    return statistics.median(by_copy), statistics.median(by_load)


def _copy(file: Path, settings: Settings) -> float:
    """Return the seconds of bare COPY of the file into a table that is gone afterwards."""
    with file.open(encoding="utf-8") as lines:
        names = lines.readline().strip().split(",")
    columns = ", ".join(f"{name} {'timestamptz' if name.endswith('_at') else 'text'}" for name in names)
    with psycopg.connect(settings.admin_dsn(settings.database("owner")), autocommit=True) as connection:
        connection.execute(f"create table public.bare ({columns})")
        connection.execute("checkpoint")
        started = time.perf_counter()
        with file.open("rb") as content, connection.transaction():
            _copy_all(connection, content)
        seconds = time.perf_counter() - started
        connection.execute("drop table public.bare")
    return seconds


def _copy_all(connection: psycopg.Connection, content: IO[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy public.bare from stdin (format csv, header)") as copy:
        while block := content.read(_BLOCK):
            copy.write(block)


def _by_dlt(way: str, file: Path, rows: int, settings: Settings) -> float:
    """Return the seconds dlt takes for the first rows of the file."""
    empty(settings)
    address = settings.admin_dsn(settings.database("owner"))
    script = str(Path(__file__).with_name("by_dlt.py"))
    done = subprocess.run(
        [str(_DLT), script, way, str(file), str(rows), address], check=True, stdout=subprocess.PIPE, text=True
    )
    with psycopg.connect(address) as connection:
        counted = connection.execute(sql.SQL("select count(*) from {}.incident").format(sql.Identifier(f"dlt_{way}")))
        [(count,)] = counted.fetchall()
    if count != rows:
        raise SystemExit(f"dlt loaded {count} rows of {rows}")
    return float(done.stdout.split()[-1])


def _many(file: Path, seconds_a_row: float, settings: Settings) -> None:
    """Load ten times as many rows in a process of its own."""
    say(f"Writing {MANY_ROWS} rows")
    write_incidents(file, MANY_ROWS)
    empty(settings)
    say(f"Loading {MANY_ROWS} rows")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one_load", str(file)], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds, peak, *counts = done.stdout.split()
    if sum(map(int, counts)) != MANY_ROWS:
        raise SystemExit(f"Not every row of {MANY_ROWS} is accounted for: {counts}")
    figure("load_10m_seconds", float(seconds), "s")
    figure("load_10m_vs_1m", float(seconds) / MANY_ROWS / seconds_a_row, "ratio")
    figure("load_peak_mb", float(peak), "MB")


if __name__ == "__main__":
    main()
