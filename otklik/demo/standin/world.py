"""What the stand-in servers tell: pages, surveys, requests and posts, by a clock of their own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


class Clock:
    """A clock that shows `start` (with a zone) when it is made and then goes on."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._made = time.monotonic()

    def now(self) -> datetime:
        """Return what the clock shows."""
        return self._start + timedelta(seconds=time.monotonic() - self._made)


@dataclass(frozen=True)
class Page:
    """One page of an authority on one network.

    `audience` holds knots (day, members) in order; between them members grow evenly, before the first there is no page.
    """

    network: str  # vk | ok | telegram | max
    number: int  # the network's own numeric id, positive
    short_name: str  # screen name in latin letters, without @
    title: str
    audience: tuple[tuple[date, int], ...]
    description: str = ""
    has_avatar: bool = True
    has_cover: bool = True
    is_verified: bool = False
    has_government_mark: bool = False
    posts: tuple[datetime, ...] = ()  # newest first
    weekly_reach: int | None = None
    is_closed: bool = False
    deactivated: str | None = None  # deleted | banned
    tells_members: bool = True

    def members_on(self, day: date) -> int | None:
        """Return the members on a day; None before the page was opened."""
        if day < self.audience[0][0]:
            return None
        before = self.audience[0]
        for knot in self.audience:
            if knot[0] >= day:
                span = (knot[0] - before[0]).days
                return before[1] + round((knot[1] - before[1]) * ((day - before[0]).days / span if span else 1))
            before = knot
        return before[1]


@dataclass(frozen=True)
class Option:
    """A ready answer of a question, or a row of a matrix."""

    code: str
    text: str


@dataclass(frozen=True)
class Question:
    """One question; `rows` are the lines of a matrix, each answered by one of `options`."""

    code: str
    kind: str  # single | multiple | scale | number | date | open | matrix
    text: str
    options: tuple[Option, ...] = ()
    rows: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Response:
    """One filled-in form: question code (`code_row` for a matrix) -> option code(s) or text.

    `submitted_at` is None while it is incomplete, `edited_at` the time of a change after that.
    """

    number: int
    started_at: datetime
    submitted_at: datetime | None
    answers: Mapping[str, str | tuple[str, ...]]
    language: str = "ru"
    edited_at: datetime | None = None


@dataclass(frozen=True)
class Survey:
    """One survey in the system that holds it."""

    system: str  # limesurvey | yandex_forms | kobo
    external_id: str
    title: str
    topic: str
    opened_on: date
    closed_on: date
    questions: tuple[Question, ...]
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class ServiceRequest:
    """One request of an Open311 server."""

    service_request_id: str
    status: str  # open | closed
    service_code: str
    service_name: str
    agency_responsible: str
    requested_at: datetime
    updated_at: datetime
    expected_at: datetime | None = None
    status_notes: str = ""
    description: str = ""
    address: str = ""
    lat: float | None = None
    long: float | None = None


@dataclass(frozen=True)
class ChannelPost:
    """One post of the complaint channel, as Telegram's bot learns of it."""

    update_id: int
    message_id: int
    posted_at: datetime
    text: str
    author_name: str | None = None
    edited_at: datetime | None = None


@dataclass
class World:
    """All of it. Tests change it while the servers run: what is asked next is told from what is here then."""

    clock: Clock
    pages: list[Page] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    requests: list[ServiceRequest] = field(default_factory=list)
    posts: list[ChannelPost] = field(default_factory=list)
    channel_number: int = -1001500000001
    channel_title: str = "Школьное питание"
    channel_name: str = "school_meals_66"
