"""Frames into the database by COPY, in PostgreSQL's binary format: nothing is written as text to be parsed again."""

from typing import Any

import polars as pl
import psycopg
from pgpq import ArrowToPostgresBinaryEncoder


def copy_frame(cursor: psycopg.Cursor[Any], table: str, rows: pl.DataFrame) -> None:
    """Copy the rows into the table's columns of the same names; their types must be the table's own."""
    copy_binary(cursor, table, rows.columns, as_binary(rows))


def copy_binary(cursor: psycopg.Cursor[Any], table: str, columns: list[str], data: list[bytes]) -> None:
    """Copy rows that `as_binary` has made of a frame with these columns."""
    names = ", ".join(f'"{name}"' for name in columns)
    with cursor.copy(f"copy {table} ({names}) from stdin (format binary)") as copy:
        for part in data:
            copy.write(part)


def as_binary(rows: pl.DataFrame) -> list[bytes]:
    """Return the rows as COPY reads them, in parts."""
    # polars' own form of text: any other would have to be made of it first.
    arrow = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    encoder = ArrowToPostgresBinaryEncoder(arrow.schema)
    return [encoder.write_header(), *map(encoder.write_batch, arrow.to_batches()), encoder.finish()]
