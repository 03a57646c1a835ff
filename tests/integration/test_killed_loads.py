"""A load killed at any moment leaves all of a file or nothing of it, and the next one completes it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from otklik.settings import Settings
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.files import HEADER, MAPPING, Centre, csv_text, row

KILLS = 50
# Loads at command: forks a process that loads a file, kills it after a while, and says how it ended and how long it
# took. What is imported once need not be imported for every kill; nothing that starts threads is used before a fork.
DRIVER = """
import json, os, signal, sys, time
from pathlib import Path
from upath import UPath
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.settings import get_settings
from tests.fixtures.files import NIGHT

for line in sys.stdin:
    asked = json.loads(line)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.environ.update(asked["environment"])
        load_file(UPath(asked["file"]), load_mapping(Path(asked["mapping"])), NIGHT, get_settings())
        os._exit(0)
    if asked["delay"] is not None:
        time.sleep(asked["delay"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - started]), flush=True)
"""

# What is there, without what may differ between two loads of the same: ids, moments of loading, folders.
STATE = {
    "ledger": "select to_jsonb(batch) - '{batch_id,landed_path,started_at,finished_at}'::text[] as r from raw.batch",
    "incidents": "select to_jsonb(incident) - 'batch_id' || jsonb_build_object('file', file_name) as r"
    " from raw.incident join raw.batch using (batch_id)",
    "refused": "select to_jsonb(rejected_row) - '{rejected_row_id,batch_id}'::text[]"
    " || jsonb_build_object('file', file_name) as r from raw.rejected_row join raw.batch using (batch_id)",
    "fields": "select to_jsonb(source_field) - 'seen_at' as r from quality.source_field",
    "changes": "select to_jsonb(schema_change) - '{schema_change_id,batch_id,noticed_at}'::text[] as r"
    " from quality.schema_change",
}


class Loads:
    """Loads of two files of one centre: that of the day before, and the one that is killed."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._mapping = folder / "centre.yml"
        self._mapping.write_text(yaml.safe_dump(MAPPING, allow_unicode=True), encoding="utf-8")
        self.before, self.killed = folder / "before.csv", folder / "incidents.csv"
        self.before.write_text(csv_text([told(n) for n in range(4_000)]), encoding="utf-8")
        self.killed.write_text(csv_text(list(rows()), [*HEADER, "Новое поле"]), encoding="utf-8")

    def run(self, file: Path, settings: Settings, delay: float | None = None) -> tuple[int, float]:
        """Load a file, or kill its loading after `delay` seconds; return the exit code and the seconds it took."""
        asked = {"environment": settings.environment(), "file": str(file), "mapping": str(self._mapping)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked | {"delay": delay}), file=self._process.stdin, flush=True)
        code, seconds = json.loads(self._process.stdout.readline())
        return code, seconds

    def completed(self, file: Path, settings: Settings) -> float:
        """Load a file undisturbed; return how long it took."""
        code, seconds = self.run(file, settings)
        assert code == 0
        return seconds


def told(number: int, **cells: str) -> list[str]:
    # Texts long enough for the file to come in several chunks.
    return row(str(number), Текст=f"Яма № {number}, тел. 8 912 345-67-89. " + "т" * 450, **cells)


def rows() -> Iterator[list[str]]:
    """Yield 20,000 rows: 2,000 as the day before, 15,640 new ones, 360 bad, 1,000 repeats, 1,000 contradictions."""
    for n in range(18_000):
        if n % 50 == 49:
            yield [*told(n, Статус="?"), "x"]
        elif n < 4_000 and n % 2:
            yield [*told(n, Изменено="15.03.2022 18:00"), "x"]
        else:
            yield [*told(n), "x"]
    for n in range(1_000):
        yield [*told(5_000 + 2 * n), "x"]
    for n in range(1_000):
        yield [*told(10_000 + 2 * n, Автор="vk-2"), "x"]


@pytest.fixture
def loads(tmp_path: Path) -> Iterator[Loads]:
    command = [sys.executable, "-c", DRIVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Loads(process, tmp_path)


@contextmanager
def the_day_before(cluster: Settings, loads: Loads) -> Iterator[Centre]:
    """A warehouse that holds the file of the day before."""
    with fresh_warehouse(cluster) as settings:
        loads.completed(loads.before, settings)
        yield Centre(settings, settings.home)


def state(centre: Centre) -> dict[str, list[Any]]:
    return {name: [found["r"] for found in centre.query(f"{query} order by 1")] for name, query in STATE.items()}


def sizes(centre: Centre) -> dict[str, int]:
    [found] = centre.query(
        "select (select count(*) from raw.batch) as ledger, (select count(*) from raw.incident) as incidents,"
        " (select count(*) from raw.rejected_row) as refused, (select count(*) from quality.source_field) as fields,"
        " (select count(*) from quality.schema_change) as changes"
    )
    return found


def test_a_load_killed_at_any_moment_leaves_all_or_nothing_and_the_next_completes_it(
    cluster: Settings, loads: Loads
) -> None:
    with the_day_before(cluster, loads) as centre:
        nothing = sizes(centre)
        seconds = loads.completed(loads.killed, centre.settings)
        undisturbed, everything = state(centre), sizes(centre)
    [_, line] = sorted(undisturbed["ledger"], key=lambda line: line["rows_read"])
    counts = ("rows_read", "rows_loaded", "rows_rejected", "rows_unchanged")
    assert [line[name] for name in counts] == [20_000, 15_640, 1_360, 3_000]

    # One moment in each fiftieth of the load, in no order.
    chance = np.random.default_rng(20220315)
    shares = list(chance.permutation((np.arange(KILLS) + chance.random(KILLS)) / KILLS))
    struck = 0
    while shares:
        with the_day_before(cluster, loads) as centre:
            while shares and sizes(centre) == nothing:
                code, took = loads.run(loads.killed, centre.settings, shares.pop() * seconds)
                struck += code == -signal.SIGKILL
                # It was over before its moment came: the machine is less busy than it was.
                seconds = took if code == 0 else seconds
                assert sizes(centre) in (nothing, everything)
            loads.completed(loads.killed, centre.settings)
            assert state(centre) == undisturbed
            landed = sorted(Path(centre.settings.landing).rglob("[!.]*.csv"), key=lambda path: path.stat().st_size)
            assert [path.read_bytes() for path in landed] == [loads.before.read_bytes(), loads.killed.read_bytes()]
    assert struck > KILLS * 2 // 3
