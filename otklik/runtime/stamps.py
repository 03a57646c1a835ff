"""Stamps of work done, so that what has not changed is not done again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from otklik.settings import Settings
from otklik.warehouse.roles import connect_as_admin


def fingerprint(settings: Settings, database: str, values: Iterable[str], files: Iterable[Path] = ()) -> str:
    """Return a hash of what a piece of work depends on: a database, values, and the content of files.

    The database is known by its number in the server: one made anew under the same name counts as changed.
    """
    with connect_as_admin(settings) as admin:
        row = admin.execute("select oid from pg_database where datname = %s", (database,)).fetchone()
    digest = hashlib.sha256(repr((settings.db_host, settings.db_port, database, row, *values)).encode())
    for path in files:
        digest.update(str(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_done(settings: Settings, work: str, expected: str) -> bool:
    """Tell whether the work was last done with this fingerprint."""
    path = _path(settings, work)
    return path.exists() and path.read_text() == expected


def mark_done(settings: Settings, work: str, done: str) -> None:
    """Remember the fingerprint the work was done with."""
    _path(settings, work).write_text(done)


def _path(settings: Settings, work: str) -> Path:
    return settings.var / "run" / f"{work}.stamp"
