"""MAX's Bot API for the pages of a world: `GET /me` and `GET /chats/{id or link}`."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import Page, World

_ERRORS = {
    400: ("proto.payload", "Invalid chat id"),
    401: ("verify.token", "Invalid access_token"),
    403: ("chat.denied", "Access to the chat is denied"),
    404: ("chat.not.found", "Chat not found"),
    429: ("too.many.requests", "Rate limit exceeded"),
    503: ("service.unavailable", "Service unavailable"),
}


def error(code: int) -> Response:
    """Return MAX's error with the HTTP status `code`."""
    name, message = _ERRORS.get(code, ("unknown", f"Error {code}"))
    return JSONResponse({"code": name, "message": message}, code)


def too_many(seconds: float) -> Response:
    """Return the answer to one request too many."""
    answer = error(429)
    answer.headers["retry-after"] = f"{seconds:.3f}"
    return answer


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the routes of MAX's Bot API."""

    def refused(request: Request) -> bool:
        return request.headers.get("authorization") != credentials.max_token

    async def me(request: Request) -> Response:
        if refused(request):
            return error(401)
        return JSONResponse({"user_id": 1, "name": "Отклик", "username": "otklik_bot", "is_bot": True})

    async def chat(request: Request) -> Response:
        if refused(request):
            return error(401)
        page = _page(world, request.path_params["chat"])
        if page is None:
            return error(404)
        return error(403) if page.is_closed else JSONResponse(_chat(world, page))

    return [Route("/me", me), Route("/chats/{chat}", chat)]


def _chat(world: World, page: Page) -> dict[str, Any]:
    now = world.clock.now()
    chat = {
        "chat_id": page.number,
        "type": "channel",
        "status": "active",
        "title": page.title,
        "icon": {"url": "https://example.org/icon.jpg"} if page.has_avatar else None,
        "last_event_time": int(now.timestamp() * 1000),
        "participants_count": page.members_on(now.date()),
        "is_public": True,
        "link": f"https://max.ru/{page.short_name}",
        "description": page.description or None,
    }
    if not page.tells_members:
        del chat["participants_count"]
    return chat


def _page(world: World, asked: str) -> Page | None:
    today = world.clock.now().date()
    for page in world.pages:
        named = asked.lower() in (str(page.number), page.short_name.lower())
        if named and page.network == "max" and not page.deactivated and page.audience[0][0] <= today:
            return page
    return None
