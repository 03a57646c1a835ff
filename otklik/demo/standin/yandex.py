"""A stand-in for Yandex Forms: the answers of a form, page by page, oldest first where asked so."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import Question, Survey, World
from otklik.demo.standin.world import Response as Filled

LARGEST_PAGE = 100
_TYPES = {
    "single": "radio",
    "multiple": "checkbox",
    "scale": "stars",
    "number": "integer",
    "date": "date",
    "open": "string",
    "matrix": "matrix",
}


def error(code: int) -> Response:
    """Return the refusal with which the real system tells an HTTP status."""
    return JSONResponse({"error_code": "error", "message": f"refused with {code}"}, code)


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the routes: who asks, and the answers of a form."""

    def refused(request: Request) -> Response | None:
        if request.headers.get("authorization") != f"OAuth {credentials.yandex_token}":
            return error(401)
        if request.headers.get("x-org-id") != credentials.yandex_organisation:
            return error(403)
        return None

    async def me(request: Request) -> Response:
        return refused(request) or JSONResponse({"id": 1, "email": "otklik@example.org"})

    async def answers(request: Request) -> Response:
        if refusal := refused(request):
            return refusal
        for survey in world.surveys:
            if survey.system == "yandex_forms" and survey.external_id == request.path_params["survey"]:
                return _page(survey, world, request)
        return error(404)

    return [Route("/v1/users/me", me), Route("/v1/surveys/{survey}/answers", answers)]


def _page(survey: Survey, world: World, request: Request) -> Response:
    size = int(request.query_params.get("page_size", 25))
    if not 1 <= size <= LARGEST_PAGE:
        return error(400)
    now, after = world.clock.now(), int(request.query_params.get("id", 0))
    filled = [each for each in survey.responses if each.submitted_at and each.submitted_at <= now]
    left = [each for each in filled if each.number > after]
    answers = [_answer(survey, each) for each in left[:size]]
    following = None
    if len(left) > size:
        # The real system points to a route that is no more: only the id in it is of use.
        following = {"next_url": f"/v3/surveys/{survey.external_id}/answers/?id={left[size - 1].number}"}
    return JSONResponse({"columns": list(_columns(survey)), "answers": answers, "next": following})


def _columns(survey: Survey) -> Iterator[dict[str, Any]]:
    for number, question in enumerate(survey.questions, start=1):
        column = {"id": number, "slug": question.code, "type": _TYPES[question.kind], "text": question.text}
        yield column | {"has_scores": False, "rows": [row.text for row in question.rows]}


def _answer(survey: Survey, filled: Filled) -> dict[str, Any]:
    created = filled.submitted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if filled.submitted_at else None
    data = [{"value": _value(question, filled)} for question in survey.questions]
    return {"id": filled.number, "created": created, "data": data}


def _value(question: Question, filled: Filled) -> Any:
    texts = {option.code: option.text for option in question.options}
    if question.kind == "matrix":
        chosen = {row.text: filled.answers.get(f"{question.code}_{row.code}") for row in question.rows}
        return [{"row": row, "column": texts[str(code)]} for row, code in chosen.items() if code]
    said = filled.answers.get(question.code)
    if not said:
        return None
    if question.kind in ("single", "multiple"):
        codes = (said,) if isinstance(said, str) else said
        return [{"key": code, "slug": code, "text": texts[code]} for code in codes]
    return int(str(said)) if question.kind in ("scale", "number") else said
