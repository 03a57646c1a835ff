"""Pages on OK (fb.do): members and marks of many pages at once, and the numbers of past days page by page."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, caller_for
from otklik.sources.methods import Methods, Pages, halving
from otklik.sources.ok_answers import (
    ERRORS,
    GROUP_INFO,
    TRENDS,
    URL_INFO,
    name_of,
    snapshots_of,
    trend_of,
    uid_of,
    unresolved,
)
from otklik.sources.pages import asked_about, unanswered_at
from otklik.sources.records import Answer, Listing, Record, Records
from otklik.sources.registry import PageEntry

RATE = 20.0
"""Requests a second (unofficial: OK publishes no figure)."""
BATCH = 100
"""Pages in one request."""

_FIELDS = "access_type,blocked,cover,description,gos_org,members_count,name,pic_avatar,shortname,uid"
_REFUSED = {
    101: "the application key: put a valid one into the connection's login",
    102: "the access token, which has expired: put a new one into access_token of the connection's extra",
    103: "the access token: put a valid one into access_token of the connection's extra",
    104: "the signature: put the application's secret key into the connection's password",
}


def check(connection: Connection) -> datetime:
    """Return the moment by OK's clock; raise CredentialsError for what it refuses, SourceError for no answer."""

    async def ask() -> Answer:
        async with caller_for(connection, RATE) as caller:
            return await _Ok(connection, caller, datetime.now(UTC)).ask({"method": "users.getCurrentUser"})

    answer = asyncio.run(ask())
    failure = ERRORS.failure_of(answer)
    if failure:
        raise SourceError(f"Connection {connection.name}: OK gives no answer ({failure[1]}); check its address")
    return answer.answered_at


def pull(connection: Connection, interval: Interval, pages: Sequence[PageEntry], *, live: bool) -> Iterator[Answer]:
    """Ask about pages as they are now, or about their members on the days of a past interval.

    OK tells of the past where the token is an administrator's; a page that it does not tell of says why.
    Raises CredentialsError where OK refuses the application or its token.
    """
    return iter(asyncio.run(_pull(connection, interval, pages, live)))


def read(answers: Iterable[Answer]) -> Iterator[Records | Listing]:
    """Read one snapshot of every page asked about; the answers may come in any order."""
    names: list[Answer] = []
    rows: list[Record] = []
    for answer in answers:
        if answer.asked["method"] == URL_INFO:
            names.append(answer)
        elif answer.asked["method"] == GROUP_INFO:
            rows += snapshots_of(answer)
        else:
            rows.append(trend_of(answer))
    # A name that gave a group has had its answer there.
    read_pages = {row.values["page_id"] for row in rows}
    rows += [
        unresolved(page, answer)
        for answer in names
        for page in answer.asked["pages"]
        if page["page_id"] not in read_pages
    ]
    if rows:
        yield Records("page_snapshot", "ok.page", rows)


async def _pull(connection: Connection, interval: Interval, pages: Sequence[PageEntry], live: bool) -> list[Answer]:
    async with caller_for(connection, RATE) as caller:
        ok = _Ok(connection, caller, unanswered_at(interval))
        named, answers = await ok.resolve([asked_about(page) for page in pages], None if live else interval)
        if live:
            for start in range(0, len(named), BATCH):
                answers += await ok.groups(named[start : start + BATCH])
        else:
            answers += await asyncio.gather(*(ok.trend(page, interval) for page in named))
    return answers


class _Ok:
    """Asks OK its questions; `otherwise` dates what has no answer."""

    def __init__(self, connection: Connection, caller: Caller, otherwise: datetime) -> None:
        self._connection = connection
        self._key = connection.login or ""
        self._secret = connection.password or ""
        self._token = connection.extra.get("access_token", "")
        self._otherwise = otherwise
        self._methods = Methods(caller, ERRORS, self._fatal, (self._token, self._secret), otherwise)

    async def resolve(self, pages: Pages, interval: Interval | None) -> tuple[Pages, list[Answer]]:
        """Return the pages with their groups' numbers, and the answers about names; each name is asked about once.

        `interval` is the past one that the pages are asked about, None for now.
        """
        by_name: dict[str | None, Pages] = defaultdict(list)
        for page in pages:
            by_name[name_of(page["external_id"])].append(page)
        numbered = [page | {"uid": name} for name, same in by_name.items() if name and name.isdigit() for page in same]
        unnumbered = [(name, same) for name, same in by_name.items() if not (name and name.isdigit())]
        answers = await asyncio.gather(*(self._resolve(name, same, interval) for name, same in unnumbered))
        for answer in answers:
            uid = uid_of(answer)
            numbered += [page | {"uid": uid} for page in answer.asked["pages"] if uid]
        return numbered, answers

    async def _resolve(self, name: str | None, pages: Pages, interval: Interval | None) -> Answer:
        asked = {"method": URL_INFO, "pages": pages} | ({"start": interval.start.isoformat()} if interval else {})
        if name is None:
            return Answer(asked, self._otherwise, None, "bad_id")
        return await self.ask(asked, url=f"https://ok.ru/{name}")

    async def groups(self, pages: Pages) -> list[Answer]:
        """Ask about pages together, alone about those that spoil the answer for the others."""

        async def ask(pages: Pages) -> Answer:
            uids = ",".join(dict.fromkeys(page["uid"] for page in pages))
            return await self.ask({"method": GROUP_INFO, "pages": pages}, uids=uids, fields=_FIELDS)

        return await halving(ask, pages, ERRORS.spoil)

    async def trend(self, page: dict[str, str], interval: Interval) -> Answer:
        """Ask for the members of a page on the days of an interval."""
        start, end = interval.start, interval.end
        asked = {"method": TRENDS, "page": page, "start": start.isoformat(), "end": end.isoformat()}
        span = {"start_time": str(int(start.timestamp() * 1000)), "end_time": str(int(end.timestamp() * 1000))}
        return await self.ask(asked, gid=page["uid"], fields="members_count", **span)

    async def ask(self, asked: Mapping[str, Any], **parameters: str) -> Answer:
        """Ask one question, signed; the token goes into the body, for addresses are logged everywhere."""
        form = parameters | {"method": asked["method"], "application_key": self._key, "format": "json"}
        signed = form | {"sig": self._signature(form), "access_token": self._token}
        return await self._methods.ask(asked, "/fb.do", signed)

    def _signature(self, form: Mapping[str, str]) -> str:
        """Sign as OK says: MD5 of the sorted parameters and of MD5 of token and secret key."""
        return _md5("".join(f"{key}={form[key]}" for key in sorted(form)) + _md5(self._token + self._secret))

    def _fatal(self, code: int) -> SourceError | None:
        if code not in _REFUSED:
            return None
        return CredentialsError(f"Connection {self._connection.name}: OK refuses (error {code}) {_REFUSED[code]}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
