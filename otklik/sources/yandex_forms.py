"""Yandex Forms: every answer of a form, page by page, and the questions as the columns of its answers tell them.

The API has no list of ids and no time of change, so a form is read whole each night: only that shows deletions and
edits. Connection: `url` without /v1, `password` the OAuth token, `extra["organisation"]` the id of the organisation;
`extra["page_size"]` overrides PAGE.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from otklik.errors import CredentialsError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, Judge, Unanswered, number_in
from otklik.sources.records import Answer, Listing, Records
from otklik.sources.registry import SurveyEntry
from otklik.sources.survey_calls import check_by, judge_of, kept, pull_each
from otklik.sources.survey_records import UNTOLD, Gathered, Said, as_json, as_text, by_survey, moment, shown

RATE = 5
"""Requests a second (unofficial)."""
PAGE = 100
"""Answers on a page (unofficial)."""
_KINDS = {
    "string": "open",
    "boolean": "single",
    "integer": "number",
    "date": "date",
    "daterange": "date",
    "radio": "single",
    "dropdown": "single",
    "suggest": "single",
    "enum": "single",
    "checkbox": "multiple",
    "stars": "scale",
    "onerow": "scale",
    "matrix": "single",
}
_SHOWN_ONLY = ("comment", "captcha", "layout")


def check(connection: Connection) -> datetime:
    """Return the moment by the system's clock; raise CredentialsError when it refuses the token or organisation."""
    return check_by(connection, "/v1/users/me", _judge(connection, 401, 403), RATE, headers=_headers(connection))


def pull(connection: Connection, interval: Interval, surveys: Sequence[SurveyEntry]) -> Iterator[Answer]:
    """Ask about each form and yield the answers; a form that fails ends with an answer that tells its trouble.

    Raise CredentialsError when the token is refused.
    """
    judge, size = _judge(connection, 401), int(number_in(connection, "page_size", PAGE))

    async def pull_survey(caller: Caller, survey: SurveyEntry, asked: Mapping[str, Any]) -> AsyncIterator[Answer]:
        params = {"use_slugs": "true", "ordering": "asc", "page_size": str(size)}
        while True:
            response = await caller.ask("GET", f"/v1/surveys/{survey.external_id}/answers", judge, params=params)
            yield kept({**asked, "page_size": size}, "responses", response)
            page = response.json()
            if _is_last(page, size):
                return
            following = _following(page)
            if following is None or following == params.get("id"):
                raise Unanswered("a page that does not tell what follows it")
            params["id"] = following

    yield from pull_each(connection, surveys, pull_survey, RATE, headers=_headers(connection))


def _headers(connection: Connection) -> dict[str, str]:
    return {
        "Authorization": f"OAuth {connection.password or ''}",
        "X-Org-Id": connection.extra.get("organisation", ""),
    }


def _judge(connection: Connection, *refused: int) -> Judge:
    refusal = CredentialsError(
        f"{connection.name}: Yandex Forms refuses the token; renew it in the connection's password, and check "
        "organisation in its extra"
    )
    return judge_of(refusal, frozenset(refused))


def _following(page: Any) -> str | None:
    """Return the id the next page begins after; the address around it may lead to a route that is no more."""
    address = _get(_get(page, "next"), "next_url")
    found = parse_qs(address.partition("?")[2]).get("id") if isinstance(address, str) else None
    return found[0] if found else None


def _is_last(page: Any, size: Any) -> bool:
    """Tell whether nothing follows: `next` is null, or absent after a page that is not full."""
    rows = _list(page, "answers")
    if rows is None:
        return False
    return page["next"] is None if "next" in page else isinstance(size, int) and len(rows) < size


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any, name: str) -> list[Any] | None:
    found = _get(value, name)
    return found if isinstance(found, list) else None


def read(answers: Iterable[Answer]) -> Iterator[Records | Listing]:
    """Return the records of landed answers, form by form, and the ids of a form read to its end; never raise."""
    for survey_id, about in by_survey(answers).items():
        form = _Form(Gathered("yandex_forms", survey_id))
        pages = [as_json(answer.body) for answer in about]
        for page in pages:
            form.add_page(page)
        form.add_structure()
        yield from form.to.records()
        ids = [as_text(_get(row, "id")) for page in pages for row in _list(page, "answers") or [None]]
        is_empty = pages == [page for page in pages if _list(page, "answers") == []]
        if _is_last(pages[-1], about[-1].asked.get("page_size")) and (is_empty or None not in ids):
            yield from form.to.listings([] if is_empty else ids)


class _Form:
    """What the pages of one form tell: its columns by code, and the ready answers that were chosen."""

    def __init__(self, to: Gathered) -> None:
        self.to = to
        self._columns: dict[str, Mapping[str, Any]] = {}
        self._options: dict[str, dict[str, str | None]] = {}

    def add_page(self, page: Any) -> None:
        """Read the responses of a page."""
        rows = _list(page, "answers")
        if rows is None:
            self.to.refuse("survey_response", shown(page), "Страница ответов — не объект со списком answers")
            return
        columns = [column if isinstance(column, dict) else {} for column in _list(page, "columns") or []]
        for column in columns:
            self._columns.setdefault(_code(column), column)
        for row in rows:
            if isinstance(row, dict):
                self._add_response(row, columns)
            else:
                self.to.refuse("survey_response", shown(row), "Ответ на форму — не объект")

    def _add_response(self, row: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> None:
        original = {name: value for name, value in row.items() if name != "data"}
        submitted_at = moment(row.get("created"), UTC)
        self.to.add("survey_response", original, response_id=row.get("id"), submitted_at=submitted_at, is_complete=True)
        cells = row.get("data")
        if not isinstance(cells, list):
            where = {"response_id": row.get("id")}
            self.to.refuse("survey_answer", shown(cells), "Ответы на вопросы формы — не список", **where)
            return
        for place, cell in enumerate(cells):
            column = columns[place] if place < len(columns) else {}
            value = cell.get("value") if isinstance(cell, dict) else cell
            for said in self._said(column, value):
                self.to.add_answer(row.get("id"), None, said, {"column": _code(column), "value": as_text(value)})

    def _said(self, column: Mapping[str, Any], value: Any) -> Iterator[Said]:
        code, kind = _code(column), _kind(column)
        if value is None or value in ("", []):
            return
        if not code:
            yield Said("", problem="Ответ без вопроса: столбцов в ответе формы меньше, чем значений")
        elif kind in ("single", "multiple"):
            for each in value if isinstance(value, list) else [value]:
                yield self._chosen(code, each)
        elif kind == "scale":
            yield Said(code, option=as_text(value), number=as_text(value))
            self._options.setdefault(code, {}).setdefault(as_text(value) or "", as_text(value))
        elif kind == "number":
            yield Said(code, number=as_text(value))
        else:
            yield Said(code, text=as_text(value))

    def _chosen(self, code: str, each: Any) -> Said:
        """Read one choice: an object with its key and text, a cell of a matrix, or the text alone."""
        row = None
        option = text = as_text(each)
        if isinstance(each, dict) and "row" in each:
            row, option = as_text(each["row"]), as_text(each.get("column"))
            text = option
        elif isinstance(each, dict):
            text = as_text(each.get("text"))
            option = as_text(each.get("slug")) or as_text(each.get("key")) or text
        if option is None:
            return Said(code, row, problem="Выбранный вариант без кода и текста")
        self._options.setdefault(code, {}).setdefault(option, text)
        return Said(code, row, option=option)

    def add_structure(self) -> None:
        """Add the questions, and those of their ready answers that somebody chose: the API lists no others."""
        for position, (code, column) in enumerate(self._columns.items(), start=1):
            if column.get("type") in _SHOWN_ONLY:
                continue
            for row in [None, *(_list(column, "rows") or [])]:
                self.to.add(
                    "survey_question",
                    {name: as_text(column.get(name)) for name in ("id", "slug", "type", "text")},
                    question_code=code,
                    subquestion_code=row,
                    language=UNTOLD,
                    position=position,
                    kind=_kind(column),
                    source_kind=column.get("type"),
                    text=column.get("text") if row is None else row,
                )
        for code, options in self._options.items():
            for option, text in options.items():
                original = {"slug": code, "option": option, "text": text}
                named = {"question_code": code, "option_code": option, "language": UNTOLD, "text": text}
                self.to.add("survey_option", original, **named)


def _code(column: Mapping[str, Any]) -> str:
    return as_text(column.get("slug")) or as_text(column.get("id")) or ""


def _kind(column: Mapping[str, Any]) -> str:
    return _KINDS.get(as_text(column.get("type")) or "", "other")
