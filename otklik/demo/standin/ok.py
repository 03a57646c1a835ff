"""OK's API (fb.do) for the pages of a world: url.getInfo, group.getInfo, group.getStatTrends, users.getCurrentUser."""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import Page, World

_GROUPS_AT_ONCE = 100
_MESSAGES = {
    2: "SERVICE : Service temporary unavailable",
    8: "FLOOD : Flood of requests",
    9: "BLOCKED : Action blocked",
    10: "PERMISSION_DENIED : User must grant an access to permission",
    11: "LIMIT_REACHED : Limit has been reached",
    100: "PARAM : Missing or invalid parameter",
    101: "PARAM_API_KEY : Application not exist",
    102: "PARAM_SESSION_EXPIRED : Session expired",
    103: "PARAM_SESSION_KEY : Invalid session key",
    104: "PARAM_SIGNATURE : Invalid signature. Please check the documentation",
    160: "PARAM_GROUP_ID : Invalid group id",
    300: "NOT_FOUND : Not found",
}
_LINK = re.compile(r"https?://(?:www\.)?ok\.ru/(?:group/)?(\w+)/?")

Parameters = Mapping[str, str]


class _Refusal(Exception):  # noqa: N818 - what OK answers, not an error of ours
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def error(code: int) -> dict[str, Any]:
    """Return OK's error `code`, which comes inside HTTP 200."""
    return {"error_code": code, "error_msg": _MESSAGES.get(code, f"Error {code}"), "error_data": None}


def too_many(_seconds: float) -> Response:
    """Return the answer to one request too many."""
    return JSONResponse(error(8))


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the route of OK's API."""
    methods: dict[str, Callable[[World, Parameters], Any]] = {
        "users.getCurrentUser": lambda *_: {"uid": "560000000001"},
        "url.getInfo": _resolve,
        "group.getInfo": _groups,
        "group.getStatTrends": _trends,
    }

    async def method(request: Request) -> Response:
        parameters = {key: str(value) for key, value in ((await request.form()) or request.query_params).items()}
        try:
            _admit(parameters, credentials)
            return JSONResponse(methods[parameters["method"]](world, parameters))
        except _Refusal as refusal:
            return JSONResponse(error(refusal.code))

    return [Route("/fb.do", method, methods=["GET", "POST"])]


def _admit(parameters: Parameters, credentials: Credentials) -> None:
    if parameters.get("application_key") != credentials.ok_application_key:
        raise _Refusal(101)
    if parameters.get("access_token") != credentials.ok_access_token:
        raise _Refusal(103)
    secret = _md5(credentials.ok_access_token + credentials.ok_application_secret)
    signed = sorted((key, value) for key, value in parameters.items() if key not in ("sig", "access_token"))
    if parameters.get("sig") != _md5("".join(f"{key}={value}" for key, value in signed) + secret):
        raise _Refusal(104)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _resolve(world: World, parameters: Parameters) -> Any:
    link = _LINK.fullmatch(parameters.get("url", ""))
    if link is None:
        raise _Refusal(100)
    page = _page(world, link[1])
    return {"objectId": page.number, "type": "GROUP", "objectIdStr": str(page.number)} if page else {"type": "UNKNOWN"}


def _groups(world: World, parameters: Parameters) -> Any:
    ids = parameters.get("uids", "").split(",")
    if len(ids) > _GROUPS_AT_ONCE:
        raise _Refusal(100)
    if not all(each.isascii() and each.isdigit() for each in ids):
        raise _Refusal(160)
    fields = parameters.get("fields", "").split(",")
    now = world.clock.now()
    pages = {str(page.number): page for page in world.pages if _is_there(page, now)}
    return [_group(pages[each], now, fields) for each in ids if each in pages]


def _group(page: Page, now: datetime, fields: list[str]) -> dict[str, Any]:
    group: dict[str, Any] = {
        "uid": str(page.number),
        "name": page.title,
        "shortname": page.short_name,
        "description": page.description,
        "access_type": "CLOSED" if page.is_closed else "OPEN",
        "blocked": page.deactivated == "banned",
        "gos_org": page.has_government_mark,
        "pic_avatar": "https://example.org/avatar.jpg" if page.has_avatar else None,
        "cover": {"pic": "https://example.org/cover.jpg"} if page.has_cover else None,
    }
    if page.tells_members and not page.is_closed and not page.deactivated:
        group["members_count"] = page.members_on(now.date()) or 0
    return {name: value for name, value in group.items() if name in fields and value is not None}


def _trends(world: World, parameters: Parameters) -> Any:
    page = _page(world, parameters.get("gid", ""))
    if page is None:
        raise _Refusal(160)
    if page.deactivated:
        raise _Refusal(9)
    start, end = (
        datetime.fromtimestamp(int(parameters[key]) / 1000, UTC).astimezone(world.clock.now().tzinfo)
        for key in ("start_time", "end_time")
    )
    points = []
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        members = page.members_on(day.date())
        if day >= start and members is not None and page.tells_members and day < world.clock.now():
            points.append({"time": int(day.timestamp() * 1000), "value": members})
        day += timedelta(days=1)
    return {"members_count": points}


def _page(world: World, asked: str) -> Page | None:
    now = world.clock.now()
    named = (page for page in world.pages if asked in (str(page.number), page.short_name))
    return next((page for page in named if _is_there(page, now)), None)


def _is_there(page: Page, now: datetime) -> bool:
    """Tell whether OK has a page; it says nothing of deleted ones."""
    return page.network == "ok" and page.audience[0][0] <= now.date() and page.deactivated != "deleted"
