"""Telegram's Bot API for the pages of a world and for its complaint channel: getMe, getChat, getUpdates and others."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import ChannelPost, Page, World

_UPDATES_AT_ONCE = 100
_KEPT = timedelta(hours=24)
_SUPERGROUP = "-100"
_MESSAGES = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot is not a member of the channel chat",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
}

Parameters = Mapping[str, str]


class _Refusal(Exception):  # noqa: N818 - what Telegram answers, not an error of ours
    def __init__(self, code: int, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def error(code: int, message: str | None = None) -> Response:
    """Return Telegram's error `code`, which is that of HTTP too; a flood is to be over in a second."""
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return too_many(1)
    said = {"ok": False, "error_code": code, "description": message or _MESSAGES.get(code, f"Error {code}")}
    return JSONResponse(said, code)


def too_many(seconds: float) -> Response:
    """Return the answer to one request too many; the wait is in the body, in whole seconds."""
    wait = ceil(seconds)
    said = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {wait}"}
    return JSONResponse(said | {"parameters": {"retry_after": wait}}, 429)


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the route of the Bot API; the queue of updates is kept as long as the routes."""
    methods: dict[str, Callable[[Parameters], Any]] = {
        "getme": lambda _: {"id": 1, "is_bot": True, "first_name": "Отклик", "username": "otklik_bot"},
        "getchat": lambda parameters: _chat(world, parameters.get("chat_id", "")),
        "getchatmembercount": lambda parameters: _members(world, parameters.get("chat_id", "")),
        "getupdates": _Queue(world).updates,
    }

    async def method(request: Request) -> Response:
        parameters = {**request.query_params, **{key: str(value) for key, value in (await request.form()).items()}}
        try:
            if request.path_params["token"] != credentials.telegram_token:
                raise _Refusal(401 if ":" in request.path_params["token"] else 404)
            if request.path_params["method"].lower() not in methods:
                raise _Refusal(404, "Not Found: method not found")
            result = methods[request.path_params["method"].lower()](parameters)
        except _Refusal as refusal:
            return error(refusal.code, refusal.message)
        return JSONResponse({"ok": True, "result": result})

    return [Route("/bot{token}/{method}", method, methods=["GET", "POST"])]


class _Queue:
    """Updates of the bot: kept for a day, gone once a later one has been asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._first = 0

    def updates(self, parameters: Parameters) -> list[dict[str, Any]]:
        limit = min(max(int(parameters.get("limit", _UPDATES_AT_ONCE)), 1), _UPDATES_AT_ONCE)
        self._first = max(self._first, int(parameters.get("offset", 0)))
        kinds = json.loads(parameters.get("allowed_updates", "[]"))
        now = self._world.clock.now()
        waiting = sorted(
            (post for post in self._world.posts if self._waits(post, now)), key=lambda post: post.update_id
        )
        updates = [_update(self._world, post) for post in waiting]
        return [update for update in updates if not kinds or not set(kinds).isdisjoint(update)][:limit]

    def _waits(self, post: ChannelPost, now: datetime) -> bool:
        happened_at = post.edited_at or post.posted_at
        return post.update_id >= self._first and now - _KEPT < happened_at <= now


def _update(world: World, post: ChannelPost) -> dict[str, Any]:
    said: dict[str, Any] = {
        "message_id": post.message_id,
        "sender_chat": _channel(world),
        "chat": _channel(world),
        "date": int(post.posted_at.timestamp()),
        "text": post.text,
    }
    if post.author_name:
        said["author_signature"] = post.author_name
    if post.edited_at:
        said["edit_date"] = int(post.edited_at.timestamp())
    return {"update_id": post.update_id, "edited_channel_post" if post.edited_at else "channel_post": said}


def _channel(world: World) -> dict[str, Any]:
    return {
        "id": world.channel_number,
        "title": world.channel_title,
        "username": world.channel_name,
        "type": "channel",
    }


def _chat(world: World, asked: str) -> dict[str, Any]:
    if asked.lower() in (f"@{world.channel_name}".lower(), str(world.channel_number)):
        return _channel(world)
    page = _page(world, asked)
    chat: dict[str, Any] = {
        "id": int(f"{_SUPERGROUP}{page.number}"),
        "title": page.title,
        "username": page.short_name,
        "type": "channel",
    }
    if page.description:
        chat["description"] = page.description
    if page.has_avatar:
        chat["photo"] = {"small_file_id": "small", "big_file_id": "big"}
    return chat


def _members(world: World, asked: str) -> int:
    page = _page(world, asked)
    members = page.members_on(world.clock.now().date())
    if members is None or not page.tells_members:
        raise _Refusal(400, "Bad Request: member list is inaccessible")
    return members


def _page(world: World, asked: str) -> Page:
    today = world.clock.now().date()
    for page in world.pages:
        named = asked.lower() == f"@{page.short_name}".lower() or asked == f"{_SUPERGROUP}{page.number}"
        if named and page.network == "telegram" and not page.deactivated and page.audience[0][0] <= today:
            if page.is_closed:
                raise _Refusal(403)
            return page
    raise _Refusal(400)
