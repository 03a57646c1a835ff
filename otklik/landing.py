"""The landing zone: what came, unchanged, so that everything after it can be replayed.

A file lands as `<zone>/<source>/<first day of its interval>/<hash>-<name>`; the zone is a folder here or
any address `fsspec` knows (an Airflow ObjectStoragePath is one).
"""

import hashlib
import os
import uuid
from dataclasses import dataclass

from upath import UPath

from otklik.errors import FileError
from otklik.interval import Interval

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Landed:
    """A file in the landing zone, with the SHA-256 and size of its bytes."""

    name: str
    path: UPath
    sha256: str
    size: int


def land(zone: UPath, source: str, file: UPath, interval: Interval) -> Landed:
    """Copy the file into the landing zone; landing the same bytes again changes nothing."""
    folder = zone / source / interval.start.date().isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    # The name needs the hash, the hash needs the bytes: copy under a passing name, then rename.
    arriving = folder / f".{uuid.uuid4().hex}.arriving"
    try:
        sha256, size = _copy(file, arriving)
        path = folder / f"{sha256[:16]}-{file.name}"
        arriving.rename(path)
    except FileNotFoundError:
        raise FileError(f"{file.name}: there is no such file as {file}") from None
    except IsADirectoryError:
        raise FileError(f"{file.name}: {file} is a folder, not a file") from None
    except PermissionError as error:
        raise FileError(f"{file.name}: {error.filename or file} may not be read; grant its reading") from None
    finally:
        arriving.unlink(missing_ok=True)
    return Landed(file.name, path, sha256, size)


def _copy(file: UPath, to: UPath) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    # One buffer for all of it: memory that is new for every block costs more than the copying.
    buffer = memoryview(bytearray(_BLOCK))
    with file.open("rb") as incoming, to.open("wb") as outgoing:
        while length := incoming.readinto(buffer):  # type: ignore[attr-defined]
            digest.update(buffer[:length])
            size += outgoing.write(buffer[:length])
        if hasattr(outgoing, "fileno"):
            outgoing.flush()
            os.fsync(outgoing.fileno())
    return digest.hexdigest(), size
