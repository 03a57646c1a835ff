"""What OK's answers say: errors, ids, groups and trends, whatever their bodies hold."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from otklik.sources.methods import Errors, is_number
from otklik.sources.pages import filled, parsed, shown, snapshot
from otklik.sources.records import Answer, Record

URL_INFO, GROUP_INFO, TRENDS = "url.getInfo", "group.getInfo", "group.getStatTrends"
"""The methods that answers may be of."""

_LINK = re.compile(r"(?:https?://)?(?:www\.|m\.)?ok\.ru/(?:group/?(?=\d))?", re.IGNORECASE)
_NAME = re.compile(r"[\w.-]+", re.ASCII)
_CLOSED = ("CLOSED", "SECRET")


def _error_of(said: Any) -> tuple[int, str] | None:
    code = said.get("error_code") if isinstance(said, dict) else None
    return (code, f"OK {code}: {shown(said.get('error_msg'))}") if isinstance(code, int) else None


ERRORS = Errors(
    _error_of,
    again=frozenset({2, 8}),
    limit=frozenset({11}),
    of_one_page={9: "blocked", 10: "forbidden", 100: "bad_id", 160: "bad_id", 300: "not_found"},
)
"""What OK's errors mean."""


def name_of(external_id: str) -> str | None:
    """Return a page's number or short name out of however somebody wrote it; None for what can be neither."""
    name = _LINK.sub("", external_id.strip()).strip("@/")
    return name if _NAME.fullmatch(name) else None


def uid_of(answer: Answer) -> str | None:
    """Return the group's number that an answer of url.getInfo gives; None where it gives none."""
    said = parsed(answer.body)
    if ERRORS.failure_of(answer) or not isinstance(said, dict) or said.get("type") != "GROUP":
        return None
    uid = said.get("objectIdStr", said.get("objectId"))
    return str(uid) if str(uid).isascii() and str(uid).isdigit() else None


def unresolved(page: Mapping[str, str], answer: Answer) -> Record:
    """Return the snapshot of a page whose name gave no group; of a past interval it is dated to the start."""
    said = parsed(answer.body)
    # OK answers UNKNOWN for a name that nobody has, and another type for one that is no group's.
    is_nobody = isinstance(said, dict) and isinstance(said.get("type"), str) and said["type"] != "GROUP"
    reason, detail = ERRORS.failure_of(answer) or ("not_found" if is_nobody else "bad_answer", shown(said))
    start = answer.asked.get("start")
    moment = datetime.fromisoformat(start) if start else answer.answered_at
    return snapshot("ok", page, moment, _not_read(reason, detail, "trend" if start else "live"), {"group": None})


def snapshots_of(answer: Answer) -> list[Record]:
    """Return the snapshot of every page that an answer of group.getInfo was asked about."""
    failure = ERRORS.failure_of(answer)
    groups = None if failure else _groups_of(parsed(answer.body))
    if groups is None:
        failure = failure or ("bad_answer", shown(answer.body))
    return [_snapshot(page, answer, (groups or {}).get(page["uid"]), failure) for page in answer.asked["pages"]]


def _snapshot(
    page: Mapping[str, str], answer: Answer, group: Mapping[str, Any] | None, failure: tuple[str, str] | None
) -> Record:
    if group is None:
        reason, detail = failure or ("absent", None)
        said = _not_read(reason, detail, "live")
    else:
        said = _said_of(group)
    return snapshot("ok", page, answer.answered_at, said, {"group": group})


def _groups_of(said: Any) -> dict[str, Mapping[str, Any]] | None:
    """Return the groups by number; the documentation wraps the list in an object, the service does not."""
    groups = said.get("groups") if isinstance(said, dict) else said
    if not isinstance(groups, list):
        return None
    return {str(group.get("uid")): group for group in groups if isinstance(group, dict)}


def _said_of(group: Mapping[str, Any]) -> dict[str, object]:
    reason = "blocked" if group.get("blocked") else "closed" if group.get("access_type") in _CLOSED else "no_count"
    cover = group.get("cover")
    return {
        "members_count": group.get("members_count"),
        "not_read": reason,
        "name": group.get("name"),
        "has_description": filled(group.get("description")),
        "has_avatar": filled(group.get("pic_avatar")),
        "has_cover": bool(cover) if isinstance(cover, dict) else cover,
        "has_government_mark": group.get("gos_org"),
    }


def trend_of(answer: Answer) -> Record:
    """Return the snapshot of the interval's latest day that an answer of group.getStatTrends tells of.

    What tells of no day is dated to the interval's start.
    """
    page, start, end = (answer.asked[name] for name in ("page", "start", "end"))
    failure = ERRORS.failure_of(answer)
    points = None if failure else _points_of(parsed(answer.body))
    if points is None:
        reason, detail = failure or ("bad_answer", shown(answer.body))
        moment, said = datetime.fromisoformat(start), _not_read(reason, detail, "trend")
    else:
        within = [point for point in points if _since_1970(start) <= point["time"] < _since_1970(end)]
        latest = max(within, key=lambda point: int(point["time"]), default=None)
        moment = datetime.fromtimestamp(latest["time"] / 1000, UTC) if latest else datetime.fromisoformat(start)
        said = {"method": "trend", "members_count": latest.get("value") if latest else None}
    return snapshot("ok", page, moment, said, {"trend": parsed(answer.body)})


def _points_of(said: Any) -> list[dict[str, Any]] | None:
    points = said.get("members_count") if isinstance(said, dict) else None
    if not isinstance(points, list) or not all(
        isinstance(point, dict) and is_number(point.get("time")) for point in points
    ):
        return None
    return points


def _since_1970(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000


def _not_read(reason: str, detail: str | None, method: str) -> dict[str, object]:
    return {"not_read": reason, "not_read_detail": detail, "method": method}
