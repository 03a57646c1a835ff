"""One way to call an outside system over HTTP: paced, retried, and telling what time it is there."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx
from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from otklik.errors import SourceError
from otklik.sources.connection import Connection

# It logs the address of every request, and some systems take their token in the address.
logging.getLogger("httpx").setLevel(logging.WARNING)

ATTEMPTS = 5
TIMEOUT = httpx.Timeout(30, connect=10)
# Spaced evenly a little below the allowed rate: a burst, or two requests that the network pushes together,
# must not exceed it at the other end.
_OF_THE_RATE = 0.96
FIRST_WAIT = 0.5
# Requests under way at once. httpx looks through all of them, and all that wait for a connection, at every answer:
# hundreds cost it ten times the work. A paced caller needs as many as are asked while one is answered.
_PACED, _UNPACED = 32, 4
_LONGEST_WAIT = 60.0


class Unanswered(Exception):  # noqa: N818 - it is what came of a question, and its asker decides whether that is an error
    """No usable answer after all attempts. `trouble` says why in a few words without addresses or secrets."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class TryAgain(Exception):  # noqa: N818 - a request, not an error
    """Raised by a source's `judge` for an answer that says to ask again, after `seconds` where it says so."""

    def __init__(self, trouble: str, seconds: float | None = None) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.seconds = seconds


Judge = Callable[[httpx.Response], None]
"""Raises TryAgain for an answer that is worth another attempt, and the source's own error for one that is final."""


class Caller:
    """Asks one system at most `rate` times a second (None: unbounded), up to ATTEMPTS times each question.

    About `first_wait` seconds pass before the second attempt, twice as many before each further one.
    """

    def __init__(
        self,
        url: str,
        rate: float | None = None,
        *,
        attempts: int = ATTEMPTS,
        first_wait: float = FIRST_WAIT,
        **client: Any,
    ) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT, **client)
        self._limiter = AsyncLimiter(1, 1 / (rate * _OF_THE_RATE)) if rate else None
        self._in_flight = asyncio.Semaphore(_PACED if rate else _UNPACED)
        self._attempts = attempts
        self._exponential = wait_exponential_jitter(multiplier=first_wait, max=20, jitter=2 * first_wait)

    async def __aenter__(self) -> Self:
        """Open the client."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        """Close the client."""
        await self._client.__aexit__(*error)

    async def ask(self, method: str, path: str, judge: Judge | None = None, **request: Any) -> httpx.Response:
        """Send a request until it is answered; raise Unanswered when every attempt came to nothing.

        Transport errors, an answer cut off, 429 (after its Retry-After) and 5xx are tried again by themselves.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception_type((httpx.TransportError, TryAgain)),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    async with self._in_flight:
                        if self._limiter:
                            await self._limiter.acquire()
                        response = await self._client.request(method, path, **request)
                    _judge_status(response)
                    if judge:
                        judge(response)
        except httpx.TransportError as error:
            raise Unanswered(type(error).__name__) from None
        except TryAgain as error:
            raise Unanswered(error.trouble) from None
        return response

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_for = error.seconds if isinstance(error, TryAgain) else None
        return min(asked_for, _LONGEST_WAIT) if asked_for is not None else self._exponential(state)


def caller_for(connection: Connection, rate: float, **client: Any) -> Caller:
    """Return a caller of a connection's system, `rate` requests a second unless the connection says otherwise.

    Its extra may hold `rate` (0: unbounded) and `first_wait`, the seconds before the second attempt.
    """
    rate = number_in(connection, "rate", rate)
    return Caller(connection.url, rate or None, first_wait=number_in(connection, "first_wait", FIRST_WAIT), **client)


def number_in(connection: Connection, name: str, default: float) -> float:
    """Return a number, 0 or more, from the connection's extra; raise SourceError for what is none."""
    try:
        number = float(connection.extra.get(name, default))
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise SourceError(f"Connection {connection.name}: extra field {name!r} must be a number, 0 or more")
    return number


def clock_of(response: httpx.Response) -> datetime:
    """Return the moment of the answer by the clock of the system that gave it (its Date header), in UTC.

    Ours where it gives none: an observation belongs to the moment it was made, wherever the clock hangs.
    """
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def body_of(response: httpx.Response) -> str:
    """Return the body as text; bytes that are not UTF-8 are shown as \\xNN, so that nothing of it is lost."""
    return response.content.decode("utf-8", "backslashreplace")


def _judge_status(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise TryAgain("HTTP 429", _retry_after(response))
    if response.is_server_error:
        raise TryAgain(f"HTTP {response.status_code}")


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
