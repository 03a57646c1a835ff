"""One resident taken out of everything that Otklik keeps, on request; that it was done is kept, not for whom."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from otklik import __version__
from otklik.contracts.incident import INCIDENT, PERSONAL
from otklik.errors import OtklikError
from otklik.places import Place
from otklik.redaction import redacted
from otklik.settings import Settings
from otklik.warehouse import ledger

Progress = Callable[[str], None]
"""Told what is being done."""

# Shorter ones stand in a file by chance.
_SHORTEST = 4


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
        ledger.lock(connection)
        progress("Looking for the resident")
        hashes = _hashes(connection, author)
        words = _words(connection, hashes, author)
        rejected = _rejected(connection, words)
        progress("Rewriting the files that landed")
        files = _rewrite(connection, hashes, rejected, words, settings)
        progress("Erasing in the warehouse")
        versions = _blank_versions(connection, hashes)
        connection.execute(_BLANK_REJECTED, {"rows": rejected, "message": "Удалено по просьбе жителя"})
        rows = sum(_blank(connection, table, hashes) for table in _tables_with_authors(connection))
        connection.execute(
            "insert into quality.erasure (version_count, rejected_count, file_count, row_count, otklik_version)"
            " values (%s, %s, %s, %s, %s)",
            (versions, len(rejected), files, rows, __version__),
        )
    return Erasure(versions, len(rejected), files, rows)


def _hashes(connection: psycopg.Connection[Any], author: str) -> list[str]:
    """Return the keyed hashes of the author."""
    by_account = "select distinct author_hash from raw.incident where author_id = %(author)s or author_url = %(author)s"
    by_name = "select distinct author_hash from raw.incident where lower(author_name) = lower(%(author)s)"
    for question in (by_account, by_name):
        found = [one for (one,) in connection.execute(question.encode(), {"author": author}) if one is not None]
        if len(found) > 1 and question is by_name:
            raise ErasureError(
                f"{len(found)} residents bear that name: name the id or the address of the one who is meant"
            )
        if found:
            return found
    raise ErasureError("No message in the warehouse is of an author with that id, address or name; nothing was changed")


def _words(connection: psycopg.Connection[Any], hashes: list[str], author: str) -> list[str]:
    """Return everything personal that the messages of the author hold."""
    columns = sql.SQL(", ").join(map(sql.Identifier, sorted(PERSONAL)))
    rows = connection.execute(
        sql.SQL("select distinct {} from raw.incident where author_hash = any(%s)").format(columns), [hashes]
    ).fetchall()
    return sorted({word for row in rows for word in (*row, author) if word and len(word) >= _SHORTEST})


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
    landing = Place.landing(settings)
    query = """
        select distinct landed_path
        from raw.batch
        where batch_id in (
            select batch_id from raw.incident where author_hash = any(%s)
            union select batch_id from raw.rejected_row where rejected_row_id = any(%s)
        )
    """
    paths = [path for (path,) in connection.execute(query, [hashes, rejected])]
    with landing.named():
        for address in paths:
            path = landing.path_at(address)
            if not path.is_file():
                continue
            content = path.read_bytes()
            without = redacted(content, words)
            path.write_bytes(without)
            # An auditor finds the file changed, and here why.
            connection.execute(
                "insert into quality.erased_file (landed_path, sha256_before, sha256_after) values (%s, %s, %s)",
                (address, hashlib.sha256(content).hexdigest(), hashlib.sha256(without).hexdigest()),
            )
    return len(paths)


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


def _tables_with_authors(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return (schema, table) of every table outside `raw` that has hashes of authors, on both sides of the marts."""
    return connection.execute(
        "select nspname, relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
        " inner join pg_attribute on attrelid = pg_class.oid and attname = 'author_hash' and not attisdropped"
        " where relkind = 'r' and nspname not in ('raw', 'pg_catalog')"
    ).fetchall()


def _blank(connection: psycopg.Connection[Any], table: tuple[str, str], hashes: list[str]) -> int:
    update = sql.SQL("update {} set author_hash = null where author_hash = any(%s)")
    return connection.execute(update.format(sql.Identifier(*table)), [hashes]).rowcount
