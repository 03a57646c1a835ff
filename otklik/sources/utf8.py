"""Any encoding to UTF-8 as a stream, with bytes that do not belong made visible, not lost."""

import codecs
import io
import re
from typing import IO

import numpy as np
import polars as pl

SAMPLE = 1 << 20
_BLOCK = 1 << 20
_QUOTE = ord('"')

# A byte that is not text becomes a character of Unicode's private area, so that its row can be found
# and refused while the rest of the file is read. The landed file keeps the byte itself.
_PRIVATE = 0xF700
MISPLACED = f"[{chr(_PRIVATE + 0x80)}-{chr(_PRIVATE + 0xFF)}]"
_HANDLER = "otklik.misplaced"
_ANY_MISPLACED = re.compile(MISPLACED)

# First bytes of UTF-8's characters of 4, 3 and 2 bytes.
_WIDTHS = ((4, 0xF0), (3, 0xE0), (2, 0xC0))
_LEAD = 0xC0


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(_PRIVATE + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _mark)


def detect(sample: bytes) -> str:
    """Tell UTF-8 from cp1251 by a sample: text in cp1251 with a Russian word in it is never valid UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8"


def show(text: str) -> str:
    """Return the text as it can be stored and read: misplaced bytes as \\xNN, NUL as its symbol."""
    shown = (f"\\x{ord(c) - _PRIVATE:02x}" if _PRIVATE + 0x80 <= ord(c) <= _PRIVATE + 0xFF else c for c in text)
    return "".join(shown).replace("\x00", "\N{SYMBOL FOR NULL}")


class Utf8Stream(io.RawIOBase):
    """A readable stream of UTF-8 without a byte order mark, made from `stream` in `encoding`.

    `quotes` counts the double quotes that have passed; `odd` tells whether a NUL or a misplaced byte has.
    """

    def __init__(self, stream: IO[bytes], encoding: str = "auto") -> None:
        super().__init__()
        self._stream = stream
        self.quotes = 0
        self.odd = False
        sample = stream.read(SAMPLE)
        self.encoding = codecs.lookup(detect(sample) if encoding == "auto" else encoding).name
        self._is_utf8 = self.encoding in ("utf-8", "utf-8-sig")
        self._decoder = codecs.getincrementaldecoder(self.encoding)(errors=_HANDLER)
        self._tail = b""
        self._ready = memoryview(self._converted(sample.removeprefix(codecs.BOM_UTF8) if self._is_utf8 else sample))

    def readable(self) -> bool:
        """Say that the stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes; 0 at the end."""
        while not self._ready:
            block = self._stream.read(_BLOCK)
            self._ready = memoryview(self._converted(block, final=not block))
            if not block:
                break
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)

    def _converted(self, block: bytes, *, final: bool = False) -> bytes:
        if self._is_utf8:
            text = self._looked_through(self._whole_characters(block, final=final))
        else:
            text = self._decoded(block, final)
        self.odd = self.odd or b"\x00" in text
        self.quotes += int(np.count_nonzero(np.frombuffer(text, np.uint8) == _QUOTE))
        return text

    def _looked_through(self, block: bytes) -> bytes:
        """Return text that is UTF-8 already as it is: writing it anew would cost more than all the rest."""
        # polars checks UTF-8 several times faster than `decode`, which also makes the text.
        try:
            pl.Series([block], dtype=pl.Binary).cast(pl.String)
        except pl.exceptions.ComputeError:
            self.odd = True
            return block.decode(errors=_HANDLER).encode()
        return block

    def _decoded(self, block: bytes, final: bool) -> bytes:
        text = self._decoder.decode(block, final)
        self.odd = self.odd or bool(_ANY_MISPLACED.search(text))
        return text.encode()

    def _whole_characters(self, block: bytes, *, final: bool) -> bytes:
        """Hold back a character that the end of the block cuts through."""
        block = self._tail + block
        cut = len(block)
        if not final:
            # The last lead byte of a character of several bytes, if it stands where its character may be unfinished.
            lead = next((back for back in range(1, min(4, len(block)) + 1) if block[-back] >= _LEAD), 0)
            width = next((width for width, first in _WIDTHS if lead and block[-lead] >= first), 0)
            cut -= lead if width > lead else 0
        self._tail = block[cut:]
        return block[:cut]
