"""What the sources of residents' messages share: how what a system says becomes the text of a record."""

import json
from datetime import UTC, datetime
from typing import Any

from otklik.sources.records import Record

_SHOWN = 2_000


def as_text(value: Any) -> str | None:
    """Return a value as text that any store takes: empty is None, what is no text is told as JSON."""
    if value is None or value == "":
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "nested too deeply"
    # Half of a surrogate pair, which JSON allows and UTF-8 does not, is shown as \uNNNN.
    return text.encode("utf-8", "backslashreplace").decode()


def moment_of(seconds: Any) -> str | None:
    """Return seconds since 1970, a number or its digits, as ISO 8601 in UTC; what is no moment stays as it was said."""
    digits = seconds.isascii() and seconds.isdigit() if isinstance(seconds, str) else type(seconds) is int
    try:
        return datetime.fromtimestamp(int(seconds), UTC).isoformat() if digits else as_text(seconds)
    except (ValueError, OverflowError, OSError):
        return as_text(seconds)


def unreadable(problem: str, said: Any) -> Record:
    """Return the record of something that no message can be read out of; `problem` says why, in Russian."""
    original = said if isinstance(said, dict) else {"body": (as_text(said) or "")[:_SHOWN]}
    return Record({}, original, problem)
