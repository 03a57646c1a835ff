"""What VK's answers say: errors, groups, walls and reach, whatever their bodies hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otklik.sources.methods import Errors, is_number
from otklik.sources.pages import WEEK, filled, parsed, shown, snapshot
from otklik.sources.records import Answer, Record

_DEACTIVATED = {"banned": "blocked", "deleted": "not_found"}
_LINK = re.compile(r"(?:https?://)?(?:www\.|m\.)?vk\.(?:com|ru)/", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:club|public|event|-)?0*([1-9]\d*)", re.ASCII)
_NAME = re.compile(r"[\w.]*[a-z_][\w.]*", re.ASCII)


def key(external_id: str) -> str | None:
    """Return a page's number or screen name out of however somebody wrote it; None for what can be neither."""
    name = _LINK.sub("", external_id.strip()).strip("@/").lower()
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        return numbered[1]
    return name if _NAME.fullmatch(name) else None


def _error_of(said: Any) -> tuple[int, str] | None:
    error = said.get("error") if isinstance(said, dict) else None
    code = error.get("error_code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, int):
        return None
    return code, f"VK {code}: {shown(error.get('error_msg'))}"


ERRORS = Errors(
    _error_of,
    again=frozenset({1, 6, 10}),
    limit=frozenset({9, 29}),
    of_one_page={
        7: "forbidden",
        15: "forbidden",
        18: "blocked",
        30: "closed",
        100: "bad_id",
        125: "bad_id",
        203: "forbidden",
    },
)
"""What VK's errors mean."""


@dataclass(frozen=True)
class Told:
    """What an answer of groups.getById tells of one page: its group, or why there is none."""

    page: Mapping[str, str]
    group: Mapping[str, Any] | None
    not_read: str | None = None
    detail: str | None = None

    @property
    def number(self) -> int | None:
        """Return the number of a group whose wall can be read."""
        if not self.group or self.group.get("deactivated") or self.group.get("is_closed"):
            return None
        number = self.group.get("id")
        return int(number) if number and is_number(number) else None


def told_of(answer: Answer) -> list[Told]:
    """Return what an answer of groups.getById tells of every page it was asked about."""
    pages = answer.asked["pages"]
    failure = ERRORS.failure_of(answer)
    if failure:
        return [Told(page, None, *failure) for page in pages]
    groups = _groups_of(answer)
    if groups is None:
        return [Told(page, None, "bad_answer", shown(answer.body)) for page in pages]
    found = ((page, groups.get(str(key(page["external_id"])))) for page in pages)
    return [Told(page, group, None if group else "absent") for page, group in found]


def _groups_of(answer: Answer) -> dict[str, Mapping[str, Any]] | None:
    """Return the groups by number and screen name, of today's answer or of the bare list before 5.139."""
    said = parsed(answer.body)
    response = said.get("response") if isinstance(said, dict) else None
    groups = response.get("groups") if isinstance(response, dict) else response
    if not isinstance(groups, list):
        return None
    named: list[Mapping[str, Any]] = [group for group in groups if isinstance(group, dict)]
    return {str(group.get("screen_name")).lower(): group for group in named if group.get("screen_name")} | {
        str(group["id"]): group for group in named if is_number(group.get("id"))
    }


class WallPart:
    """What one answer of wall.get tells of posts: `wall` holds their ids and times only, None where it is unusable."""

    def __init__(self, answer: Answer) -> None:
        self.offset: int = answer.asked["offset"]
        self.until = answer.answered_at.timestamp()
        self.since = (answer.answered_at - WEEK).timestamp()
        self.wall = _wall_of(parsed(answer.body))

    def goes_on(self, since: float) -> bool:
        """Tell whether posts of the week may follow; a pinned post of any age comes first, so the last one counts."""
        if not self.wall or not self.wall["items"]:
            return False
        seen = self.offset + len(self.wall["items"])
        return bool(seen < self.wall["count"] and self.wall["items"][-1]["date"] > since)


def _wall_of(said: Any) -> dict[str, Any] | None:
    wall = said.get("response") if isinstance(said, dict) else None
    posts = wall.get("items") if isinstance(wall, dict) else None
    if not isinstance(wall, dict) or not isinstance(posts, list) or not is_number(wall.get("count")):
        return None
    items = [{name: post.get(name) for name in ("id", "date")} if isinstance(post, dict) else {} for post in posts]
    if not all(is_number(item.get("id")) and is_number(item.get("date")) for item in items):
        return None
    return {"count": wall["count"], "items": items}


def posts_7_days(parts: list[WallPart]) -> int | None:
    """Count the posts of the week before the first answer; None unless the wall was read that far or to its end."""
    parts = sorted(parts, key=lambda part: part.offset)
    if not parts or any(part.wall is None for part in parts) or parts[-1].goes_on(parts[0].since):
        return None
    dates = {post["id"]: post["date"] for part in parts if part.wall for post in part.wall["items"]}
    return len([posted_at for posted_at in dates.values() if parts[0].since < posted_at <= parts[0].until])


def reach_of(answer: Answer) -> object:
    """Return the reach that an answer of stats.get tells for its one period, None where it tells none."""
    said = parsed(answer.body)
    periods = said.get("response") if isinstance(said, dict) else None
    period = periods[0] if isinstance(periods, list) and periods else None
    reach = period.get("reach") if isinstance(period, dict) else None
    return reach.get("reach") if isinstance(reach, dict) else None


def snapshot_of(told: Told, answer: Answer, parts: list[WallPart], reach: object) -> Record:
    """Return the snapshot of one page out of all that was said about it."""
    said: dict[str, object] = {"not_read": told.not_read, "not_read_detail": told.detail}
    if told.group:
        said = _said_of(told.group) | {"posts_7_days": posts_7_days(parts), "reach_7_days": reach}
    wall = next((part.wall for part in parts if part.offset == 0), None)
    return snapshot("vk", told.page, answer.answered_at, said, {"group": told.group, "wall": wall})


def _said_of(group: Mapping[str, Any]) -> dict[str, object]:
    cover, deactivated = group.get("cover"), group.get("deactivated")
    reason = "closed" if group.get("is_closed") else "no_count"
    return {
        "members_count": group.get("members_count"),
        "not_read": _DEACTIVATED.get(str(deactivated), "blocked") if deactivated else reason,
        "not_read_detail": shown(deactivated) if deactivated else None,
        "name": group.get("name"),
        "is_verified": group.get("verified"),
        "has_description": filled(group.get("description")),
        "has_avatar": group.get("has_photo"),
        "has_cover": cover.get("enabled") if isinstance(cover, dict) else cover,
        "has_government_mark": group.get("is_government_organization"),
    }
