"""A stand-in for KoboToolbox v2: a form's structure and its submissions, page by page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from httpx import codes
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import Question, Survey, World
from otklik.demo.standin.world import Response as Filled

LARGEST_PAGE = 1_000
_TYPES = {
    "single": "select_one",
    "multiple": "select_multiple",
    "scale": "select_one",
    "number": "integer",
    "date": "date",
    "open": "text",
}


def error(code: int) -> Response:
    """Return the refusal with which the real system tells an HTTP status."""
    return JSONResponse({"detail": f"refused with {code}"}, code)


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the routes: all forms, one form, its submissions."""

    def found(request: Request) -> Survey | Response:
        if request.headers.get("authorization") != f"Token {credentials.kobo_token}":
            return error(codes.UNAUTHORIZED)
        for survey in world.surveys:
            if survey.system == "kobo" and survey.external_id == request.path_params.get("uid", survey.external_id):
                return survey
        return error(codes.NOT_FOUND)

    async def assets(request: Request) -> Response:
        survey = found(request)
        if isinstance(survey, Response) and survey.status_code == codes.UNAUTHORIZED:
            return survey
        return JSONResponse({"count": 0, "next": None, "previous": None, "results": []})

    async def asset(request: Request) -> Response:
        survey = found(request)
        return survey if isinstance(survey, Response) else JSONResponse(_asset(survey))

    async def data(request: Request) -> Response:
        survey = found(request)
        return survey if isinstance(survey, Response) else _page(survey, world.clock.now(), request)

    return [
        Route("/api/v2/assets/", assets),
        Route("/api/v2/assets/{uid}/", asset),
        Route("/api/v2/assets/{uid}/data/", data),
    ]


def _asset(survey: Survey) -> dict[str, Any]:
    content = {
        "translations": ["Русский (ru)"],
        "survey": [{"type": "start", "name": "start"}, *(row for each in survey.questions for row in _rows(each))],
        "choices": [
            {"list_name": f"list_{question.code}", "name": option.code, "label": [option.text]}
            for question in survey.questions
            for option in question.options
        ],
    }
    return {"uid": survey.external_id, "name": survey.title, "asset_type": "survey", "content": content}


def _rows(question: Question) -> Iterator[dict[str, Any]]:
    """Return the lines of the form: a matrix is a group of them."""
    choices = f"list_{question.code}"
    if question.kind == "matrix":
        yield {
            "type": "begin_score",
            "name": question.code,
            "label": [question.text],
            "kobo--score-choices": choices,
        }
        for row in question.rows:
            yield {"type": "score__row", "name": row.code, "label": [row.text]}
        yield {"type": "end_score"}
        return
    line: dict[str, Any] = {"type": _TYPES[question.kind], "name": question.code, "label": [question.text]}
    if question.options:
        line["select_from_list_name"] = choices
    if question.kind == "scale":
        line["appearance"] = "likert"
    yield line


def _page(survey: Survey, now: datetime, request: Request) -> Response:
    asked = request.query_params
    start, size = int(asked.get("start", 0)), min(int(asked.get("limit", 100)), LARGEST_PAGE)
    lower = {name: condition["$gt"] for name, condition in json.loads(asked.get("query", "{}")).items()}
    filled = [each for each in survey.responses if each.submitted_at and each.submitted_at <= now]
    rows = [_submission(survey, each) for each in filled]
    rows = [row for row in rows if all(row[name] > bound for name, bound in lower.items())]
    if "sort" in asked:
        [(name, direction)] = json.loads(asked["sort"]).items()
        rows.sort(key=lambda row: row[name], reverse=direction < 0)
    if fields := json.loads(asked.get("fields", "[]")):
        rows = [{name: row[name] for name in fields} for row in rows]
    following = str(request.url.include_query_params(start=start + size)) if start + size < len(rows) else None
    return JSONResponse(
        {"count": len(rows), "next": following, "previous": None, "results": rows[start : start + size]}
    )


def _submission(survey: Survey, filled: Filled) -> dict[str, Any]:
    said: dict[str, Any] = {
        "_id": filled.number,
        # An edit makes a new version of the submission under the same number.
        "_uuid": str(uuid5(NAMESPACE_URL, f"{survey.external_id}/{filled.number}/{filled.edited_at}")),
        "start": filled.started_at.isoformat(timespec="milliseconds"),
        "_submission_time": _utc(filled.submitted_at),
        "_status": "submitted_via_web",
    }
    for question in survey.questions:
        answer = filled.answers.get(question.code)
        if question.kind == "matrix":
            chosen = {
                f"{question.code}/{row.code}": filled.answers.get(f"{question.code}_{row.code}")
                for row in question.rows
            }
            said |= {name: code for name, code in chosen.items() if code}
        elif answer:
            said[question.code] = answer if isinstance(answer, str) else " ".join(answer)
    return said


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
