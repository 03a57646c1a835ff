"""Incident rows into `raw`: new versions by COPY, refused rows with their reasons, unchanged rows left out."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
import psycopg
from psycopg.types.json import Jsonb

from otklik.authors import author_hashes
from otklik.contracts.incident import Incident
from otklik.sources.files import Rejected

ROW_NUMBER = "row_number"
_CONTENT = [name for name in Incident.column_names() if name not in (ROW_NUMBER, "known_at")]
_KEY = ["message_id", "updated_at"]


class Contradiction(NamedTuple):
    """A row that says otherwise than row `first` of the same file about the same version of a message."""

    row_number: int
    message_id: str
    first: int


class IncidentLoad:
    """The rows of one batch on their way into `raw`, inside the caller's transaction.

    Counts what became of every row; a row is known by its message and update time.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], batch_id: int, source: str, region_code: str, author_key: str
    ) -> None:
        self.loaded = self.rejected = self.unchanged = 0
        self._connection = connection
        self._batch_id = batch_id
        self._source = source
        self._region_code = region_code
        self._author_key = author_key
        self._seen = pl.DataFrame(
            schema={
                "message_id": pl.String,
                "updated_at": pl.Datetime("us", "UTC"),
                "row_hash": pl.String,
                "first": pl.Int64,
            }
        )
        # Whether the source has a past here at all: a first load then compares with nothing.
        self._has_past = self._any_version()
        connection.execute(
            "create temporary table incoming"
            " (row_number bigint, message_id text, updated_at timestamptz, row_hash text) on commit drop"
        )

    def add(self, valid: pl.DataFrame, known_at: datetime) -> list[Contradiction]:
        """Load the valid rows of a chunk that are new; return those that contradict an earlier row of the file.

        A source without an update time of its own gives each row the end of the night it came with.
        """
        own_time = valid["updated_at"].is_not_null()
        rows = valid.with_columns(_row_hash(valid), pl.col("updated_at").fill_null(known_at))
        rows, repeated, contradicting = self._within_file(rows)
        new = rows
        if self._has_past and rows.height:
            dated = rows.join(valid.filter(own_time).select(ROW_NUMBER), on=ROW_NUMBER, how="semi")
            undated = rows.join(dated.select(ROW_NUMBER), on=ROW_NUMBER, how="anti")
            known = self._known(dated, _SAME_VERSION) + self._known(undated, _SAME_AS_BEFORE)
            new = rows.filter(~pl.col(ROW_NUMBER).is_in(known))
        self._copy(new)
        self.loaded += new.height
        self.unchanged += repeated + rows.height - new.height
        return contradicting

    def reject(self, rejected: Iterable[Rejected]) -> None:
        """Keep the refused rows with their reasons."""
        statement = "copy raw.rejected_row (batch_id, row_number, reasons, original) from stdin"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rejected:
                reasons = [why._asdict() for why in row.reasons]
                copy.write_row((self._batch_id, row.row_number, Jsonb(reasons), Jsonb(row.original)))
                self.rejected += 1

    def _any_version(self) -> bool:
        found = self._connection.execute(
            "select exists (select 1 from raw.incident where region_code = %s and source = %s)",
            [self._region_code, self._source],
        ).fetchone()
        return bool(found and found[0])

    def _within_file(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, int, list[Contradiction]]:
        """Split off rows whose key the file has had: the same again, or a contradiction."""
        arriving = rows.select(*_KEY, "row_hash", pl.col(ROW_NUMBER).alias("first"))
        self._seen = pl.concat([self._seen, arriving]).unique(_KEY, keep="first", maintain_order=True)
        matched = rows.join(self._seen, on=_KEY, how="left", suffix="_seen", maintain_order="left")
        again = matched.filter(pl.col("first") != pl.col(ROW_NUMBER))
        contradicting = again.filter(pl.col("row_hash") != pl.col("row_hash_seen"))
        fresh = rows.join(again.select(ROW_NUMBER), on=ROW_NUMBER, how="anti", maintain_order="left")
        contradictions = [Contradiction(*row) for row in contradicting.select(Contradiction._fields).rows()]
        return fresh, again.height - contradicting.height, contradictions

    def _known(self, rows: pl.DataFrame, query: str) -> list[int]:
        """Return the numbers of rows that `raw` holds already."""
        if rows.is_empty():
            return []
        with self._connection.cursor() as cursor:
            cursor.execute("truncate incoming")
            columns = (ROW_NUMBER, *_KEY, "row_hash")
            _copy_frame(cursor, f"copy incoming ({', '.join(columns)}) from stdin (format csv)", rows.select(columns))
            cursor.execute("analyze incoming")
            cursor.execute(query, {"region_code": self._region_code, "source": self._source})
            return [number for (number,) in cursor.fetchall()]

    def _copy(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        stored = rows.select(
            pl.lit(self._batch_id).alias("batch_id"),
            ROW_NUMBER,
            pl.lit(self._region_code).alias("region_code"),
            pl.lit(self._source).alias("source"),
            "row_hash",
            *_CONTENT,
            author_hashes(rows, self._author_key).alias("author_hash"),
        )
        with self._connection.cursor() as cursor:
            _copy_frame(cursor, f"copy raw.incident ({', '.join(stored.columns)}) from stdin (format csv)", stored)


_SAME_VERSION = """
    select incoming.row_number
    from incoming
    where exists (
        select 1 from raw.incident as had
        where had.region_code = %(region_code)s and had.source = %(source)s
          and had.message_id = incoming.message_id and had.updated_at = incoming.updated_at
          and had.row_hash = incoming.row_hash
    )
"""

# Without an update time the night itself is the version: a row is news when it differs from the last
# one known by then.
_SAME_AS_BEFORE = """
    select incoming.row_number
    from incoming
    cross join lateral (
        select had.row_hash
        from raw.incident as had
        where had.region_code = %(region_code)s and had.source = %(source)s
          and had.message_id = incoming.message_id and had.updated_at <= incoming.updated_at
        order by had.updated_at desc, had.batch_id desc
        limit 1
    ) as before
    where before.row_hash = incoming.row_hash
"""


def _row_hash(rows: pl.DataFrame) -> pl.Series:
    """Hash the content of each row; unknown differs from every value."""
    text = rows.select(
        pl.concat_str([pl.col(name).cast(pl.String).fill_null("\x00") for name in _CONTENT], separator="\x1f")
    ).to_series()
    return pl.Series("row_hash", [hashlib.blake2b(row.encode(), digest_size=16).hexdigest() for row in text], pl.String)


def _copy_frame(cursor: psycopg.Cursor[Any], statement: str, rows: pl.DataFrame) -> None:
    """Stream the frame; there are no empty strings in it, so an empty cell is NULL."""
    with cursor.copy(statement) as copy:
        for part in rows.iter_slices(20_000):
            copy.write(part.write_csv(include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6f+00").encode())
