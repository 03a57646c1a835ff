"""Any encoding to UTF-8 as a stream, with bytes that do not belong made visible, not lost."""

import codecs
import io
from typing import IO

SAMPLE = 1 << 20
_BLOCK = 1 << 20

# A byte that is not text becomes a character of Unicode's private area, so that its row can be found
# and refused while the rest of the file is read. The landed file keeps the byte itself.
_PRIVATE = 0xF700
MISPLACED = f"[{chr(_PRIVATE + 0x80)}-{chr(_PRIVATE + 0xFF)}]"
_HANDLER = "otklik.misplaced"


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

    `quotes` counts the double quotes that have passed.
    """

    def __init__(self, stream: IO[bytes], encoding: str = "auto") -> None:
        super().__init__()
        self._stream = stream
        self.quotes = 0
        sample = stream.read(SAMPLE)
        self.encoding = detect(sample) if encoding == "auto" else encoding
        if codecs.lookup(self.encoding).name == "utf-8":
            self.encoding = "utf-8-sig"
        self._decoder = codecs.getincrementaldecoder(self.encoding)(errors=_HANDLER)
        self._ready = self._decode(sample)

    def readable(self) -> bool:
        """Say that the stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes; 0 at the end."""
        while not self._ready:
            block = self._stream.read(_BLOCK)
            if not block:
                self._ready = self._decode(b"", final=True)
                break
            self._ready = self._decode(block)
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)

    def _decode(self, block: bytes, *, final: bool = False) -> bytes:
        text = self._decoder.decode(block, final).encode()
        self.quotes += text.count(b'"')
        return text
