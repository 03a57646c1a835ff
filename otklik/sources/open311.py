"""Requests of an Open311 server (GeoReport v2): `GET /requests.json`, read whole whatever the server cuts.

Servers look at 90 days and give 1,000 requests at most, and may cut lower or know no pages. So the interval is asked
for in windows, each page by page, and a window that may have been cut is asked for again in halves. A request may be
told twice then, at the edge of two windows or in a half; it is the same version of the same message.
"""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import TryAgain, body_of, caller_for, clock_of
from otklik.sources.incident_records import as_text, unreadable
from otklik.sources.pages import parsed
from otklik.sources.records import Answer, Record, Records
from otklik.sources.turns import Ask, in_turn

RATE = 5.0
"""Requests a second; the protocol names no limit, city servers are small."""

WINDOW = timedelta(days=90)
PAGE_SIZE = 1_000
OVERLAP = timedelta(days=1)
"""How far before the cursor changes are asked for again: servers show some of them late."""

KIND = "open311.request"

_SHORTEST = timedelta(seconds=1)
# Whoever cuts at a number of their own cuts at a round one: 50, 100, 500, 1,000.
_ROUND = 50
_STATUSES = {"open": "registered", "closed": "closed"}


def check(connection: Connection) -> datetime:
    """Ask for one request; return the moment by the server's clock, raise CredentialsError for a refused key."""
    with in_turn(connection, caller_for(connection, RATE)) as ask:
        return clock_of(_Server(connection, ask).ask({"page_size": "1"}))


def pull(connection: Connection, interval: Interval, cursor: datetime | None) -> Iterator[Answer]:
    """Ask for what changed since the cursor, or without one for what was requested within the interval.

    `cursor` is the newest change that `raw` holds. Extra field `channel` says where the requests come from (default
    portal). Raise CredentialsError for a refused key, SourceError for a refusal, no answer, or changes without end.
    """
    with in_turn(connection, caller_for(connection, RATE)) as ask:
        server = _Server(connection, ask)
        if cursor is None:
            for start, end in _windows(interval):
                yield from server.requested(start, end)
        else:
            yield from server.changed(cursor - OVERLAP)


def _windows(interval: Interval) -> Iterator[tuple[datetime, datetime]]:
    """Cut the interval; neighbours share their edge, as a server counts both ends in."""
    start, end = interval.start.astimezone(UTC), interval.end.astimezone(UTC)
    while start < end:
        yield start, min(start + WINDOW, end)
        start += WINDOW


class _Server:
    """One server, and whether it has shown that it knows pages."""

    def __init__(self, connection: Connection, ask: Ask) -> None:
        self._connection = connection
        self._ask = ask
        self._has_pages = False

    def requested(self, start: datetime, end: datetime) -> Iterator[Answer]:
        """Give the pages of a window, and of its halves where it may have been cut."""
        may_be_cut = yield from self._pages({"start_date": _written(start), "end_date": _written(end)})
        if may_be_cut and end - start > _SHORTEST:
            middle = start + (end - start) / 2
            yield from self.requested(start, middle)
            yield from self.requested(middle, end)

    def changed(self, since: datetime) -> Iterator[Answer]:
        """Give the pages of what has changed; there are no halves of that to ask for."""
        may_be_cut = yield from self._pages({"updated_after": _written(since)})
        if may_be_cut:
            raise SourceError(
                f"Connection {self._connection.name}: the server may have cut the changes since {_written(since)}, "
                "and they cannot be asked for in parts. Load the days since then by their dates, without a cursor"
            )

    def _pages(self, question: Mapping[str, str]) -> Generator[Answer, None, bool]:
        """Ask page by page until one is empty or the same again; return whether there may be more than that."""
        channel = self._connection.extra.get("channel", "portal")
        before: list[Any] = []
        told = 0
        page = 1
        while True:
            asked = {**question, "page_size": str(PAGE_SIZE), "page": str(page)}
            response = self.ask(asked)
            requests = parsed(response.text)
            if not requests:
                one_round_page = 0 < told == len(before) and told % _ROUND == 0
                return told == PAGE_SIZE or (one_round_page and not self._knows_pages(question, told))
            if requests == before:
                return told % _ROUND == 0
            yield Answer({**asked, "channel": channel}, clock_of(response), body_of(response))
            self._has_pages |= page > 1
            told += len(requests)
            before = requests
            page += 1

    def _knows_pages(self, question: Mapping[str, str], told: int) -> bool:
        """Tell whether the server has a second page of a question whose answers fill two."""
        if not self._has_pages:
            second = self.ask({**question, "page_size": str(told // 2), "page": "2"})
            self._has_pages = bool(parsed(second.text))
        return self._has_pages

    def ask(self, parameters: Mapping[str, str]) -> httpx.Response:
        """Ask for requests; the answer is a list."""
        key = {"api_key": self._connection.password} if self._connection.password else {}
        return self._ask("GET", "/requests.json", self._judge, params={**parameters, **key})

    def _judge(self, response: httpx.Response) -> None:
        said = parsed(response.text)
        first = said[0] if isinstance(said, list) and said else said
        code, description = response.status_code, None
        if isinstance(first, dict) and "service_request_id" not in first:
            code, description = _code(first.get("code")) or code, first.get("description")
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise CredentialsError(
                f"Connection {self._connection.name}: the server refuses the api_key (error {code}). "
                "Put a valid one into the connection's password"
            )
        if code != httpx.codes.OK:
            why = f" ({description})" if isinstance(description, str) else ""
            raise SourceError(
                f"Connection {self._connection.name}: the server refuses the question: error {code}{why}. "
                "Check the connection's address"
            )
        if not isinstance(said, list):
            raise TryAgain("the answer is no list of requests")


def _code(code: Any) -> int | None:
    return int(code) if re.fullmatch(r"[1-5][0-9]{2}", str(code)) else None


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read(answers: Iterable[Answer]) -> Iterator[Records]:
    """Read every request of every answer."""
    rows = [record for answer in answers for record in _records(answer)]
    if rows:
        yield Records("incident", KIND, rows)


def _records(answer: Answer) -> Iterator[Record]:
    requests = parsed(answer.body)
    if not isinstance(requests, list):
        yield unreadable("ответ Open311 не является списком обращений", answer.body)
        return
    for request in requests:
        if isinstance(request, dict):
            yield Record(_values(request, answer.asked["channel"]), request)
        else:
            yield unreadable("обращение Open311 не является объектом", request)


def _values(request: Mapping[str, Any], channel: str) -> dict[str, str | None]:
    """Return the fields of an incident.

    GeoReport tells no moment of closing: that of a closed request is its last change, which is later than the closing
    where something was changed afterwards. Nor does it tell the moment of an answer.
    """
    request_id, status = as_text(request.get("service_request_id")), as_text(request.get("status"))
    updated_at = as_text(request.get("updated_datetime"))
    status = _STATUSES.get((status or "").lower(), status)
    return {
        "message_id": request_id,
        "incident_id": request_id,
        "channel": channel,
        "status": status,
        "received_at": as_text(request.get("requested_datetime")),
        "updated_at": updated_at,
        "closed_at": updated_at if status == "closed" else None,
        "due_at": as_text(request.get("expected_datetime")),
        "topic": as_text(request.get("service_name")),
        "authority": as_text(request.get("agency_responsible")),
        "message_text": as_text(request.get("description")),
    }
