"""A stand-in for LimeSurvey: RemoteControl 2 over JSON-RPC, with times in the zone of the world's clock."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.world import Option, Question, Survey, World
from otklik.demo.standin.world import Response as Filled

_TYPES = {"single": "L", "multiple": "M", "scale": "5", "number": "N", "date": "D", "open": "T", "matrix": "F"}
_GROUP = 1
# The id of a question: its survey's place times the one, its own place times the other, the place of its row.
_SURVEY, _QUESTION = 10_000, 100


def error(code: int) -> Response:
    """Return what an API that is switched off answers, whatever the code: nothing."""
    return Response(b"", media_type="application/json")


def routes(world: World, credentials: Credentials) -> list[Route]:
    """Return the one route of RemoteControl."""
    return [Route("/admin/remotecontrol", _Remote(world, credentials).answer, methods=["POST"])]


class _Status(Exception):  # noqa: N818 - an answer of the API, not an error of the stand-in
    """What the API answers where it has no result."""


class _Remote:
    """The methods, and the sessions that are open."""

    def __init__(self, world: World, credentials: Credentials) -> None:
        self._world = world
        self._credentials = credentials
        self._sessions: set[str] = set()
        self._methods: dict[str, Callable[..., Any]] = {
            "get_survey_properties": self._properties,
            "list_groups": self._groups,
            "list_questions": self._questions,
            "get_question_properties": self._question,
            "export_responses": self._export,
        }

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        if getattr(request.state, "forget_sessions", False):
            self._sessions.clear()
        call = await request.json()
        try:
            result = self._result(call["method"], call["params"])
        except _Status as status:
            result = {"status": str(status)}
        return JSONResponse({"id": call["id"], "result": result, "error": None})

    def _result(self, method: str, params: list[Any]) -> Any:
        if method == "get_session_key":
            return self._open(*params)
        if params[0] not in self._sessions:
            raise _Status("Invalid session key")
        if method == "release_session_key":
            self._sessions.discard(params[0])
            return "OK"
        return self._methods[method](*params[1:])

    def _open(self, user: str, password: str, plugin: str) -> str:
        known = f"{self._credentials.limesurvey_user}\n{self._credentials.limesurvey_password}"
        if not secrets.compare_digest(f"{user}\n{password}".encode(), known.encode()):
            raise _Status("Invalid user name or password")
        key = secrets.token_hex(16)
        self._sessions.add(key)
        return key

    def _survey(self, number: int) -> tuple[int, Survey]:
        for place, survey in enumerate(self._world.surveys, start=1):
            if survey.system == "limesurvey" and survey.external_id == str(number):
                return place, survey
        raise _Status("Error: Invalid survey ID")

    def _properties(self, number: int, names: list[str]) -> dict[str, str]:
        self._survey(number)
        return {"language": "ru", "additional_languages": ""}

    def _groups(self, number: int, language: str | None) -> list[dict[str, Any]]:
        _, survey = self._survey(number)
        return [{"gid": _GROUP, "sid": number, "group_name": survey.title, "group_order": 1, "language": "ru"}]

    def _questions(self, number: int, group: int | None, language: str) -> list[dict[str, Any]]:
        place, survey = self._survey(number)
        rows = []
        for order, question in enumerate(survey.questions, start=1):
            id_, kind = place * _SURVEY + order * _QUESTION, _TYPES[question.kind]
            rows.append(_listed(id_, 0, kind, question, order))
            for row_order, row in enumerate(_rows(question), start=1):
                rows.append(_listed(id_ + row_order, id_, "T", row, row_order))
        # They come in the order of the database, not in that of asking.
        return rows[::-1]

    def _question(self, id_: int, names: list[str], language: str) -> dict[str, Any]:
        survey = self._world.surveys[id_ // _SURVEY - 1]
        question = survey.questions[id_ % _SURVEY // _QUESTION - 1]
        options = {
            option.code: {"answer": option.text, "assessment_value": "0", "scale_id": "0", "order": order}
            for order, option in enumerate(question.options, start=1)
        }
        return {"answeroptions": options or "No available answer options"}

    def _export(self, number: int, kind: str, language: str | None, completion: str, *rest: Any) -> str:
        _, _, first, last, fields, *_ = rest
        _, survey = self._survey(number)
        now = self._world.clock.now()
        if survey.opened_on > now.date():
            raise _Status("No Data, survey table does not exist.")
        filled = [each for each in survey.responses if (each.submitted_at or each.started_at) <= now]
        if not filled:
            raise _Status("No Data, could not get max id.")
        asked = [each for each in filled if (first or 0) <= each.number <= (last or filled[-1].number)]
        rows = [dict(_cells(survey, each, now)) for each in asked]
        if fields:
            rows = [{name: row[name] for name in fields} for row in rows]
        exported = json.dumps({"responses": rows}, ensure_ascii=False)
        return base64.b64encode(exported.encode()).decode()


def _rows(question: Question) -> tuple[Option, ...]:
    return question.options if question.kind == "multiple" else question.rows


def _listed(id_: int, parent: int, kind: str, named: Question | Option, order: int) -> dict[str, Any]:
    place = {"id": id_, "qid": id_, "parent_qid": parent, "gid": _GROUP, "question_order": order, "scale_id": 0}
    return place | {
        "type": kind,
        "title": named.code,
        "question": f"<p>{named.text}</p>",
        "other": "N",
        "language": "ru",
    }


def _cells(survey: Survey, filled: Filled, now: datetime) -> Iterator[tuple[str, str | None]]:
    """Return column -> what is in it, as codes."""
    yield "id", str(filled.number)
    yield "submitdate", _time(filled.submitted_at, now)
    yield "startlanguage", filled.language
    yield "startdate", _time(filled.started_at, now)
    yield "datestamp", _time(filled.edited_at or filled.submitted_at or filled.started_at, now)
    for question in survey.questions:
        said = filled.answers.get(question.code)
        if question.kind == "multiple":
            for option in question.options:
                yield f"{question.code}[{option.code}]", "Y" if option.code in (said or ()) else ""
        elif question.kind == "matrix":
            for row in question.rows:
                yield f"{question.code}[{row.code}]", str(filled.answers.get(f"{question.code}_{row.code}", ""))
        elif question.kind == "number":
            yield question.code, f"{float(str(said)):.10f}" if said else None
        elif question.kind == "date":
            yield question.code, f"{said} 00:00:00" if said else None
        else:
            yield question.code, str(said or "")


def _time(moment: datetime | None, now: datetime) -> str | None:
    return moment.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M:%S") if moment else None
