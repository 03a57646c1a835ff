"""Readers of dashboards as their browsers are: what opening a dashboard asks, and many who open them at a time."""

import asyncio
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import aiohttp
from playwright.sync_api import Page, Request

from otklik.settings import Settings
from tests.e2e.browser import LAPTOP, browser_page, login, open_dashboard

CHART_DATA = "/api/v1/chart/data"
PAGE = "page"
LOGIN = "leadership"
# Files that a browser has since the day before, and what Superset asks of other hosts, which its own rules forbid.
_ELSEWHERE = ("/static/", "/superset/language_pack/")
# Chromium opens no more connections to a host.
_CONNECTIONS = 6
_PATIENCE = aiohttp.ClientTimeout(total=60)
# So long a reader looks at a dashboard before opening the next, seconds.
_READING = (5.0, 15.0)
# Nothing of these is a secret: it is by chance who reads how long.
_CHANCE = random.Random(50)  # noqa: S311


@dataclass(frozen=True)
class Ask:
    """One request of a browser, and the status of its answer: a page asks for some things that its reader may not."""

    method: str
    path: str
    body: str | None
    content_type: str | None
    status: int

    @property
    def is_chart_data(self) -> bool:
        return urlsplit(self.path).path == CHART_DATA

    @property
    def chart(self) -> int | None:
        """Number of the chart that wants the data; None: the list of a filter."""
        found = parse_qs(urlsplit(self.path).query).get("form_data", [""])[0]
        number = re.search(r'"slice_id":\s*(\d+)', found)
        return int(number[1]) if number else None


@dataclass(frozen=True)
class Answered:
    """How long an answer took, in seconds, and what was wrong with it; PAGE is a dashboard with all that is on it."""

    path: str
    seconds: float
    error: str | None = None


def openings(settings: Settings, slugs: Sequence[str]) -> dict[str, list[Ask]]:
    """Open each dashboard in Chromium as leadership; return everything that it asks of Superset, in order."""
    base = settings.superset_inside
    asked: dict[str, list[Ask]] = {}
    with browser_page(*LAPTOP) as page:
        login(page, base, LOGIN, settings.superset_leadership_login_password)
        for slug in slugs:
            asked[slug] = _opening(page, base, slug)
    return asked


def _opening(page: Page, base: str, slug: str) -> list[Ask]:
    requests: list[Request] = []

    def hear(request: Request) -> None:
        requests.append(request)

    page.on("request", hear)
    open_dashboard(page, base, slug, timeout=600)
    page.remove_listener("request", hear)
    return [ask for request in requests if (ask := _ask_of(request, base))]


def _ask_of(request: Request, base: str) -> Ask | None:
    """Return what was asked of Superset; None when it was something else, or not answered."""
    path = request.url.removeprefix(base)
    if path == request.url or path.startswith(_ELSEWHERE) or not (answer := request.response()):
        return None
    return Ask(request.method, path, request.post_data, request.headers.get("content-type"), answer.status)


def read_together(
    settings: Settings, dashboards: Sequence[Sequence[Ask]], readers: int, seconds: float
) -> list[Answered]:
    """Let so many readers, each logged in, open these dashboards in turn for so long; return every answer."""
    return asyncio.run(_read_together(settings, dashboards, readers, seconds))


async def _read_together(
    settings: Settings, dashboards: Sequence[Sequence[Ask]], readers: int, seconds: float
) -> list[Answered]:
    password = settings.superset_leadership_login_password
    answers: list[Answered] = []
    async with AsyncExitStack() as stack:
        browsers = []
        for _ in range(readers):
            # What readers' machines would do, this one shall not: answers stay compressed.
            browser = aiohttp.ClientSession(
                settings.superset_inside,
                timeout=_PATIENCE,
                auto_decompress=False,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
            )
            browsers.append(await stack.enter_async_context(browser))
            await _log_in(browser, password)
        ends = time.monotonic() + seconds
        await asyncio.gather(*(_read(browser, dashboards, ends, answers) for browser in browsers))
    return answers


async def _log_in(browser: aiohttp.ClientSession, password: str) -> None:
    async with browser.get("/login/", headers={"Accept-Encoding": "identity"}) as page:
        token = re.search(r'csrf_token[^>]*value="([^"]+)"', await page.text())
    browser.headers["X-CSRFToken"] = token[1] if token else ""
    form = {"username": LOGIN, "password": password, "csrf_token": browser.headers["X-CSRFToken"]}
    async with browser.post("/login/", data=form, allow_redirects=False) as done:
        if done.status != HTTPStatus.FOUND:
            raise SystemExit(f"A reader of the benchmark cannot log in: {done.status}")


async def _read(
    browser: aiohttp.ClientSession, dashboards: Sequence[Sequence[Ask]], ends: float, answers: list[Answered]
) -> None:
    """Open the dashboards in turn, beginning with any, and look at each for a while."""
    turn = _CHANCE.randrange(len(dashboards))
    await asyncio.sleep(_CHANCE.uniform(0, _READING[1]))
    while time.monotonic() < ends:
        asks = dashboards[turn % len(dashboards)]
        began = time.monotonic()
        answers += await _open(browser, asks)
        answers.append(Answered(PAGE, time.monotonic() - began))
        turn += 1
        await asyncio.sleep(_CHANCE.uniform(*_READING))


async def _open(browser: aiohttp.ClientSession, asks: Sequence[Ask]) -> list[Answered]:
    """Ask for the page, then for what it is made of, then for everything on it, as many at a time as a browser."""
    connections = asyncio.Semaphore(_CONNECTIONS)
    answers: list[Answered] = []
    for together in _waves(asks):
        answers += await asyncio.gather(*(_ask(browser, ask, connections) for ask in together))
    return answers


def _waves(asks: Sequence[Ask]) -> Iterator[Sequence[Ask]]:
    first = next(number for number, ask in enumerate(asks) if ask.is_chart_data)
    yield asks[:1]
    yield asks[1:first]
    yield asks[first:]


async def _ask(browser: aiohttp.ClientSession, ask: Ask, connections: asyncio.Semaphore) -> Answered:
    headers = {"Content-Type": ask.content_type} if ask.content_type else {}
    error = None
    async with connections:
        began = time.monotonic()
        try:
            async with browser.request(
                ask.method, ask.path, data=ask.body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
            if answer.status != ask.status:
                error = f"{answer.status}, in Chromium {ask.status}"
        except (aiohttp.ClientError, TimeoutError) as failure:
            error = repr(failure)
        return Answered(urlsplit(ask.path).path, time.monotonic() - began, error)
