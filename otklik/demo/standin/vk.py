"""VK's API (schema 5.199) for the pages of a world: groups.getById, wall.get, stats.get, utils.getServerTime."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import Page, World

_GROUPS_AT_ONCE = 500
_POSTS_AT_ONCE = 100
_MESSAGES = {
    1: "Unknown error occurred",
    5: "User authorization failed: invalid access_token (4).",
    6: "Too many requests per second",
    7: "Permission to perform this action is denied",
    9: "Flood control",
    10: "Internal server error",
    14: "Captcha needed",
    15: "Access denied",
    17: "Validation required: please open redirect_uri in browser",
    18: "User was deleted or banned",
    27: "Group authorization failed: invalid access_token (4).",
    28: "Application authorization failed: invalid access_token (4).",
    29: "Rate limit reached",
    30: "This profile is private",
    100: "One of the parameters specified was missing or invalid",
    125: "Invalid group id",
    203: "Access to group denied",
}
_ID = re.compile(r"[\w.]+", re.ASCII)
_NUMBERED = re.compile(r"(?:club|public|event)?(\d+)")

Parameters = Mapping[str, str]


class _Refusal(Exception):  # noqa: N818 - what VK answers, not an error of ours
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def error(code: int, parameters: Parameters | None = None) -> dict[str, Any]:
    """Return VK's error `code`, which comes inside HTTP 200."""
    shown = [{"key": key, "value": value} for key, value in (parameters or {}).items() if key != "access_token"]
    message = _MESSAGES.get(code, f"Error {code}")
    return {"error": {"error_code": code, "error_msg": message, "request_params": shown}}


def too_many(_seconds: float) -> Response:
    """Return the answer to one request too many."""
    return JSONResponse(error(6))


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the routes of VK's API."""
    methods: dict[str, Callable[[World, Parameters], Any]] = {
        "groups.getById": _groups,
        "wall.get": _wall,
        "stats.get": _stats,
        "utils.getServerTime": lambda world, _: int(world.clock.now().timestamp()),
    }

    async def method(request: Request) -> Response:
        parameters = {key: str(value) for key, value in ((await request.form()) or request.query_params).items()}
        try:
            if parameters.get("access_token") != credentials.vk_token:
                raise _Refusal(5)
            answer = methods[request.path_params["name"]](world, parameters)
        except _Refusal as refusal:
            return JSONResponse(error(refusal.code, parameters))
        return JSONResponse({"response": answer})

    return [Route("/method/{name}", method, methods=["GET", "POST"])]


def _groups(world: World, parameters: Parameters) -> Any:
    ids = parameters.get("group_ids", "").split(",")
    if len(ids) > _GROUPS_AT_ONCE or not all(_ID.fullmatch(each) for each in ids):
        raise _Refusal(100)
    now = world.clock.now()
    there = [page for page in world.pages if _is_there(page, now)]
    pages = {page.short_name.lower(): page for page in there} | {str(page.number): page for page in there}
    found = [page for each in ids if (page := pages.get(_plain(each)))]
    groups = [_group(page, now, parameters.get("fields", "").split(",")) for page in found]
    # Before 5.139 the answer was a bare list.
    return groups if _version(parameters) < (5, 139) else {"groups": groups, "profiles": []}


def _group(page: Page, now: datetime, fields: list[str]) -> dict[str, Any]:
    group: dict[str, Any] = {
        "id": page.number,
        "name": page.title,
        "screen_name": page.short_name,
        "is_closed": 2 if page.is_closed else 0,
        "type": "page",
        "photo_50": "https://example.org/50.jpg",
    }
    if page.deactivated:
        return group | {"deactivated": page.deactivated, "is_closed": 1}
    asked = {
        "description": page.description,
        "cover": {"enabled": int(page.has_cover)},
        "verified": int(page.is_verified),
        "has_photo": int(page.has_avatar),
        "is_government_organization": page.has_government_mark,
    }
    if page.tells_members and not page.is_closed:
        asked["members_count"] = page.members_on(now.date()) or 0
    return group | {name: value for name, value in asked.items() if name in fields}


def _wall(world: World, parameters: Parameters) -> Any:
    count, offset = int(parameters.get("count", "20")), int(parameters.get("offset", "0"))
    page = _page(world, parameters.get("owner_id", "").removeprefix("-"))
    if count > _POSTS_AT_ONCE or page is None:
        raise _Refusal(100)
    if page.is_closed or page.deactivated:
        raise _Refusal(15)
    posts = [posted_at for posted_at in page.posts if posted_at <= world.clock.now()]
    items = [
        {
            "id": len(posts) - place,
            "owner_id": -page.number,
            "from_id": -page.number,
            "date": int(posted_at.timestamp()),
            "type": "post",
            "text": "Новости",
            # A post older than the next one is first because it is pinned.
            **({"is_pinned": 1} if place == 0 and posts[1:] and posted_at < posts[1] else {}),
        }
        for place, posted_at in enumerate(posts)
    ]
    return {"count": len(items), "items": items[offset : offset + count]}


def _stats(world: World, parameters: Parameters) -> Any:
    page = _page(world, parameters.get("group_id", ""))
    if page is None:
        raise _Refusal(100)
    if page.weekly_reach is None:
        raise _Refusal(7)
    start, end = (datetime.fromtimestamp(int(parameters[key]), UTC) for key in ("timestamp_from", "timestamp_to"))
    reach = page.weekly_reach * round((end - start) / timedelta(days=7))
    return [
        {
            "period_from": int(start.timestamp()),
            "period_to": int(end.timestamp()),
            "visitors": {"views": reach * 2, "visitors": reach},
            "reach": {"reach": reach, "reach_subscribers": reach // 2, "mobile_reach": reach},
        }
    ]


def _page(world: World, number: str) -> Page | None:
    now = world.clock.now()
    return next((page for page in world.pages if str(page.number) == number and _is_there(page, now)), None)


def _is_there(page: Page, now: datetime) -> bool:
    return page.network == "vk" and page.audience[0][0] <= now.date()


def _plain(asked: str) -> str:
    numbered = _NUMBERED.fullmatch(asked)
    return numbered[1] if numbered else asked.lower()


def _version(parameters: Parameters) -> tuple[int, ...]:
    return tuple(int(part) for part in parameters.get("v", "5.199").split("."))
