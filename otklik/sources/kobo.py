"""KoboToolbox v2: a form's structure, its newest submissions, and the ids of all it has.

An edit keeps a submission's number and time, and no time of the edit is told: submissions of the last OVERLAP before
the cursor are asked for again. Connection: `url` of the server, `password` the token.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx

from otklik.errors import CredentialsError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, Judge, Unanswered
from otklik.sources.kobo_structure import Form
from otklik.sources.records import Answer, Listing, Records
from otklik.sources.registry import SurveyEntry
from otklik.sources.survey_calls import check_by, judge_of, kept, pull_each
from otklik.sources.survey_records import Gathered, as_json, as_text, by_survey, moment, shown

RATE = 5
"""Requests a second: the public servers ask to be spared, and tell no number."""
PAGE = 1_000
"""Submissions on a page, the most that the server gives."""
OVERLAP = timedelta(days=14)


def check(connection: Connection) -> datetime:
    """Return the moment by the server's clock; raise CredentialsError when it refuses the token."""
    path = "/api/v2/assets/?limit=1"
    return check_by(connection, path, _judge(connection), RATE, headers=_headers(connection))


def pull(connection: Connection, interval: Interval, surveys: Sequence[SurveyEntry]) -> Iterator[Answer]:
    """Ask about each form and yield the answers; a form that fails ends with an answer that tells its trouble.

    Raise CredentialsError when the token is refused.
    """
    judge = _judge(connection)

    async def pull_survey(caller: Caller, survey: SurveyEntry, asked: Mapping[str, Any]) -> AsyncIterator[Answer]:
        path = f"/api/v2/assets/{survey.external_id}/"
        structure = await caller.ask("GET", path, judge)
        yield kept(asked, "asset", structure)
        if not Form(structure.json()).is_told:
            raise Unanswered("a form without its questions")
        ask = partial(caller.ask, "GET", f"{path}data/", judge)
        async for response in _pages(ask, _since(survey.cursor), {}):
            yield kept(asked, "responses", response)
        # The ids come last: whatever has been read above and is not among them has been deleted since.
        async for response in _pages(ask, {}, {"fields": '["_id"]'}):
            yield kept(asked, "ids", response)

    yield from pull_each(connection, surveys, pull_survey, RATE, headers=_headers(connection))


async def _pages(
    ask: Callable[..., Awaitable[httpx.Response]], query: Mapping[str, Any], more: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """Page by the last number seen, not by a count: submissions deleted meanwhile do not shift what follows."""
    last = 0
    while True:
        conditions = json.dumps({**query, "_id": {"$gt": last}})
        params = {"query": conditions, "sort": '{"_id":1}', "start": "0", "limit": str(PAGE), **more}
        response = await ask(params=params)
        yield response
        page = response.json()
        rows = _rows(page)
        if rows is None:
            raise Unanswered("a page without results")
        if _is_last(page):
            return
        numbers = [row["_id"] for row in rows if isinstance(row, dict) and isinstance(row.get("_id"), int)]
        if max(numbers, default=0) <= last:
            raise Unanswered("a page that does not tell what follows it")
        last = max(numbers)


def _headers(connection: Connection) -> dict[str, str]:
    return {"Authorization": f"Token {connection.password or ''}", "Accept": "application/json"}


def _judge(connection: Connection) -> Judge:
    refusal = CredentialsError(
        f"{connection.name}: KoboToolbox refuses the token; renew it in the connection's password"
    )
    return judge_of(refusal, frozenset({401}))


def _since(cursor: str | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    try:
        told = datetime.fromisoformat(cursor)
    except ValueError:
        raise Unanswered(f"«{cursor}» is no time of a submission") from None
    since = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC) - OVERLAP
    return {"_submission_time": {"$gt": since.strftime("%Y-%m-%dT%H:%M:%S")}}


def _rows(page: Any) -> list[Any] | None:
    rows = page.get("results") if isinstance(page, dict) else None
    return rows if isinstance(rows, list) else None


def _is_last(page: Any) -> bool:
    return isinstance(page, dict) and "next" in page and page["next"] is None


def read(answers: Iterable[Answer]) -> Iterator[Records | Listing]:
    """Return the records of landed answers, form by form, and the ids of a form listed to its end; never raise."""
    for survey_id, about in by_survey(answers).items():
        to = Gathered("kobo", survey_id)
        bodies = {
            what: [as_json(answer.body) for answer in about if answer.asked.get("what") == what]
            for what in ("asset", "responses", "ids")
        }
        form = Form(bodies["asset"][-1] if bodies["asset"] else None)
        if not form.is_told:
            to.refuse("survey_question", shown(bodies["asset"]), "Описание формы — не объект со списком вопросов")
        form.add_structure(to)
        for page in bodies["responses"]:
            _read_page(to, page, form)
        yield from to.records()
        pages = bodies["ids"]
        rows = [row for page in pages for row in _rows(page) or []]
        ids = [as_text(row.get("_id")) if isinstance(row, dict) else None for row in rows]
        if pages and None not in [*ids, *map(_rows, pages)] and _is_last(pages[-1]):
            yield from to.listings(ids)


def _read_page(to: Gathered, page: Any, form: Form) -> None:
    rows = _rows(page)
    if rows is None:
        to.refuse("survey_response", shown(page), "Страница ответов — не объект со списком results")
        return
    for row in rows:
        if not isinstance(row, dict):
            to.refuse("survey_response", shown(row), "Заполненная форма — не объект")
            continue
        to.add(
            "survey_response",
            # Its own fields; all others are answers.
            {name: value for name, value in row.items() if name == "start" or name.startswith("_")},
            response_id=row.get("_id"),
            started_at=moment(row.get("start"), UTC),
            submitted_at=moment(row.get("_submission_time"), UTC),
            is_complete=True,
        )
        for said, original in form.said_in(row):
            to.add_answer(row.get("_id"), None, said, original)
