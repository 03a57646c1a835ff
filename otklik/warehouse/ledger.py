"""The ledger: one line for each file read, written in the same transaction as its rows.

`rows_read = rows_loaded + rows_rejected + rows_unchanged` holds on every line; the table checks it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from psycopg.rows import class_row

from otklik import __version__
from otklik.errors import SourceError
from otklik.interval import Interval
from otklik.mapping import Region

# Held from before a line's birth to its commit: batch ids become visible in their order, so a model
# that remembers the greatest id it has seen never misses a batch, and no file is loaded twice at once.
LEDGER_LOCK = 0x07_0C_11_4B


@dataclass(frozen=True)
class BatchReport:
    """A ledger line as its reader needs it."""

    batch_id: int
    source: str
    entity: str
    file_name: str
    status: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_unchanged: int
    rows_deleted: int
    error: str | None
    finished_at: datetime


@dataclass(frozen=True)
class Line:
    """What a ledger line says of its file, before any row is read."""

    source: str
    entity: str
    region_code: str
    file_name: str
    landed_path: str
    content_sha256: str
    mapping_sha256: str
    file_bytes: int


_REPORT = """
    select batch_id, source, entity, file_name, status, rows_read, rows_loaded, rows_rejected, rows_unchanged,
           rows_deleted, error, finished_at
    from raw.batch
"""
_RENEW = "update raw.batch set error = %(error)s, started_at = %(started_at)s, finished_at = clock_timestamp()"
_SAME_FILE = """
    where source = %(source)s and entity = %(entity)s and file_name = %(file_name)s
      and content_sha256 = %(content_sha256)s and mapping_sha256 = %(mapping_sha256)s
"""


def loaded_before(connection: psycopg.Connection[Any], line: Line) -> BatchReport | None:
    """Return the line of the same file, read by the same mapping, if it was loaded."""
    with connection.cursor(row_factory=class_row(BatchReport)) as cursor:
        return cursor.execute(_REPORT + _SAME_FILE + " and status = 'loaded'", vars(line)).fetchone()


def gone(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """Return the SHA-256 of what had landed and out of which something was taken since."""
    query = "select sha256_before from quality.erased_file union select content_sha256 from quality.retired_file"
    return frozenset(sha256 for (sha256,) in connection.execute(query))


def lines_of(
    connection: psycopg.Connection[Any], source: str, content_sha256: str, mapping_sha256: str
) -> list[BatchReport]:
    """Return the lines of a content that a source brought and that was loaded by a mapping."""
    query = _REPORT + (
        " where source = %s and content_sha256 = %s and mapping_sha256 = %s and status = 'loaded' order by batch_id"
    )
    with connection.cursor(row_factory=class_row(BatchReport)) as cursor:
        return cursor.execute(query.encode(), (source, content_sha256, mapping_sha256)).fetchall()


def lock(connection: psycopg.Connection[Any]) -> None:
    """Make the ledger ours until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", [LEDGER_LOCK])


def open_line(connection: psycopg.Connection[Any], line: Line, interval: Interval, known_at: datetime) -> int:
    """Write the line of a load that begins and return its batch id; nothing in it is later than `known_at`."""
    return _insert(connection, line, interval, {"started_at": datetime.now(UTC), "known_at": known_at, "error": None})


class Counts(Protocol):
    """What became of the rows of a batch."""

    loaded: int
    rejected: int
    unchanged: int
    deleted: int


def close_line(connection: psycopg.Connection[Any], batch_id: int, counts: Counts) -> BatchReport:
    """Write the counts of a load that ends."""
    connection.execute(
        """
        update raw.batch
        set rows_read = %(loaded)s::bigint + %(rejected)s + %(unchanged)s,
            rows_loaded = %(loaded)s, rows_rejected = %(rejected)s, rows_unchanged = %(unchanged)s,
            rows_deleted = %(deleted)s, finished_at = clock_timestamp()
        where batch_id = %(batch_id)s
        """,
        {
            "batch_id": batch_id,
            "loaded": counts.loaded,
            "rejected": counts.rejected,
            "unchanged": counts.unchanged,
            "deleted": counts.deleted,
        },
    )
    with connection.cursor(row_factory=class_row(BatchReport)) as cursor:
        [report] = cursor.execute(_REPORT + " where batch_id = %s", [batch_id]).fetchall()
    return report


def record_failure(
    connection: psycopg.Connection[Any], line: Line, interval: Interval, started_at: datetime, error: str
) -> None:
    """Write that a file could not be read; the same file failing again renews its line."""
    renewed = connection.execute(
        _RENEW + _SAME_FILE + " and status = 'failed'",
        vars(line) | {"error": error, "started_at": started_at},
    )
    if not renewed.rowcount:
        lock(connection)
        _insert(connection, line, interval, {"started_at": started_at, "known_at": interval.end, "error": error})


def register_region(connection: psycopg.Connection[Any], region: Region) -> None:
    """Make the region known, or bring its name and zone up to date."""
    connection.execute(
        """
        insert into raw.region (region_code, name, time_zone) values (%(code)s, %(name)s, %(time_zone)s)
        on conflict (region_code) do update
        set name = excluded.name, time_zone = excluded.time_zone, updated_at = now()
        where (region.name, region.time_zone) is distinct from (excluded.name, excluded.time_zone)
        """,
        region.model_dump(),
    )


def require_region(connection: psycopg.Connection[Any], region_code: str, source: str) -> None:
    """Raise SourceError where no mapping has made the region known."""
    if not connection.execute("select 1 from raw.region where region_code = %s", [region_code]).fetchone():
        raise SourceError(
            f"{source}: region «{region_code}» is not known; correct region in the connection's extra, "
            "or load a file of that region first: its mapping names the region and its time zone"
        )


def _insert(connection: psycopg.Connection[Any], line: Line, interval: Interval, outcome: dict[str, Any]) -> int:
    [(batch_id,)] = connection.execute(
        """
        insert into raw.batch (
            source, entity, region_code, interval_from, interval_to, file_name, landed_path, content_sha256,
            mapping_sha256, file_bytes, status, error, started_at, finished_at, otklik_version, known_at
        )
        values (
            %(source)s, %(entity)s, %(region_code)s, %(interval_from)s, %(interval_to)s, %(file_name)s,
            %(landed_path)s, %(content_sha256)s, %(mapping_sha256)s, %(file_bytes)s, %(status)s, %(error)s,
            %(started_at)s, clock_timestamp(), %(version)s, %(known_at)s
        )
        returning batch_id
        """,
        vars(line)
        | outcome
        | {
            "interval_from": interval.start,
            "interval_to": interval.end,
            "status": "failed" if outcome["error"] else "loaded",
            "version": __version__,
        },
    ).fetchall()
    return int(batch_id)
