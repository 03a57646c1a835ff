"""Whether an archive is what was signed, and whether its figures still follow from the rows of the warehouse."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from otklik.audit.archive import FORMAT, MANIFEST, SIGNATURE
from otklik.audit.definitions import Definition
from otklik.audit.figure import Figure, Period
from otklik.audit.signing import AuditKeyError, is_sealed, is_signed
from otklik.errors import OtklikError


class ArchiveError(OtklikError):
    """An archive that proves nothing: truncated, altered, foreign or unsigned; the message says which, and where."""


@dataclass(frozen=True)
class Difference:
    """A figure that the warehouse gives otherwise now."""

    metric: str
    archived: Decimal | None
    found: Decimal | None
    archived_rows: int
    found_rows: int


def verify(file: Path, public_key: str) -> dict[str, Any]:
    """Return the manifest of an archive of which nothing was altered since the owner of the key signed it.

    Raises ArchiveError.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _signed_manifest(archive, public_key)
            _compare_files(archive, manifest["files"])
        # What names no file of it (a date, an order, a flag) is held by the seal alone.
        if not is_sealed(file, public_key):
            raise ArchiveError("altered: what stands between its files is not what was signed")
    except FileNotFoundError:
        raise ArchiveError(f"{file}: there is no such file") from None
    except AuditKeyError:
        raise
    except ArchiveError as error:
        raise ArchiveError(f"{file}: {error}") from None
    except Exception as error:
        # A damaged archive makes its reader say many things.
        raise ArchiveError(f"{file}: truncated or damaged: {error}") from None
    return manifest


def compare_with_warehouse(file: Path, connection: psycopg.Connection[Any]) -> Iterator[Difference]:
    """Yield the figures of a verified archive that the warehouse gives otherwise now."""
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read(MANIFEST))
        through = date.fromisoformat(manifest["day"])
        period = Period(manifest["region_code"], through.year, through=through)
        for name in manifest["figures"]:
            told = json.loads(archive.read(f"figures/{name}.json"))
            value, count = Figure(connection, Definition(**told["definition"]), period).counted()
            archived = None if told["value"] is None else Decimal(told["value"])
            if (archived, told["row_count"]) != (value, count):
                yield Difference(name, archived, value, told["row_count"], count)


def _signed_manifest(archive: zipfile.ZipFile, public_key: str) -> dict[str, Any]:
    names = archive.namelist()
    if MANIFEST not in names:
        raise ArchiveError(f"not an archive of Otklik: it has no {MANIFEST}")
    if SIGNATURE not in names:
        raise ArchiveError(f"unsigned: it has no {SIGNATURE}")
    content, signature = archive.read(MANIFEST), json.loads(archive.read(SIGNATURE))
    if not is_signed(content, signature["signature"], public_key):
        if signature["public_key"] != public_key:
            raise ArchiveError(f"foreign: signed with the key {signature['public_key']}, not with {public_key}")
        raise ArchiveError(f"altered: the signature is not that of its {MANIFEST}")
    manifest: dict[str, Any] = json.loads(content)
    if manifest["format"] != FORMAT:
        raise ArchiveError(f"its format is {manifest['format']}, this version of Otklik reads {FORMAT}")
    return manifest


def _compare_files(archive: zipfile.ZipFile, hashes: dict[str, str]) -> None:
    names = [name for name in archive.namelist() if name not in (MANIFEST, SIGNATURE)]
    if twice := sorted({name for name in archive.namelist() if archive.namelist().count(name) > 1}):
        raise ArchiveError(f"altered: it has {', '.join(twice)} twice")
    if missing := sorted(hashes.keys() - set(names)):
        raise ArchiveError(f"altered: {', '.join(missing)} is missing")
    if strange := sorted(set(names) - hashes.keys()):
        raise ArchiveError(f"altered: {', '.join(strange)} was added")
    for name, sha256 in hashes.items():
        with archive.open(name) as part:
            if hashlib.file_digest(part, "sha256").hexdigest() != sha256:  # type: ignore[arg-type]
                raise ArchiveError(f"altered: {name} is not what was signed")
