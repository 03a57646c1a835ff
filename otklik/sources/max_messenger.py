"""Members of public pages on MAX: `GET /chats/{id}` of its Bot API, live only; «max» is its name in the data.

MAX tells the number of now alone, and neither how many posts a channel has nor whether it is verified.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, Unanswered, body_of, caller_for, clock_of
from otklik.sources.pages import asked_about, filled, parsed, shown, snapshot, unanswered_at
from otklik.sources.records import Answer, Record, Records
from otklik.sources.registry import PageEntry
from otklik.sources.turns import in_turn

RATE = 30.0
"""Requests a second (unofficial)."""

_BAD_ID = "bad_id"
_ID = re.compile(r"(?:(?:https?://)?(?:www\.)?max\.ru/|@)?(-?\w[\w.-]*)/?", re.ASCII)
_OF_TROUBLE = {
    "HTTP 400": "bad_id",
    "HTTP 403": "forbidden",
    "HTTP 404": "not_found",
    "HTTP 429": "limit",
}
_OF_STATUS = {"removed": "not_found", "closed": "closed", "suspended": "blocked", "left": "forbidden"}


def check(connection: Connection) -> datetime:
    """Ask who the bot is; return the moment by MAX's clock, raise CredentialsError for a token it refuses."""
    with in_turn(connection, _caller(connection)) as ask:
        response = ask("GET", "/me", lambda answer: _judge(connection, answer))
    if not response.is_success or not isinstance(parsed(response.text), dict):
        raise SourceError(f"Connection {connection.name}: the answer is not that of MAX; check the address")
    return clock_of(response)


def pull(connection: Connection, interval: Interval, pages: Sequence[PageEntry], *, live: bool) -> Iterator[Answer]:
    """Ask about every page, one answer a page; nothing for a night that is over.

    Raise CredentialsError when MAX refuses the token.
    """
    if live:
        yield from asyncio.run(_all(connection, interval, pages))


def _caller(connection: Connection) -> Caller:
    if not connection.password:
        raise CredentialsError(f"Connection {connection.name}: no password; put the bot's token there")
    return caller_for(connection, RATE, headers={"Authorization": connection.password})


def _judge(connection: Connection, response: httpx.Response) -> None:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise CredentialsError(
            f"Connection {connection.name}: MAX refuses the token. Put a valid one into the connection's password"
        )


async def _all(connection: Connection, interval: Interval, pages: Sequence[PageEntry]) -> list[Answer]:
    async with _caller(connection) as caller:
        return list(await asyncio.gather(*(_answer(caller, connection, interval, page) for page in pages)))


async def _answer(caller: Caller, connection: Connection, interval: Interval, page: PageEntry) -> Answer:
    asked = asked_about(page)
    chat_id = _ID.fullmatch(page.external_id.strip())
    if chat_id is None:
        return Answer(asked, unanswered_at(interval), None, _BAD_ID)
    try:
        response = await caller.ask("GET", f"/chats/{quote(chat_id[1])}", lambda answer: _judge(connection, answer))
    except Unanswered as error:
        return Answer(asked, unanswered_at(interval), None, error.trouble)
    trouble = None if response.is_success else f"HTTP {response.status_code}"
    return Answer(asked, clock_of(response), body_of(response), trouble)


def read(answers: Iterable[Answer]) -> Iterator[Records]:
    """Read the snapshot of every page asked about out of its answer."""
    rows = [_snapshot(answer) for answer in answers]
    if rows:
        yield Records("page_snapshot", "max.page", rows)


def _snapshot(answer: Answer) -> Record:
    said = parsed(answer.body)
    told = _unread(answer, said) if answer.trouble or not isinstance(said, dict) else _about(said)
    return snapshot("max", answer.asked, answer.answered_at, told, said if isinstance(said, dict) else {})


def _unread(answer: Answer, said: Any) -> dict[str, Any]:
    if answer.trouble == _BAD_ID:
        return {"not_read": "bad_id"}
    otherwise = "no_answer" if answer.body is None else "bad_answer"
    message = said.get("message") if isinstance(said, dict) else None
    detail = f"{answer.trouble}: {message}" if isinstance(message, str) else answer.trouble or shown(answer.body)
    return {"not_read": _OF_TROUBLE.get(answer.trouble or "", otherwise), "not_read_detail": detail}


def _about(chat: dict[str, Any]) -> dict[str, Any]:
    """Return what MAX says of a chat: a field that is null is one it has not, one left out is unknown."""
    status = chat.get("status")
    return {
        "members_count": chat.get("participants_count"),
        "not_read": _OF_STATUS.get(status) if isinstance(status, str) else None,
        "name": chat.get("title"),
        "has_description": filled(chat["description"] or "") if "description" in chat else None,
        "has_avatar": bool(chat["icon"]) if "icon" in chat else None,
    }
