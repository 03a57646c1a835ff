"""How long a night of pages takes, from the first question to the last row in `raw`: `make bench-pages`.

The made-up region's register, 3,000 working pages on three networks, against the stand-ins in a process of their own
that refuse nobody for asking often; the warehouse as in production. One task a network, the networks side by side, as
the scheduler runs them; starting a task is not measured. Everything shares this machine: whoever answers, too.

Then the same night at the pace the networks allow, the stand-ins as strict as they are: how near to that rate it comes
where the rate is the limit.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import psycopg
from upath import UPath

import otklik.demo
from benchmarks.figures import figure, say
from benchmarks.warehouse import throwaway_warehouse
from otklik.demo.centre_files import write_pages
from otklik.demo.outside import NOW, connections
from otklik.demo.standin.credentials import Credentials
from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.pulls import page_parts, pull_pages
from otklik.settings import Settings, get_settings
from otklik.sources.connection import Connection
from otklik.sources.systems import NETWORKS, SYSTEMS

TURNS = 3
_START_SECONDS = 60
# Fewer requests than this are no stream of which a rate can be told.
_PAGE_BY_PAGE = 100
_MAPPING = Path(otklik.demo.__file__).parent / "mappings" / "pages.yml"


def main() -> None:
    """Measure a night several times and print the fastest."""
    with throwaway_warehouse() as settings:
        _load_register(settings)
        with standin(settings, "--no-limits") as known:
            seconds = [_night(settings, known, turn) for turn in range(TURNS)]
        figure("pages_night_s", min(seconds), "s")
        with standin(settings) as known:
            _night(settings, {name: _at_the_allowed_pace(connection) for name, connection in known.items()}, TURNS)
            for network, share in _shares_of_the_rate(known).items():
                figure(f"pages_{network}_rate", share, "ratio")


def _night(settings: Settings, known: Mapping[str, Connection], turn: int) -> float:
    """Return the seconds of a night of pages; each turn is a night of its own for the warehouse."""
    with ProcessPoolExecutor(len(NETWORKS), get_context("spawn")) as tasks:
        list(tasks.map(_awake, [1.0] * len(NETWORKS)))
        started = time.perf_counter()
        rows = dict(zip(NETWORKS, tasks.map(_task, NETWORKS, map(known.get, NETWORKS), [turn] * 4), strict=True))
        seconds = time.perf_counter() - started
    with psycopg.connect(settings.dsn("engineer")) as connection:
        counted = connection.execute("select count(*), count(members_count) from raw.page_snapshot").fetchone()
    say(f"Night {turn + 1}: {seconds:.1f} s, {rows}; in raw by now (pages, with members): {counted}")
    return seconds


def _at_the_allowed_pace(connection: Connection) -> Connection:
    """Return the connection of an installation that was told nothing of rates."""
    return replace(connection, extra={name: value for name, value in connection.extra.items() if name != "rate"})


def _shares_of_the_rate(known: Mapping[str, Connection]) -> dict[str, float]:
    """Return network → requests a second over those allowed, of the networks that are asked page by page."""
    base = known["vk"].url.removesuffix("/vk")
    asked = httpx.get(f"{base}/_control/log").json()
    shares = {}
    for network in NETWORKS:
        arrived = [request["arrived"] for request in asked if request["system"] == network]
        refused = sum(request["refused"] for request in asked if request["system"] == network)
        say(f"{network}: {len(arrived)} requests, {refused} refused")
        if len(arrived) >= _PAGE_BY_PAGE:
            pace = (len(arrived) - 1) / (max(arrived) - min(arrived))
            shares[network] = pace / SYSTEMS[network].module.RATE
    return shares


def _awake(seconds: float) -> None:
    """Keep one process busy, so that each of them is started before anything is measured."""
    time.sleep(seconds)


def _task(network: str, connection: Connection | None, turn: int) -> str:
    """Read and load the pages of one network; say how many and in how many seconds."""
    started = time.perf_counter()
    settings = get_settings()
    end = datetime.fromisoformat(NOW).astimezone(settings.zone) + timedelta(minutes=turn)
    interval = Interval(end - timedelta(days=1), end)
    rows = 0
    for part in page_parts(network, connection, interval, settings):
        told = pull_pages(network, part, connection, interval, settings) if connection else []
        rows += sum(report.rows_loaded for each in told for report in each.reports)
    return f"{rows} rows in {time.perf_counter() - started:.1f} s"


def _load_register(settings: Settings) -> None:
    end = datetime.fromisoformat(NOW).astimezone(settings.zone)
    file = UPath(write_pages(settings.var))
    load_file(file, load_mapping(_MAPPING), Interval(end - timedelta(days=1), end), settings)


@contextmanager
def standin(settings: Settings, *options: str) -> Iterator[dict[str, Connection]]:
    """Run the stand-ins of the region; yield the connections to them."""
    settings.var.mkdir(parents=True, exist_ok=True)
    file = settings.var / "credentials.json"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "otklik.demo.standin", "--port", str(port), "--now", NOW, *options]
    server = subprocess.Popen([*command, "--credentials", str(file)])
    try:
        _wait_until_ready(port, server)
        credentials = Credentials(**json.loads(file.read_text(encoding="utf-8")))
        yield {name: _connection(name, values) for name, values in connections(port, credentials).items()}
    finally:
        server.terminate()
        server.wait()


def _connection(name: str, values: dict[str, Any]) -> Connection:
    return Connection(name, values["host"], values["login"] or None, values["password"] or None, values["extra"])


def _wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/_control/log")
        except httpx.TransportError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The stand-ins of the benchmark do not start") from None
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
