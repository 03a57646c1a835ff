"""Words taken out of a file whatever its form: plain, gzipped or zipped, in any encoding files of this kind come in."""

import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

import psycopg

from otklik.places import Place

# ASCII, so that it is right in whatever encoding the file is.
ERASED = "[erased]"
# Shorter ones stand in a file by chance.
_SHORTEST = 4
_ENCODINGS = ("utf-8", "cp1251", "utf-16-le")


def long_enough(words: Iterable[str | None]) -> frozenset[str]:
    """Return those of the words that can be told from what stands in a file by chance."""
    return frozenset(word for word in words if word and len(word) >= _SHORTEST)


def redacted(content: bytes, words: Collection[str]) -> bytes:
    """Return the content with every one of the words replaced, as a file of the same form.

    A word counts where it stands by itself: no letter or digit of ASCII goes on before or after it.
    """
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(redacted(gzip.decompress(content), words), mtime=0)
    if zipfile.is_zipfile(io.BytesIO(content)):
        return _redacted_zip(content, words)
    for encoding in _ENCODINGS:
        # The longest first: a text may hold the name that stands by itself elsewhere.
        for form in sorted(_forms(words, encoding), key=len, reverse=True):
            content = _pattern(form, encoding).sub(ERASED.encode(encoding), content)
    return content


def take_out(connection: psycopg.Connection[Any], landing: Place, address: str, words: Collection[str]) -> bool:
    """Rewrite a landed file without the words, and note why it is not what had come; tell whether it was there."""
    path = landing.path_at(address)
    with landing.named():
        if not path.is_file():
            return False
        content = path.read_bytes()
        without = redacted(content, words)
        # Put in its place at once, so that nobody reads half of it.
        arriving = path.with_name(f".{path.name}.arriving")
        arriving.write_bytes(without)
        arriving.rename(path)
    connection.execute(
        "insert into quality.erased_file (landed_path, sha256_before, sha256_after) values (%s, %s, %s)"
        " on conflict do nothing",
        (address, hashlib.sha256(content).hexdigest(), hashlib.sha256(without).hexdigest()),
    )
    return True


def _redacted_zip(content: bytes, words: Collection[str]) -> bytes:
    rewritten = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(rewritten, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member, redacted(old.read(member), words))
    return rewritten.getvalue()


def _forms(words: Collection[str], encoding: str) -> Iterator[bytes]:
    """Yield the ways in which CSV, JSON and XML write each word."""
    for word in words:
        written = {word, word.replace('"', '""'), json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}
        written |= {escape(word), escape(word, {'"': "&quot;"}), word.replace("/", "\\/")}
        for form in written:
            try:
                yield form.encode(encoding)
            except UnicodeEncodeError:
                continue


def _pattern(form: bytes, encoding: str) -> re.Pattern[bytes]:
    # In UTF-16 a letter of ASCII is two bytes, so what stands beside a word is another thing.
    zero = b"\x00" if encoding == "utf-16-le" else b""
    return re.compile(rb"(?<![0-9A-Za-z_]" + zero + rb")" + re.escape(form) + rb"(?![0-9A-Za-z_])")
