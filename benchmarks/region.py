"""The made-up region with as many messages as are asked for: its own, and copies of them by other residents."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import datetime, timedelta

from upath import UPath

from benchmarks.figures import say
from benchmarks.pages import standin
from otklik import dbt
from otklik.checks import check_build
from otklik.demo.__main__ import MAPPINGS, load_history, load_lists
from otklik.demo.audience import LAST_DAY
from otklik.demo.outside import NOW
from otklik.demo.region import generate
from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.pulls import page_parts, pull_pages, pull_surveys, survey_parts
from otklik.settings import Settings
from otklik.sources.systems import NETWORKS, SURVEY_SYSTEMS
from otklik.warehouse.publish import publish
from otklik.warehouse.roles import connect_as_admin

_MAPPING = MAPPINGS / "sverdlovsk.yml"
# What tells a copy from the message it was made of.
_OWN = {
    "row_number": "row_number + 1000000 * copy",
    "message_id": "message_id || '-' || copy",
    "incident_id": "incident_id || '-' || copy",
    "author_hash": "encode(sha256((author_hash || copy)::bytea), 'hex')",
}


def load_region(settings: Settings, messages: int) -> UPath:
    """Load the history and one night of the outside systems, `messages` of residents at least.

    Return the file of the last night, which is not loaded.
    """
    files = generate(settings.var / "demo")
    say(f"History: {load_history(settings, load_mapping(_MAPPING))}")
    say(f"Lists: {load_lists(settings)}")
    _pull(settings)
    say(f"{_copy_messages(settings, messages)} messages")
    return UPath(files.night)


def load_last_night(settings: Settings, night: UPath) -> None:
    """Load what the centre exported on the last night."""
    load_file(night, load_mapping(_MAPPING), Interval.of_days(LAST_DAY, LAST_DAY, settings.zone), settings)


def publish_marts(settings: Settings) -> None:
    """Build, check and publish, as the DAG `marts` does."""
    steps: tuple[Callable[[], object], ...] = (
        lambda: dbt.build(settings),
        lambda: check_build(settings),
        lambda: publish(settings),
    )
    for step in steps:
        # What the steps say is no figure.
        with redirect_stdout(sys.stderr):
            step()


def _pull(settings: Settings) -> None:
    """Read networks and survey systems once."""
    end = datetime.fromisoformat(NOW).astimezone(settings.zone)
    night = Interval(end - timedelta(days=1), end)
    with standin(settings, "--no-limits") as known:
        for network in NETWORKS:
            if connection := known.get(network):
                for part in page_parts(network, connection, night, settings):
                    pull_pages(network, part, connection, night, settings)
        for system in SURVEY_SYSTEMS:
            for part in survey_parts(system, known[system], night, settings):
                pull_surveys(system, part, known[system], night, settings)


def _copy_messages(settings: Settings, wanted: int) -> int:
    """Copy every message as often as it takes; return how many there are."""
    with connect_as_admin(settings, settings.database("owner")) as admin:
        columns = [
            name
            for (name,) in admin.execute(
                "select column_name from information_schema.columns"
                " where table_schema = 'raw' and table_name = 'incident'"
            )
        ]
        [(own,)] = admin.execute("select count(distinct message_id) from raw.incident").fetchall()
        copies = max(-(-wanted // own) - 1, 0)
        admin.execute(
            f"insert into raw.incident ({', '.join(columns)})"  # noqa: S608  (names of the catalogue)
            f" select {', '.join(_OWN.get(name, name) for name in columns)}"
            " from raw.incident cross join generate_series(1, %s) as copies (copy)",
            [copies],
        )
        # What was read is counted from file to mart.
        admin.execute(
            "update raw.batch set rows_read = rows_read + %(copies)s * rows_loaded,"
            " rows_loaded = rows_loaded + %(copies)s * rows_loaded where entity = 'incident'",
            {"copies": copies},
        )
        admin.execute("vacuum (analyze)")
    return int(own * (copies + 1))
