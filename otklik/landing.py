"""The landing zone: what came, unchanged, so that everything after it can be replayed.

A file lands as `<zone>/<source>/<first day of its interval>/<hash>-<name>`; the zone is a folder here or
any address `fsspec` knows. Under that name it is there whole or not at all: a folder renames, a store copies.
"""

import gzip
import hashlib
import io
import os
import uuid
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import IO

from upath import UPath

from otklik.errors import FileError, UnreachableError
from otklik.interval import Interval
from otklik.places import has_folders, is_local
from otklik.sources.records import Answer

_BLOCK = 1 << 20
# So many digits of the hash are in the name of what has landed.
_HASH = 16


@dataclass(frozen=True)
class Landed:
    """A file in the landing zone, with the SHA-256 and size of its bytes."""

    name: str
    path: UPath
    sha256: str
    size: int
    settling: Future[None] | None = field(default=None, repr=False, compare=False)

    def settle(self) -> None:
        """Wait until the file outlives a power cut: whoever commits a word about it, waits before."""
        if self.settling:
            self.settling.result()


def land_answers(zone: UPath, source: str, part: str, answers: Iterable[Answer], interval: Interval) -> Landed:
    """Write answers as gzipped JSON Lines into the landing zone, under the name `<part>.jsonl.gz`."""
    lines = "".join(answer.as_line() + "\n" for answer in answers)
    # No time of making in it: the same answers are the same bytes.
    # Half of a surrogate pair is \uNNNN in the file, which JSON reads as what it was.
    packed = gzip.compress(lines.encode("utf-8", "backslashreplace"), mtime=0)
    folder = _folder(zone, source, interval)
    arriving = folder / f".{uuid.uuid4().hex}.arriving"
    try:
        sha256, size = _copy(io.BytesIO(packed), arriving)
        _sync(arriving)
        name = f"{part}.jsonl.gz"
        path = folder / f"{sha256[:_HASH]}-{name}"
        arriving.rename(path)
    finally:
        arriving.unlink(missing_ok=True)
    return Landed(name, path, sha256, size)


def landed_answers(zone: UPath, source: str, part: str, interval: Interval) -> list[Landed]:
    """Return what has landed of a part before, oldest first; `part` may hold the wildcard *."""
    # All of the hash is matched: a region's code may end like that of another.
    pattern = f"{'?' * _HASH}-{part}.jsonl.gz"
    found = sorted(_folder(zone, source, interval).glob(pattern), key=lambda path: path.stat().st_mtime)
    return [_found(path) for path in found]


def read_answers(landed: Landed) -> Iterator[Answer]:
    """Yield the answers of a landed file."""
    with landed.path.open("rb") as packed, gzip.open(packed, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield Answer.of_line(line)


def _found(path: UPath) -> Landed:
    content = path.read_bytes()
    return Landed(path.name.partition("-")[2], path, hashlib.sha256(content).hexdigest(), len(content))


def _folder(zone: UPath, source: str, interval: Interval) -> UPath:
    folder = zone / source / interval.start.date().isoformat()
    if has_folders(zone):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


class GoneError(FileError):
    """The content has landed before, and was taken out since: it does not land again."""

    def __init__(self, name: str, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(
            f"{name}: this very file has landed before, and what residents said was taken out of it since, on request"
            " or because it was too old to be kept; it is not taken in again. Export it anew, without them"
        )


def land(zone: UPath, source: str, file: UPath, interval: Interval, gone: Collection[str] = ()) -> Landed:
    """Copy the file into the landing zone; landing the same bytes again changes nothing.

    The disk goes on writing it afterwards: see `Landed.settle`. Raises GoneError where the SHA-256 is among the `gone`.
    """
    folder = _folder(zone, source, interval)
    # The name needs the hash, the hash needs the bytes: copy under a passing name, then rename.
    arriving = folder / f".{uuid.uuid4().hex}.arriving"
    try:
        with _opened(file) as incoming:
            sha256, size = _copy(incoming, arriving)
        if sha256 in gone:
            raise GoneError(file.name, sha256)
        path = folder / f"{sha256[:_HASH]}-{file.name}"
        if path.exists():
            # What is safe already may not be replaced by what is not yet.
            _sync(arriving)
        arriving.rename(path)
    finally:
        arriving.unlink(missing_ok=True)
    with ThreadPoolExecutor(1, "settling") as behind:
        settling = behind.submit(_sync, path)
        behind.shutdown(wait=False)
    return Landed(file.name, path, sha256, size, settling)


def _opened(file: UPath) -> IO[bytes]:
    try:
        return file.open("rb")
    except FileNotFoundError:
        raise FileError(f"{file.name}: there is no such file as {file}") from None
    except IsADirectoryError:
        raise FileError(f"{file.name}: {file} is a folder, not a file") from None
    except PermissionError:
        raise FileError(f"{file.name}: {file} may not be read; grant its reading") from None
    except OSError as error:
        raise UnreachableError(f"{file.name}: {file} cannot be read now: {error}") from None


def _copy(incoming: IO[bytes], to: UPath) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    # Two buffers for all of it, one read into while the other is hashed: memory that is new for every block costs
    # more than the copying.
    buffers = cycle([memoryview(bytearray(_BLOCK)), memoryview(bytearray(_BLOCK))])
    with to.open("wb") as outgoing, ThreadPoolExecutor(1, "hashing") as beside:
        hashed: Future[None] | None = None
        for buffer in buffers:
            length = _fill(buffer, incoming)
            if hashed:
                hashed.result()
            if not length:
                break
            hashed = beside.submit(digest.update, buffer[:length])
            outgoing.write(buffer[:length])
            size += length
    return digest.hexdigest(), size


def _fill(buffer: memoryview, incoming: IO[bytes]) -> int:
    if isinstance(incoming, io.RawIOBase | io.BufferedIOBase):
        return incoming.readinto(buffer) or 0
    # Files of other machines know only how to be read.
    block = incoming.read(len(buffer))
    buffer[: len(block)] = block
    return len(block)


def _sync(path: UPath) -> None:
    if is_local(path):
        with path.open("rb") as file:
            os.fsync(file.fileno())
