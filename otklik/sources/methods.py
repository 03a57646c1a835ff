"""Systems that are asked by named methods and tell errors by number inside HTTP 200, as VK and OK do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from otklik.errors import SourceError
from otklik.sources.http import Caller, TryAgain, Unanswered, body_of, clock_of
from otklik.sources.pages import parsed, shown
from otklik.sources.records import Answer

IN_FLIGHT = 32
"""Requests under way at once; also the most that are still answered once a method's limit is reached."""

Pages = list[dict[str, str]]


@dataclass(frozen=True)
class Errors:
    """What a system's errors mean, by number.

    `error_of` finds number and message in a parsed body. `again`: worth another attempt. `limit`: the method's limit
    is used up. `of_one_page`: caused by one page of a request -> why that page is not read.
    """

    error_of: Callable[[Any], tuple[int, str] | None]
    again: frozenset[int]
    limit: frozenset[int]
    of_one_page: Mapping[int, str]

    def spoil(self, answer: Answer) -> bool:
        """Tell whether an answer is an error that one of several pages caused."""
        error = self.error_of(parsed(answer.body))
        return error is not None and error[0] in self.of_one_page

    def failure_of(self, answer: Answer) -> tuple[str, str] | None:
        """Return why an answer is none, a reason of the contract and its detail; None where it may tell something."""
        if answer.trouble:
            is_reason = answer.trouble in ("limit", "bad_id")
            return (answer.trouble if is_reason else "no_answer"), answer.trouble
        said = parsed(answer.body)
        if said is None:
            return "bad_answer", shown(answer.body)
        error = self.error_of(said)
        if error is None:
            return None
        return self.of_one_page.get(error[0], "limit" if error[0] in self.limit else "no_answer"), error[1]


class Methods:
    """Asks a system, each method until its limit is reached.

    `fatal` makes the error that ends the reading out of an error's number, or None; `secrets` are kept out of
    answers; `otherwise` dates what has no answer.
    """

    def __init__(
        self,
        caller: Caller,
        errors: Errors,
        fatal: Callable[[int], SourceError | None],
        secrets: tuple[str, ...],
        otherwise: datetime,
    ) -> None:
        self._caller = caller
        self._errors = errors
        self._fatal = fatal
        self._secrets = [secret for secret in secrets if secret]
        self._otherwise = otherwise
        self._exhausted: set[str] = set()
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)

    async def ask(self, asked: Mapping[str, Any], path: str, form: Mapping[str, Any]) -> Answer:
        """Return the answer to `asked["method"]`, or the last refusal after all attempts, or none with the trouble."""
        answered: list[httpx.Response] = []

        def judge(response: httpx.Response) -> None:
            answered[:] = [response]
            self._judge(asked["method"], response)

        async with self._in_flight:
            if asked["method"] in self._exhausted:
                return Answer(asked, self._otherwise, None, "limit")
            try:
                await self._caller.ask("POST", path, judge, data=form)
            except Unanswered as error:
                if not answered:
                    return Answer(asked, self._otherwise, None, error.trouble)
        (response,) = answered
        trouble = None if response.is_success else f"HTTP {response.status_code}"
        return Answer(asked, clock_of(response), self._without_secrets(body_of(response)), trouble)

    def _judge(self, method: str, response: httpx.Response) -> None:
        said = parsed(body_of(response))
        if said is None and response.is_success:
            raise TryAgain("no JSON")
        code, _ = self._errors.error_of(said) or (None, "")
        if code is None:
            return
        if code in self._errors.again:
            raise TryAgain(f"error {code}")
        if code in self._errors.limit:
            self._exhausted.add(method)
        fatal = self._fatal(code)
        if fatal:
            raise fatal

    def _without_secrets(self, body: str) -> str:
        for secret in self._secrets:
            body = body.replace(secret, "***")
        return body


async def halving(
    ask: Callable[[Pages], Awaitable[Answer]], pages: Pages, spoilt: Callable[[Answer], bool]
) -> list[Answer]:
    """Ask about pages together; where one of them spoils the answer, halve them until it stands alone."""
    answer = await ask(pages)
    if len(pages) == 1 or not spoilt(answer):
        return [answer]
    half = len(pages) // 2
    return await halving(ask, pages[:half], spoilt) + await halving(ask, pages[half:], spoilt)


def is_number(value: object) -> bool:
    """Tell whether a value of JSON is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
