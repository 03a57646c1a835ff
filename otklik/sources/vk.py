"""Pages on VK (API 5.199): members and marks of many pages at once, then posts and reach page by page."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, TryAgain, Unanswered, body_of, caller_for, clock_of
from otklik.sources.pages import WEEK, asked_about, parsed, unanswered_at
from otklik.sources.records import Answer, Listing, Records
from otklik.sources.registry import PageEntry
from otklik.sources.vk_answers import (
    LIMIT,
    OF_ONE_PAGE,
    WallPart,
    error_of,
    failure_of,
    key,
    reach_of,
    snapshot_of,
    told_of,
)

RATE = 20.0
"""Requests a second that VK allows a service token."""
BATCH = 500
"""Pages in one request."""

_VERSION = "5.199"
_FIELDS = "activity,cover,description,has_photo,is_government_organization,members_count,verified"
_POSTS = 100
_WALL_PARTS = 20  # 2,000 posts in a week: what goes on longer is no wall of an authority
_IN_FLIGHT = 32  # also the most that are still asked once a method's limit is reached

_AGAIN = {1, 6, 10}
_TOKEN = {5, 27, 28}
_PERSON = {14: "a captcha", 17: "a confirmation in the browser"}


def check(connection: Connection) -> datetime:
    """Return the moment by VK's clock; raise CredentialsError for a token it refuses, SourceError for no answer."""

    async def ask() -> Answer:
        async with caller_for(connection, RATE) as caller:
            return await _Vk(connection, caller, datetime.now(UTC)).ask({"method": "utils.getServerTime"})

    answer = asyncio.run(ask())
    failure = failure_of(answer)
    if failure:
        raise SourceError(f"Connection {connection.name}: VK gives no answer ({failure[1]}); check its address")
    return answer.answered_at


def pull(connection: Connection, interval: Interval, pages: Sequence[PageEntry], *, live: bool) -> Iterator[Answer]:
    """Ask about pages as they are now; of a past night VK can tell no number of members, so nothing is asked then.

    Reach is asked for where the connection's extra says `reach` is true: it needs an administrator's token.
    Raises CredentialsError for a token that VK refuses, SourceError where it wants a person.
    """
    return iter(asyncio.run(_pull(connection, interval, pages)) if live else ())


def read(answers: Iterable[Answer]) -> Iterator[Records | Listing]:
    """Read one snapshot of every page asked about; the answers may come in any order."""
    groups: list[Answer] = []
    walls: dict[str, list[WallPart]] = defaultdict(list)
    reaches: dict[str, object] = {}
    for answer in answers:
        if answer.asked["method"] == "groups.getById":
            groups.append(answer)
        elif answer.asked["method"] == "wall.get":
            walls[answer.asked["page_id"]].append(WallPart(answer))
        else:
            reaches[answer.asked["page_id"]] = reach_of(answer)
    rows = [
        snapshot_of(told, answer, walls[told.page["page_id"]], reaches.get(told.page["page_id"]))
        for answer in groups
        for told in told_of(answer)
    ]
    if rows:
        yield Records("page_snapshot", "vk.page", rows)


async def _pull(connection: Connection, interval: Interval, pages: Sequence[PageEntry]) -> list[Answer]:
    otherwise = unanswered_at(interval)
    well_formed = [asked_about(page) for page in pages if key(page.external_id)]
    malformed = [asked_about(page) for page in pages if not key(page.external_id)]
    answers = [Answer({"method": "groups.getById", "pages": [page]}, otherwise, None, "bad_id") for page in malformed]
    async with caller_for(connection, RATE) as caller:
        vk = _Vk(connection, caller, otherwise)
        for start in range(0, len(well_formed), BATCH):
            answers += await vk.groups(well_formed[start : start + BATCH])
        readable = [
            (told.page["page_id"], told.number) for answer in answers for told in told_of(answer) if told.number
        ]
        for wall in await asyncio.gather(*(vk.wall(*page) for page in readable)):
            answers += wall
        if connection.extra.get("reach") == "true":
            answers += await asyncio.gather(*(vk.stats(*page) for page in readable))
    return answers


class _Vk:
    """Asks VK, each method until its limit is reached; `otherwise` dates what has no answer."""

    def __init__(self, connection: Connection, caller: Caller, otherwise: datetime) -> None:
        self._connection = connection
        self._caller = caller
        self._otherwise = otherwise
        self._exhausted: set[str] = set()
        self._in_flight = asyncio.Semaphore(_IN_FLIGHT)

    async def groups(self, pages: list[dict[str, str]]) -> list[Answer]:
        """Ask about pages together; where one of them spoils the answer, halve them until it stands alone."""
        ids = ",".join(dict.fromkeys(str(key(page["external_id"])) for page in pages))
        answer = await self.ask({"method": "groups.getById", "pages": pages}, group_ids=ids, fields=_FIELDS)
        error = error_of(parsed(answer.body))
        if len(pages) == 1 or not error or error[0] not in OF_ONE_PAGE:
            return [answer]
        half = len(pages) // 2
        return await self.groups(pages[:half]) + await self.groups(pages[half:])

    async def wall(self, page_id: str, number: int) -> list[Answer]:
        """Ask for the page's own posts, newest first, as far back as a week."""
        answers: list[Answer] = []
        parts: list[WallPart] = []
        while not parts or (len(parts) < _WALL_PARTS and parts[-1].goes_on(parts[0].since)):
            offset = len(parts) * _POSTS
            asked = {"method": "wall.get", "page_id": page_id, "offset": offset}
            answer = await self.ask(asked, owner_id=-number, filter="owner", count=_POSTS, offset=offset)
            answers.append(answer)
            parts.append(WallPart(answer))
        return answers

    async def stats(self, page_id: str, number: int) -> Answer:
        """Ask for the reach of the last seven days as one period: reaches of single days do not add up."""
        start, end = (int(moment.timestamp()) for moment in (self._otherwise - WEEK, self._otherwise))
        asked = {"method": "stats.get", "page_id": page_id}
        return await self.ask(asked, group_id=number, interval="all", timestamp_from=start, timestamp_to=end)

    async def ask(self, asked: Mapping[str, Any], **parameters: str | int) -> Answer:
        """Return VK's answer, or its last refusal after all attempts, or none with the trouble."""
        method, token = asked["method"], self._connection.password or ""
        answered: list[httpx.Response] = []

        def judge(response: httpx.Response) -> None:
            answered[:] = [response]
            self._judge(method, response)

        async with self._in_flight:
            if method in self._exhausted:
                return Answer(asked, self._otherwise, None, "limit")
            form = parameters | {"access_token": token, "v": _VERSION}
            try:
                await self._caller.ask("POST", f"/method/{method}", judge, data=form)
            except Unanswered as error:
                if not answered:
                    return Answer(asked, self._otherwise, None, error.trouble)
        (response,) = answered
        body = body_of(response).replace(token, "***") if token else body_of(response)
        return Answer(asked, clock_of(response), body, None if response.is_success else f"HTTP {response.status_code}")

    def _judge(self, method: str, response: httpx.Response) -> None:
        said = parsed(body_of(response))
        if said is None and response.is_success:
            raise TryAgain("no JSON")
        code, _ = error_of(said) or (0, "")
        if code in _AGAIN:
            raise TryAgain(f"error {code}")
        if code in LIMIT:
            self._exhausted.add(method)
        if code in _TOKEN:
            raise CredentialsError(
                f"Connection {self._connection.name}: VK refuses the token (error {code}); "
                "put a valid one into the connection's password"
            )
        if code in _PERSON:
            raise SourceError(
                f"Connection {self._connection.name}: VK wants {_PERSON[code]} (error {code}) from the token's owner; "
                "let them log in, or use a service token"
            )
