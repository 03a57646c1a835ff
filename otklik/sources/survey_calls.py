"""Asking a system that holds surveys about each of them, so that one that fails does not stop the others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx

from otklik.errors import CredentialsError, SourceError
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, Judge, TryAgain, Unanswered, body_of, caller_for, clock_of
from otklik.sources.records import Answer
from otklik.sources.registry import SurveyEntry

SurveyPull = Callable[[Caller, SurveyEntry, Mapping[str, Any]], AsyncIterator[Answer]]
"""Yields the answers about one survey; raises Unanswered where it cannot go on."""


def pull_each(
    connection: Connection, surveys: Sequence[SurveyEntry], pull_survey: SurveyPull, rate: float, **client: Any
) -> Iterator[Answer]:
    """Yield the answers about each survey; one that fails ends with an answer that tells its trouble."""

    async def collect(survey: SurveyEntry) -> list[Answer]:
        answers: list[Answer] = []
        asked = {"system": survey.system, "survey_id": survey.survey_id, "external_id": survey.external_id}
        async with caller_for(connection, rate, **client) as caller:
            try:
                async for answer in pull_survey(caller, survey, asked):
                    answers.append(answer)
            except Unanswered as error:
                moment = answers[-1].answered_at if answers else datetime.now(UTC)
                answers.append(Answer(asked, moment, None, error.trouble))
        return answers

    for survey in surveys:
        yield from asyncio.run(collect(survey))


def check_by(connection: Connection, path: str, judge: Judge, rate: float, **client: Any) -> datetime:
    """Return the system's clock by one small question; raise SourceError when it does not answer."""

    async def ask() -> httpx.Response:
        async with caller_for(connection, rate, **client) as caller:
            return await caller.ask("GET", path, judge)

    try:
        return clock_of(asyncio.run(ask()))
    except Unanswered as error:
        raise SourceError(
            f"{connection.name}: no usable answer from {connection.url} ({error.trouble}); check the address"
        ) from None


def judge_of(refusal: CredentialsError, refused: frozenset[int]) -> Judge:
    """Return a judge that raises `refusal` for its HTTP statuses, and asks again for what is not JSON."""

    def judge(response: httpx.Response) -> None:
        if response.status_code in refused:
            raise refusal
        if response.status_code != HTTPStatus.OK:
            raise Unanswered(f"HTTP {response.status_code}")
        try:
            response.json()
        except (ValueError, RecursionError):
            raise TryAgain("not JSON") from None

    return judge


def kept(asked: Mapping[str, Any], what: str, response: httpx.Response) -> Answer:
    """Return a response as an answer to be landed; `what` tells later what it holds."""
    return Answer(dict(asked) | {"what": what}, clock_of(response), body_of(response))
