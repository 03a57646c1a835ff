"""What the sources of public pages share: how an answer about a page becomes its snapshot."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from otklik.contracts.fields import NAME_LENGTH
from otklik.interval import Interval
from otklik.sources.records import Record
from otklik.sources.registry import PageEntry

WEEK = timedelta(days=7)
_LARGEST = 2**63 - 1
_SHOWN = 200


def asked_about(page: PageEntry) -> dict[str, str]:
    """Return what an answer's `asked` says about a page."""
    return {"page_id": page.page_id, "external_id": page.external_id}


def unanswered_at(interval: Interval) -> datetime:
    """Return the moment of a page that no system's clock tells the time of: now, but within the night."""
    return min(datetime.now(UTC), interval.end.astimezone(UTC))


def parsed(body: str | None) -> Any:
    """Return the JSON of a body, or None for what is none; NaN and infinities stay text, as JSON has none."""
    try:
        return json.loads(body or "", parse_constant=str, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


def filled(value: object) -> object:
    """Return whether a text says anything; None for None, and what is no text as it is."""
    return bool(value.strip()) if isinstance(value, str) else value


def shown(value: object) -> str:
    """Return a value as short JSON that any store takes."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "nested too deeply"
    return text.encode("utf-8", "backslashreplace").decode()[:_SHOWN]


def snapshot(
    network: str,
    page: Mapping[str, str],
    observed_at: datetime,
    said: Mapping[str, object],
    original: Mapping[str, Any],
) -> Record:
    """Return the snapshot of one page, which is always recorded.

    `page` is that of `asked_about`; `said` holds further fields of the contract as the network said them, None where
    unknown, and the source's own `not_read`, `not_read_detail` and `method` (else live). A flag or number that is not
    one is unknown too and named in the detail; members_count then makes the page not read for a bad answer. A reason
    is kept only where there is no number, and a missing number without a reason is one the network does not tell.
    """
    own = {"not_read": said.get("not_read"), "not_read_detail": said.get("not_read_detail")}
    told = {field: value for field, value in said.items() if field not in (*own, "method")}
    values = {field: _text(field, value) for field, value in told.items()}
    wrong = [field for field, value in told.items() if value is not None and values[field] is None]
    if values.get("members_count") is not None:
        own = dict.fromkeys(own)
    elif "members_count" in wrong:
        own = {"not_read": "bad_answer", "not_read_detail": None}
    details = [own["not_read_detail"], *(f"{field}: {shown(told[field])}" for field in wrong)]
    values |= {
        "page_id": page["page_id"],
        "network": network,
        "external_id": page["external_id"],
        "observed_at": observed_at.isoformat(),
        "method": str(said.get("method", "live")),
        "members_count": values.get("members_count"),
        "not_read": None if values.get("members_count") else str(own["not_read"] or "no_count"),
        "not_read_detail": "; ".join(str(each) for each in details if each)[:NAME_LENGTH] or None,
    }
    return Record(values, original)


def _text(field: str, value: object) -> str | None:
    """Return a value of the field's kind as text, or None."""
    if field.startswith(("is_", "has_")):
        # A network's 0 and 1 equal no and yes.
        return {False: "false", True: "true"}[bool(value)] if isinstance(value, int) and value in (0, 1) else None
    if field == "name":
        return value if isinstance(value, str) and len(value) <= NAME_LENGTH and _storable(value) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return str(value) if is_count else None


def _storable(text: str) -> bool:
    """Tell whether the database can hold a text: neither NUL nor half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text
