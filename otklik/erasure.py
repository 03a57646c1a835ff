"""One resident taken out of everything that Otklik keeps, on request; that it was done is kept, not for whom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from otklik import __version__
from otklik.contracts.incident import INCIDENT, PERSONAL
from otklik.errors import OtklikError
from otklik.places import Place
from otklik.privacy import keyed_hash
from otklik.redaction import long_enough, take_out
from otklik.settings import Settings
from otklik.warehouse import ledger
from otklik.warehouse.authors import ERASED_ROW, known_authors, tables_with_authors
from otklik.warehouse.builds import MARTS_LOCK

Progress = Callable[[str], None]
"""Told what is being done."""

_NOBODY = "No message and no refused row is of an author with that id, address or name; nothing was changed"


class ErasureError(OtklikError):
    """Nobody, or more than one resident, is meant; nothing was changed."""


@dataclass(frozen=True)
class Erasure:
    """What was taken out: versions of messages, refused rows, landed files rewritten, rows of marts."""

    versions: int
    rejected: int
    files: int
    rows: int


def erase(author: str, settings: Settings, progress: Progress = lambda step: None) -> Erasure:
    """Take a resident out, by the id, the address or the name that the source gives the author.

    Messages stay as messages of nobody, so that no figure changes but those of repeats. What was said, by whom and
    where goes from every version in `raw`, from refused rows, from the files that landed and from both sides of the
    marts; the same file coming again does not bring it back. Raises ErasureError when nobody is found, or when several
    residents bear the name.
    """
    with psycopg.connect(settings.dsn("owner")) as connection:
        progress("Waiting for loads and builds to end")
        connection.execute("select pg_advisory_xact_lock(%s)", [MARTS_LOCK])
        ledger.lock(connection)
        progress("Looking for the resident")
        keys = known_authors(connection, settings.author_keys).keys
        hashes = _hashes(connection, author, keys)
        words = _words(connection, hashes, author)
        rejected = _rejected(connection, words)
        if not hashes:
            if not rejected:
                raise ErasureError(_NOBODY)
            hashes = _hashed(author, keys)
        progress("Rewriting the files that landed")
        files = _rewrite(connection, hashes, rejected, words, settings)
        progress("Erasing in the warehouse")
        versions = _blank_versions(connection, hashes)
        connection.execute(_BLANK_REJECTED, {"rows": rejected, "message": ERASED_ROW})
        tables = [table for table in tables_with_authors(connection) if table[0] != "raw"]
        rows = sum(_blank(connection, table, hashes) for table in tables)
        connection.execute(
            "insert into quality.erasure (version_count, rejected_count, file_count, row_count, otklik_version)"
            " values (%s, %s, %s, %s, %s)",
            (versions, len(rejected), files, rows, __version__),
        )
    return Erasure(versions, len(rejected), files, rows)


def _hashes(connection: psycopg.Connection[Any], author: str, keys: Sequence[str]) -> list[str]:
    """Return the keyed hashes of the author: of what raw has of that id or address, else of that name.

    Where raw has the hash alone, because the text was too old to be kept, it is found by hashing what was given.
    """
    by_account = "select distinct author_hash from raw.incident where author_id = %(author)s or author_url = %(author)s"
    by_name = "select distinct author_hash from raw.incident where lower(author_name) = lower(%(author)s)"
    by_hash = "select distinct author_hash from raw.incident where author_hash = any(%(hashes)s)"
    for question in (by_account, by_name, by_hash):
        asked = connection.execute(question.encode(), {"author": author, "hashes": _hashed(author, keys)})
        found = [one for (one,) in asked if one is not None]
        if len(found) > 1 and question is by_name:
            raise ErasureError(
                f"{len(found)} residents bear that name: name the id or the address of the one who is meant"
            )
        if found:
            return found
    return []


def _hashed(author: str, keys: Sequence[str]) -> list[str]:
    """Return the keyed hashes of what was given, as an id or an address and as a name."""
    given = pl.DataFrame({"author": [author, author.lower()]})
    return given.select(keyed_hash(pl.col("author"), keys)).to_series().unique().to_list()


def _words(connection: psycopg.Connection[Any], hashes: list[str], author: str) -> list[str]:
    """Return everything personal that the messages of the author hold."""
    columns = sql.SQL(", ").join(map(sql.Identifier, sorted(PERSONAL)))
    rows = connection.execute(
        sql.SQL("select distinct {} from raw.incident where author_hash = any(%s)").format(columns), [hashes]
    ).fetchall()
    return sorted(long_enough([author, *(word for row in rows for word in row)]))


def _rejected(connection: psycopg.Connection[Any], words: list[str]) -> list[int]:
    """Return the refused rows in which any of the words is a whole cell."""
    query = """
        select distinct rejected_row_id
        from raw.rejected_row
        cross join lateral jsonb_path_query(original, '$.**') as cell
        where jsonb_typeof(cell) in ('string', 'number') and cell #>> '{}' = any(%s)
    """
    return [row for (row,) in connection.execute(query, [words])]


def _rewrite(
    connection: psycopg.Connection[Any], hashes: list[str], rejected: list[int], words: list[str], settings: Settings
) -> int:
    """Rewrite the landed files of these rows without the words; return how many."""
    query = """
        select distinct landed_path
        from raw.batch
        where batch_id in (
            select batch_id from raw.incident where author_hash = any(%s)
            union select batch_id from raw.rejected_row where rejected_row_id = any(%s)
        )
    """
    paths = connection.execute(query, [hashes, rejected]).fetchall()
    landing = Place.landing(settings)
    return sum(take_out(connection, landing, address, words) for (address,) in paths)


def _blank_versions(connection: psycopg.Connection[Any], hashes: list[str]) -> int:
    connection.execute(
        "insert into raw.erased_author (author_hash) select unnest(%s::text[]) on conflict do nothing", [hashes]
    )
    columns = (*sorted(PERSONAL), "masked_text", "author_hash")
    blank = sql.SQL(", ").join(sql.SQL("{} = null").format(sql.Identifier(name)) for name in columns)
    update = sql.SQL("update {} set {} where author_hash = any(%s)").format(sql.Identifier("raw", INCIDENT.name), blank)
    return connection.execute(update, [hashes]).rowcount


_BLANK_REJECTED = """
    update raw.rejected_row
    set
        original = '{}',
        shown_row = '{}',
        reasons = (
            select
                jsonb_agg(
                    jsonb_build_object(
                        'code', why -> 'code', 'column', why -> 'column', 'value', null, 'message', %(message)s::text
                    )
                )
            from jsonb_array_elements(reasons) as why
        ),
        shown_reasons = (
            select
                jsonb_agg(
                    jsonb_build_object('code', why -> 'code', 'column', why -> 'column', 'message', %(message)s::text)
                )
            from jsonb_array_elements(reasons) as why
        )
    where rejected_row_id = any(%(rows)s)
"""


def _blank(connection: psycopg.Connection[Any], table: tuple[str, str], hashes: list[str]) -> int:
    update = sql.SQL("update {} set author_hash = null where author_hash = any(%s)")
    return connection.execute(update.format(sql.Identifier(*table)), [hashes]).rowcount
