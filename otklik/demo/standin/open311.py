"""Open311 GeoReport v2 for the requests of a world, as three kinds of servers give it.

The base address pages up to 1,000 requests at a time; `/small` cuts a page at 100 whatever is asked for; `/flat` knows
no pages and gives the first 1,000. All of them look at no more than 90 days, the first ones of a longer span.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import ServiceRequest, World

_SPAN = timedelta(days=90)
_AT_ONCE = 1_000
_SMALL = 100
_MESSAGES = {400: "bad parameter", 401: "invalid api_key", 403: "missing or invalid api_key", 404: "not found"}


def error(code: int, message: str | None = None) -> Response:
    """Return Open311's error with the HTTP status `code`."""
    return JSONResponse([{"code": code, "description": message or _MESSAGES.get(code, f"error {code}")}], code)


def routes(world: World, _credentials: Credentials) -> list[BaseRoute]:
    """Return the routes of the three servers; reading needs no key."""
    return [
        *_server(world),
        Mount("/small", routes=_server(world, at_once=_SMALL)),
        Mount("/flat", routes=_server(world, has_pages=False)),
    ]


def _server(world: World, *, at_once: int = _AT_ONCE, has_pages: bool = True) -> list[Route]:
    async def services(_: Request) -> Response:
        names = {request.service_code: request.service_name for request in world.requests}
        listed = [{"service_code": code, "service_name": name, "type": "realtime"} for code, name in names.items()]
        return JSONResponse(listed)

    async def requests(request: Request) -> Response:
        try:
            found = _found(world, request)
            size = min(int(request.query_params.get("page_size", at_once)), at_once)
            page = int(request.query_params.get("page", 1)) if has_pages else 1
            if size < 1 or page < 1:
                return error(400, "page and page_size must be positive")
        except ValueError as wrong:
            return error(400, str(wrong))
        return JSONResponse([_told(each) for each in found[(page - 1) * size : page * size]])

    return [Route("/services.json", services), Route("/requests.json", requests)]


def _found(world: World, request: Request) -> list[ServiceRequest]:
    """Return the requests asked for, newest first."""
    asked = request.query_params
    now = world.clock.now()
    known = _as_of(world, now)
    if "status" in asked:
        known = (each for each in known if each.status in asked["status"].split(","))
    if "updated_after" in asked:
        changed_after = datetime.fromisoformat(asked["updated_after"])
        known = (each for each in known if each.updated_at > changed_after)
    if "updated_after" not in asked or "start_date" in asked or "end_date" in asked:
        start, end = _span(asked.get("start_date"), asked.get("end_date"), now)
        known = (each for each in known if start <= each.requested_at <= end)
    return sorted(known, key=lambda each: (each.requested_at, each.service_request_id), reverse=True)


def _span(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    if start is None:
        until = datetime.fromisoformat(end) if end else now
        return until - _SPAN, until
    since = datetime.fromisoformat(start)
    return since, min(datetime.fromisoformat(end) if end else now, since + _SPAN)


def _as_of(world: World, now: datetime) -> Iterator[ServiceRequest]:
    """Return the requests made by now; a change still to come has not happened."""
    for each in world.requests:
        if each.updated_at <= now:
            yield each
        elif each.requested_at <= now:
            yield replace(each, status="open", updated_at=each.requested_at, status_notes="")


def _told(request: ServiceRequest) -> dict[str, Any]:
    return {
        "service_request_id": request.service_request_id,
        "status": request.status,
        "status_notes": request.status_notes or None,
        "service_code": request.service_code,
        "service_name": request.service_name,
        "agency_responsible": request.agency_responsible,
        "description": request.description or None,
        "requested_datetime": _moment(request.requested_at),
        "updated_datetime": _moment(request.updated_at),
        "expected_datetime": _moment(request.expected_at),
        "address": request.address or None,
        "lat": request.lat,
        "long": request.long,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
