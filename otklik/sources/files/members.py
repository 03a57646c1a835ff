"""From a file to its streams: gzip and zip are opened, and a damaged one is told by name."""

import errno
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

from upath import UPath

from otklik.errors import FileError

# Forms whose files may be workbooks, each itself a zip.
_WORKBOOKS = ("xlsx", "limesurvey")
GZIP, ZIP, OFFICE_ENCRYPTED = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Member:
    """One stream of rows: `name` is the file's, with the member's behind it inside a zip."""

    name: str
    stream: IO[bytes]


def open_members(path: UPath, name: str, form: str) -> Iterator[Member]:
    """Open each member of the file `path`, called `name`, in turn; its stream is closed when the next is asked for.

    A workbook is itself a zip, so for a `form` of workbooks a zip is opened only when its name says .zip.
    Raise FileError for an empty, damaged or protected file.
    """
    start = _first_bytes(path)
    if not start:
        raise FileError(f"{name}: the file is empty; ask the source to export it again")
    with damage_named(name), path.open("rb") as stream:
        if start.startswith(GZIP):
            with gzip.open(stream) as inner:
                yield Member(name, cast(IO[bytes], inner))
        elif start.startswith(ZIP) and (form not in _WORKBOOKS or name.lower().endswith(".zip")):
            yield from _zip_members(name, cast(IO[bytes], stream))
        else:
            yield Member(name, cast(IO[bytes], stream))


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn what the decompressors raise on a damaged file into a FileError that names it."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise FileError(f"{name}: the archive is cut off or damaged ({error}); copy it again from the source") from None
    except NotImplementedError as error:
        raise FileError(f"{name}: packed in a way that cannot be read ({error}); pack it as an ordinary zip") from None
    except OSError as error:
        # What is left of a zip may name places before the file's beginning.
        if error.errno != errno.EINVAL:
            raise
        raise FileError(f"{name}: the archive is cut off or damaged; copy it again from the source") from None


def _zip_members(name: str, stream: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(stream) as archive:
        members = [
            info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")
        ]
        if not members:
            raise FileError(f"{name}: the archive holds no file")
        for info in members:
            if info.flag_bits & 0x1:
                raise FileError(f"{name}: {info.filename} is protected by a password; export it without one")
            with archive.open(info) as inner:
                yield Member(f"{name}/{info.filename}", inner)


def _first_bytes(path: UPath) -> bytes:
    with path.open("rb") as stream:
        return bytes(stream.read(8))
