"""The keys that authors are hashed by: which the warehouse uses, and how another one comes to be used."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from otklik.layout import Layout
from otklik.privacy import author_hash, keyed_hash
from otklik.redaction import long_enough
from otklik.settings import Settings, SettingsError, add_author_key
from otklik.sources.rows import Rejected
from otklik.warehouse import ledger
from otklik.warehouse.builds import MARTS_LOCK

Progress = Callable[[str], None]
"""Told what is being done."""

ERASED_ROW = "Удалено по просьбе жителя"
"""What a refused row says of itself when its author was erased."""

# No author is called so: what it is hashed to tells keys apart and tells nothing of them.
_NOBODY = "\x00nobody"


@dataclass(frozen=True)
class Authors:
    """How authors are hashed, and the hashes of those who were erased: their rows are stored without them."""

    keys: Sequence[str]
    erased: frozenset[str] = frozenset()

    def forget(self, refused: list[Rejected], layout: Layout) -> tuple[list[Rejected], frozenset[str]]:
        """Return refused rows, those of erased authors without what they say, and the words that were taken out."""
        fields = [name for name in layout.entity.author if name in layout.columns]
        if not (self.erased and fields and refused):
            return refused, frozenset()
        told = {name: [_cell(row, layout.columns[name]) for row in refused] for name in fields}
        hashes = pl.DataFrame(told, schema=dict.fromkeys(fields, pl.String)).select(author_hash(fields, self.keys))
        is_erased = hashes.to_series().is_in(list(self.erased)).fill_null(False).to_list()
        personal = [layout.columns[name] for name in layout.entity.personal if name in layout.columns]
        gone = [row for row, erased in zip(refused, is_erased, strict=True) if erased]
        words = long_enough(_cell(row, column) for row in gone for column in personal)
        return [_forgotten(row) if one else row for row, one in zip(refused, is_erased, strict=True)], words


def known_authors(connection: psycopg.Connection[Any], keys: Sequence[str]) -> Authors:
    """Return how the warehouse hashes authors; the first load of all decides it.

    Raises SettingsError when it is by other keys: a resident's messages would not be tied together any more.
    """
    in_use = _keys_in_use(connection, keys)
    if in_use == 0:
        connection.execute("insert into quality.author_key (fingerprint) values (%s)", [_fingerprint(keys)])
    elif in_use < len(keys):
        raise SettingsError(
            "OTKLIK_AUTHOR_KEY has a key that the warehouse does not use yet: run `otklik rotate-author-key`"
        )
    erased = connection.execute("select author_hash from raw.erased_author").fetchall()
    return Authors(keys, frozenset(one for (one,) in erased))


def rotate_key(settings: Settings, progress: Progress = lambda step: None) -> int:
    """Hash every author once more by one more key, in `raw` and on both sides of the marts; return how many there are.

    Whoever had the same hash as another has it still, so that repeats stay tied together, of erased messages, too.
    The key is added to `.env`, or is the one that OTKLIK_AUTHOR_KEY already has beyond those in use.
    """
    with psycopg.connect(settings.dsn("owner")) as connection:
        progress("Waiting for loads and builds to end")
        connection.execute("select pg_advisory_xact_lock(%s)", [MARTS_LOCK])
        ledger.lock(connection)
        in_use = _keys_in_use(connection, settings.author_keys)
        if in_use == len(settings.author_keys):
            settings = add_author_key(settings)
        keys = settings.author_keys
        progress("Hashing the authors once more")
        tables = tables_with_authors(connection)
        count = _note_rotation(connection, tables, keys[in_use:])
        for schema, table in tables:
            progress(f"Writing {schema}.{table}")
            update = "update {} as told set author_hash = rotation.new from rotation where author_hash = rotation.old"
            connection.execute(sql.SQL(update).format(sql.Identifier(schema, table)))
        connection.execute("insert into quality.author_key (fingerprint) values (%s)", [_fingerprint(keys)])
    return count


def tables_with_authors(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return (schema, table) of every table that has hashes of authors: those of `raw` and both sides of the marts."""
    return connection.execute(
        "select nspname, relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
        " inner join pg_attribute on attrelid = pg_class.oid and attname = 'author_hash' and not attisdropped"
        " where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') order by 1, 2"
    ).fetchall()


def _cell(row: Rejected, column: str) -> str | None:
    cell = row.original.get(column)
    return str(cell).strip() or None if cell is not None else None


def _forgotten(row: Rejected) -> Rejected:
    return replace(row, reasons=[why._replace(value=None, message=ERASED_ROW) for why in row.reasons], original={})


def _note_rotation(connection: psycopg.Connection[Any], tables: list[tuple[str, str]], keys: Sequence[str]) -> int:
    """Write the old and the new hash of every author into the temporary table `rotation`; return how many there are."""
    union = sql.SQL(" union ").join(
        sql.SQL("select author_hash from {} where author_hash is not null").format(sql.Identifier(*table))
        for table in tables
    )
    hashes = pl.Series("old", [one for (one,) in connection.execute(union)], dtype=pl.String).to_frame()
    connection.execute("create temporary table rotation (old text primary key, new text not null) on commit drop")
    with connection.cursor() as cursor, cursor.copy("copy rotation (old, new) from stdin") as copy:
        for row in hashes.select("old", keyed_hash(pl.col("old"), keys).alias("new")).iter_rows():
            copy.write_row(row)
    connection.execute("analyze rotation")
    return hashes.height


def _keys_in_use(connection: psycopg.Connection[Any], keys: Sequence[str]) -> int:
    """Return how many of the keys, from the first on, the warehouse uses; 0 when nothing was loaded yet."""
    newest = connection.execute(
        "select fingerprint from quality.author_key order by author_key_id desc limit 1"
    ).fetchone()
    if newest is None:
        return 0
    for count in range(1, len(keys) + 1):
        if newest == (_fingerprint(keys[:count]),):
            return count
    raise SettingsError(
        "OTKLIK_AUTHOR_KEY is not the key that authors in the warehouse are hashed by, so that a resident's messages"
        " would not be tied together: put the kept one back. If it was rotated while this was running, start it again"
    )


def _fingerprint(keys: Sequence[str]) -> str:
    [told] = pl.select(keyed_hash(pl.lit(_NOBODY), keys)).to_series()
    return str(told)
