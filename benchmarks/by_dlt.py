"""The same file by dlt, in dlt's own environment: `by_dlt.py rows|arrow FILE ROWS ADDRESS` prints `<rows> <seconds>`.

`rows` yields dicts as csv.DictReader reads them, `arrow` tables as pyarrow reads them: the two ways dlt's own guides
give. Reading the file is timed, as it is in our load. What dlt then does to it is dlt's own choice.
"""

import csv
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

# Before dlt is imported: it would tell its makers of every run.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import pyarrow as pa
import pyarrow.csv


def rows(file: str, count: int) -> Iterator[dict[str, str]]:
    """Yield the first rows of the file."""
    with open(file, encoding="utf-8", newline="") as lines:
        yield from itertools.islice(csv.DictReader(lines), count)


def tables(file: str, count: int) -> Iterator[pa.Table]:
    """Yield the first rows of the file as tables."""
    for batch in pyarrow.csv.open_csv(file, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)):
        yield pa.Table.from_batches([batch.slice(0, count)])
        count -= batch.num_rows
        if count <= 0:
            return


def run(way: str, file: str, count: int, address: str) -> float:
    """Load `count` rows into a schema of their own; return the seconds it took."""
    read: Any = {"rows": rows, "arrow": tables}[way]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            f"by_{way}",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(address),
            dataset_name=f"dlt_{way}",
        )
        started = time.perf_counter()
        pipeline.run(read(file, count), table_name="incident").raise_on_failed_jobs()
        return time.perf_counter() - started


if __name__ == "__main__":
    _, how, path, wanted, database = sys.argv
    print(wanted, run(how, path, int(wanted), database))
