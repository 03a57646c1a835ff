"""Members of public pages on Telegram: getChatMemberCount and getChat of its Bot API, live only.

Telegram tells the number of now alone, and neither how many posts a channel has nor whether it is verified.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, Unanswered, body_of, clock_of
from otklik.sources.pages import asked_about, filled, parsed, shown, snapshot, unanswered_at
from otklik.sources.records import Answer, Record, Records
from otklik.sources.registry import PageEntry
from otklik.sources.telegram_bot import RATE, bot_for, check, judge_token, method_path, refusal

__all__ = ["RATE", "check", "pull", "read"]

_COUNT, _CHAT = "getChatMemberCount", "getChat"
_BAD_ID = "bad_id"
_NUMBER = re.compile(r"-\d+")
_NAME = re.compile(r"(?:(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?|@)?(\w[\w.-]*)/?", re.ASCII)
_OF_400 = (
    ("not found", "not_found"),
    ("not_occupied", "not_found"),
    ("inaccessible", "forbidden"),
    ("not a member", "forbidden"),
)


def pull(connection: Connection, interval: Interval, pages: Sequence[PageEntry], *, live: bool) -> Iterator[Answer]:
    """Ask about every page, two answers a page; nothing for a night that is over.

    Raise CredentialsError when Telegram refuses the token.
    """
    if live:
        yield from asyncio.run(_all(connection, interval, pages))


async def _all(connection: Connection, interval: Interval, pages: Sequence[PageEntry]) -> list[Answer]:
    async with bot_for(connection) as caller:
        questions = (_answer(caller, connection, interval, page, method) for page in pages for method in _methods(page))
        return list(await asyncio.gather(*questions))


def _methods(page: PageEntry) -> tuple[str, ...]:
    return (_COUNT, _CHAT) if _chat_id(page.external_id) else (_COUNT,)


async def _answer(caller: Caller, connection: Connection, interval: Interval, page: PageEntry, method: str) -> Answer:
    asked = asked_about(page) | {"method": method}
    chat_id = _chat_id(page.external_id)
    if chat_id is None:
        return Answer(asked, unanswered_at(interval), None, _BAD_ID)
    path = method_path(connection, method)
    try:
        response = await caller.ask(
            "GET", path, lambda answer: judge_token(connection, answer), params={"chat_id": chat_id}
        )
    except Unanswered as error:
        return Answer(asked, unanswered_at(interval), None, error.trouble)
    trouble = None if response.is_success else f"HTTP {response.status_code}"
    return Answer(asked, clock_of(response), body_of(response), trouble)


def _chat_id(external_id: str) -> str | None:
    """Return what the Bot API takes for a chat: @name or a number; None for what is neither, nor a link to it."""
    written = external_id.strip()
    if _NUMBER.fullmatch(written):
        return written
    named = _NAME.fullmatch(written)
    return f"@{named[1]}" if named else None


def read(answers: Iterable[Answer]) -> Iterator[Records]:
    """Read the snapshot of every page asked about out of its answers."""
    rows = [_snapshot(page) for page in _by_page(answers)]
    if rows:
        yield Records("page_snapshot", "telegram.page", rows)


def _by_page(answers: Iterable[Answer]) -> Iterator[dict[str, Answer]]:
    """Gather the answers about one page by method; they follow one another."""
    page: dict[str, Answer] = {}
    for answer in answers:
        method = answer.asked["method"]
        if page and (method in page or answer.asked["page_id"] != next(iter(page.values())).asked["page_id"]):
            yield page
            page = {}
        page[method] = answer
    if page:
        yield page


def _snapshot(page: Mapping[str, Answer]) -> Record:
    counted = page.get(_COUNT) or next(iter(page.values()))
    said = {method: parsed(answer.body) for method, answer in page.items()}
    told = _about(said.get(_CHAT)) | _count(counted, said.get(_COUNT))
    return snapshot("telegram", counted.asked, counted.answered_at, told, said)


def _count(answer: Answer, said: Any) -> dict[str, Any]:
    if answer.trouble == _BAD_ID:
        return {"not_read": "bad_id"}
    if answer.body is None:
        reason = "limit" if answer.trouble == "HTTP 429" else "no_answer"
        return {"not_read": reason, "not_read_detail": answer.trouble}
    code, description = refusal(said)
    if code is not None:
        return {"not_read": _of_refusal(code, description), "not_read_detail": f"{code}: {description}"}
    if isinstance(said, dict) and said.get("ok") is True and said.get("result") is not None:
        return {"members_count": said["result"]}
    return {"not_read": "bad_answer", "not_read_detail": answer.trouble or shown(answer.body)}


def _of_refusal(code: int, description: str) -> str:
    if code == httpx.codes.BAD_REQUEST:
        return next((reason for part, reason in _OF_400 if part in description.lower()), "bad_id")
    return {403: "forbidden", 429: "limit"}.get(code, "bad_answer")


def _about(said: Any) -> dict[str, Any]:
    """Return what getChat says; a field that it leaves out of a chat is one that the chat does not have."""
    chat = said.get("result") if isinstance(said, dict) else None
    if not isinstance(chat, dict):
        return {}
    return {
        "name": chat.get("title"),
        "has_description": filled(chat.get("description", "")),
        "has_avatar": "photo" in chat,
    }
