"""Pages on VK (API 5.199): members and marks of many pages at once, then posts and reach page by page."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, caller_for
from otklik.sources.methods import Methods, Pages, halving
from otklik.sources.pages import WEEK, asked_about, unanswered_at
from otklik.sources.records import Answer, Listing, Records
from otklik.sources.registry import PageEntry
from otklik.sources.vk_answers import ERRORS, WallPart, key, reach_of, snapshot_of, told_of

RATE = 20.0
"""Requests a second that VK allows a service token."""
BATCH = 500
"""Pages in one request."""

_VERSION = "5.199"
_FIELDS = "activity,cover,description,has_photo,is_government_organization,members_count,verified"
_POSTS = 100
_WALL_PARTS = 20  # 2,000 posts in a week: what goes on longer is no wall of an authority

_TOKEN = {5, 27, 28}
_PERSON = {14: "a captcha", 17: "a confirmation in the browser"}


def check(connection: Connection) -> datetime:
    """Return the moment by VK's clock; raise CredentialsError for a token it refuses, SourceError for no answer."""

    async def ask() -> Answer:
        async with caller_for(connection, RATE) as caller:
            return await _Vk(connection, caller, datetime.now(UTC)).ask({"method": "utils.getServerTime"})

    answer = asyncio.run(ask())
    failure = ERRORS.failure_of(answer)
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
    """Asks VK its questions; `otherwise` dates what has no answer."""

    def __init__(self, connection: Connection, caller: Caller, otherwise: datetime) -> None:
        self._connection = connection
        self._token = connection.password or ""
        self._otherwise = otherwise
        self._methods = Methods(caller, ERRORS, self._fatal, (self._token,), otherwise)

    async def groups(self, pages: Pages) -> list[Answer]:
        """Ask about pages together, alone about those that spoil the answer for the others."""

        async def ask(pages: Pages) -> Answer:
            ids = ",".join(dict.fromkeys(str(key(page["external_id"])) for page in pages))
            return await self.ask({"method": "groups.getById", "pages": pages}, group_ids=ids, fields=_FIELDS)

        return await halving(ask, pages, ERRORS.spoil)

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
        """Ask one question; the token goes into the body, for addresses are logged everywhere."""
        form = parameters | {"access_token": self._token, "v": _VERSION}
        return await self._methods.ask(asked, f"/method/{asked['method']}", form)

    def _fatal(self, code: int) -> SourceError | None:
        name = self._connection.name
        if code in _TOKEN:
            advice = "put a valid one into the connection's password"
            return CredentialsError(f"Connection {name}: VK refuses the token (error {code}); {advice}")
        if code in _PERSON:
            advice = "let them log in, or use a service token"
            return SourceError(
                f"Connection {name}: VK wants {_PERSON[code]} of the token's owner (error {code}); {advice}"
            )
        return None
