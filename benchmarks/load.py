"""How fast a file of incidents loads, beside bare COPY and dlt, and what memory it takes: `make bench-load`.

All on one machine, one file and one database: PostgreSQL tuned as in production, durable. Bare COPY is
`copy from stdin (format csv, header)` of the file's bytes into a table of its columns, moments as timestamptz, without
an index, commit included: nothing looks at a row. A load is all that a night does with a file: landing with fsync,
SHA-256, parsing, contract, refused rows, hashes of authors, masked texts, versions, two indexes, the ledger.

COPY, the load and dlt take turns, each begins after a checkpoint, and medians are compared, so none pays for another
and none has a quieter minute to itself. dlt gets fewer rows, since it would take minutes; its speed is the same.
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
        turns = [_turn(number + 1, file, settings) for number in range(TURNS)]
        speed = {way: statistics.median(turn[way] for turn in turns) for way in turns[0]}
        for way, rows_a_second in speed.items():
            figure(f"{way}_speed", rows_a_second, "rows/s")
        for way in ("copy", "dlt_rows", "dlt_arrow"):
            figure(f"load_vs_{way}", speed["load"] / speed[way], "ratio")
        file.unlink()
        _many(file, speed["load"], settings)


def _turn(number: int, file: Path, settings: Settings) -> dict[str, float]:
    """Return how many rows a second each way takes in."""
    say(f"Turn {number} of {TURNS}: COPY, load, dlt from dicts, dlt from Arrow")
    empty(settings)
    by_copy = _copy(file, settings)
    empty(settings)
    by_load, line = load(file)
    say(f"  {line.rows_loaded} loaded, {line.rows_rejected} rejected, {line.rows_unchanged} unchanged")
    return {
        "copy": ROWS / by_copy,
        "load": ROWS / by_load,
        "dlt_rows": DLT_ROWS / _by_dlt("rows", file, DLT_ROWS, settings),
        "dlt_arrow": DLT_ARROW_ROWS / _by_dlt("arrow", file, DLT_ARROW_ROWS, settings),
    }


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
    schema = sql.Identifier(f"dlt_{way}")
    with psycopg.connect(address) as connection:
        [(count,)] = connection.execute(sql.SQL("select count(*) from {}.incident").format(schema)).fetchall()
        connection.execute(sql.SQL("drop schema {} cascade").format(schema))
    if count != rows:
        raise SystemExit(f"dlt loaded {count} rows of {rows}")
    return float(done.stdout.split()[-1])


def _many(file: Path, rows_a_second: float, settings: Settings) -> None:
    """Load ten times as many rows in a process of its own."""
    say(f"Writing {MANY_ROWS} rows")
    write_incidents(file, MANY_ROWS)
    empty(settings)
    say(f"Loading {MANY_ROWS} rows")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one_load", str(file)], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds, growth, peak, *counts = done.stdout.split()
    if sum(map(int, counts)) != MANY_ROWS:
        raise SystemExit(f"Not every row of {MANY_ROWS} is accounted for: {counts}")
    figure("load_10m_seconds", float(seconds), "s")
    figure("load_10m_vs_1m", float(seconds) / MANY_ROWS * rows_a_second, "ratio")
    figure("load_10m_second_half", float(growth), "ratio")
    figure("load_peak_mb", float(peak), "MB")


if __name__ == "__main__":
    main()
