"""What the models cost, with 100,000, 1,000,000 and 10,000,000 messages of history: `make bench-warehouse`.

A night and a full refresh are what the DAG `marts` runs: `dbt build` of everything, tests of the models included. A
night brings 2,000 messages and what became of earlier ones.

Beside the full refresh stands the plainest work there can be on the same rows: `create table as select *` of all of
them. Their speeds are the rows that each writes in a second: a full refresh writes those of every model, some eight for
each it reads. How many times as long it takes as the one statement is told as well.
"""

import json
import os
import statistics
import subprocess
import sys
import time

from benchmarks.figures import figure, say
from benchmarks.history import MESSAGES_A_DAY, REGIONS, History
from benchmarks.warehouse import throwaway_warehouse
from otklik import dbt
from otklik.settings import Settings
from otklik.warehouse.roles import connect_as_admin

SIZES = {"100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}
NIGHTS = 3
_SLOWEST = 12


def main(sizes: dict[str, int]) -> None:
    """Measure each size in a warehouse of its own and print the figures."""
    nights = {name: _measure(name, messages) for name, messages in sizes.items()}
    for name in list(nights)[1:]:
        figure(f"night_{name}_vs_100k", nights[name] / nights["100k"], "ratio")


def _measure(name: str, messages: int) -> float:
    """Print the figures of one size; return the seconds of a night."""
    with throwaway_warehouse() as settings:
        history = History(settings, messages // (MESSAGES_A_DAY * len(REGIONS)))
        say(f"Making {history.messages} messages of history in the database")
        history.write()
        say("Full refresh")
        refresh, rows = _build(settings, "--full-refresh")
        say("Create table as")
        plain, versions = _create_table_as(settings)
        figure(f"full_refresh_{name}_s", refresh, "s")
        figure(f"full_refresh_{name}_speed", rows / refresh, "rows/s")
        figure(f"ctas_{name}_speed", versions / plain, "rows/s")
        figure(
            "full_refresh_vs_ctas" if name == "10m" else f"full_refresh_{name}_vs_ctas",
            (rows / refresh) / (versions / plain),
            "ratio",
        )
        figure(f"full_refresh_{name}_time_vs_ctas", refresh / plain, "ratio")
        for schema, size in _sizes(settings).items():
            figure(f"storage_{name}_{schema}", size / history.messages, "bytes/message")
        settle(settings)
        nights = []
        for number in range(1, NIGHTS + 1):
            say(f"Night {number} of {NIGHTS}: {history.add_night(number)} rows")
            nights.append(_build(settings)[0])
        night = statistics.median(nights)
        figure(f"night_{name}_s", night, "s")
    return night


def _build(settings: Settings, *options: str) -> tuple[float, int]:
    """Run dbt as a night does; return the seconds it took and the rows it wrote, and tell which models took them."""
    command = [str(dbt.PROGRAM), "--quiet", "build", "--selector", "night", *options]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=sys.stderr, env=os.environ | dbt.dbt_environment(settings))
    seconds = time.perf_counter() - started
    results = json.loads((dbt.target(settings) / "run_results.json").read_text(encoding="utf-8"))["results"]
    slowest = sorted(results, key=lambda result: -result["execution_time"])[:_SLOWEST]
    parts = (f"{result['unique_id'].split('.')[2]} {result['execution_time']:.1f}" for result in slowest)
    say(f"  {seconds:.1f} s, of them {', '.join(parts)}")
    models = (result for result in results if result["unique_id"].startswith("model."))
    return seconds, sum(model["adapter_response"].get("rows_affected", 0) for model in models)


def _create_table_as(settings: Settings) -> tuple[float, int]:
    """Return the seconds of one `create table as` of every row of `raw.incident`, and their number."""
    with connect_as_admin(settings, settings.database("owner")) as admin:
        admin.execute("checkpoint")
        started = time.perf_counter()
        rows = admin.execute("create table public.bare as select * from raw.incident").rowcount
        seconds = time.perf_counter() - started
        admin.execute("drop table public.bare")
    return seconds, rows


def _sizes(settings: Settings) -> dict[str, int]:
    """Return the bytes of each schema, indexes and all; people see as much again, the other side of the marts."""
    with connect_as_admin(settings, settings.database("owner")) as admin:
        return dict(
            admin.execute(
                "select replace(nspname, '_next', ''), sum(pg_total_relation_size(pg_class.oid))::bigint from pg_class"
                " inner join pg_namespace on pg_namespace.oid = relnamespace"
                " where relkind = 'r' and nspname in ('raw', 'intermediate_next', 'marts_next') group by 1 order by 1"
            ).fetchall()
        )


def settle(settings: Settings) -> None:
    """Do now what the server would do by itself in the first hours after everything was written anew."""
    with connect_as_admin(settings, settings.database("owner")) as admin:
        admin.execute("vacuum (analyze)")
        admin.execute("checkpoint")


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(SIZES)
    main({name: SIZES[name] for name in wanted})
