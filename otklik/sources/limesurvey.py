"""LimeSurvey over RemoteControl 2: the survey in each of its languages, its response ids, its newest responses.

LimeSurvey tells times without a zone: they are times of `extra["timezone"]` of the connection or, where that is not
set, of the interval's zone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from otklik.errors import SourceError
from otklik.interval import Interval
from otklik.sources.connection import Connection
from otklik.sources.limesurvey_responses import add_response
from otklik.sources.limesurvey_session import Session, Trouble
from otklik.sources.limesurvey_structure import WITH_OPTIONS, Question, add_structure, build
from otklik.sources.records import Answer, Listing, Records
from otklik.sources.registry import SurveyEntry
from otklik.sources.survey_records import Gathered, as_json, as_text, by_survey, shown

RATE = 10
"""Requests a second: LimeSurvey itself sets no limit."""
OVERLAP = 200
"""So many ids before the cursor are asked for again: those responses may have been edited or finished since."""
BLOCK = 2_000
"""Responses in one answer, so that it fits into the memory of the server's PHP."""
_NO_TABLE = "No Data, survey table does not exist."
_NO_RESPONSES = "No Data, could not get max id."


def check(connection: Connection) -> datetime:
    """Return the moment by the server's clock; raise CredentialsError when it refuses the password."""
    with Session(connection, RATE) as session:
        return session.answered_at


def pull(connection: Connection, interval: Interval, surveys: Sequence[SurveyEntry]) -> Iterator[Answer]:
    """Ask about each survey and yield the answers; a survey that fails ends with an answer that tells its trouble.

    Raise CredentialsError when the password is refused, SourceError when the server or its API does not answer.
    """
    zone = _zone(connection, interval)
    with Session(connection, RATE) as session:
        for survey in surveys:
            asked = {"system": "limesurvey", "survey_id": survey.survey_id, "external_id": survey.external_id}
            try:
                yield from _pull_survey(session, survey, asked | {"timezone": zone})
            except Trouble as trouble:
                yield Answer(asked, session.answered_at, None, str(trouble))


def _zone(connection: Connection, interval: Interval) -> str:
    zone = connection.extra.get("timezone") or str(interval.start.tzinfo)
    try:
        return ZoneInfo(zone).key
    except (ValueError, OSError, KeyError):
        raise SourceError(
            f"{connection.name}: there is no time zone «{zone}»; set timezone in the connection's extra to that of the "
            "LimeSurvey server, such as Asia/Yekaterinburg"
        ) from None


def _pull_survey(session: Session, survey: SurveyEntry, asked: dict[str, Any]) -> Iterator[Answer]:
    if not survey.external_id.isdecimal():
        raise Trouble(f"«{survey.external_id}» is not the number of a survey; mend external_id in the register")
    if survey.cursor and not survey.cursor.isdecimal():
        raise Trouble(f"«{survey.cursor}» is not the number of a response")
    number = int(survey.external_id)
    yield from _pull_structure(session, number, asked)
    yield from _pull_responses(session, number, int(survey.cursor or 0) - OVERLAP, asked)


def _pull_structure(session: Session, number: int, asked: dict[str, Any]) -> Iterator[Answer]:
    def kept(what: str, **about: Any) -> Answer:
        return Answer(asked | {"what": what} | about, session.answered_at, session.body)

    properties = session.ask("get_survey_properties", number, ["language", "additional_languages"])
    yield kept("properties")
    session.ask("list_groups", number)
    yield kept("groups")
    for language in _languages(properties):
        questions = session.ask("list_questions", number, language=language)
        yield kept("questions", language=language)
        for question in _with_options(questions):
            session.ask("get_question_properties", question, settings=["answeroptions"], language=language)
            yield kept("options", language=language, question=question)


def _languages(properties: Any) -> list[str]:
    """Return the survey's languages; raise Trouble where they are not told: responses cannot be read without."""
    told = properties if isinstance(properties, dict) else {}
    languages = f"{told.get('language') or ''} {told.get('additional_languages') or ''}".split()
    if not languages:
        raise Trouble("the properties of the survey name no language")
    return languages


def _with_options(questions: Any) -> list[int]:
    if not isinstance(questions, list) or not all(isinstance(question, dict) for question in questions):
        raise Trouble("the questions of the survey are not a list of questions")
    return [
        int(question["qid"])
        for question in questions
        if question.get("type") in WITH_OPTIONS
        and str(question.get("parent_qid", 0)) == "0"
        and str(question.get("qid")).isdecimal()
    ]


def _pull_responses(session: Session, number: int, first: int, asked: dict[str, Any]) -> Iterator[Answer]:
    try:
        listed = _text(session.ask("export_responses", number, fields=["id"]))
    except Trouble as trouble:
        if str(trouble) not in (_NO_TABLE, _NO_RESPONSES):
            raise
        yield Answer(asked | {"what": "ids"}, session.answered_at, session.body)
        return
    yield Answer(asked | {"what": "ids"}, session.answered_at, listed)
    rows = _rows(as_json(listed))
    if rows is None:
        raise Trouble("the list of responses is not as documented")
    # What arrives after the ids have been listed is left to the next night: here it would seem to be deleted.
    ids = sorted(int(key) for row in rows if (key := as_text(_get(row, "id"))) and key.isdecimal())
    wanted = [key for key in ids if key >= first]
    for start in range(0, len(wanted), BLOCK):
        block = wanted[start : start + BLOCK]
        exported = session.ask("export_responses", number, from_response_id=block[0], to_response_id=block[-1])
        yield Answer(asked | {"what": "responses"}, session.answered_at, _text(exported))


def _text(exported: bytes) -> str:
    return exported.decode("utf-8", "backslashreplace")


def _get(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, dict) else None


def _rows(body: Any) -> list[Any] | None:
    """Return the responses of an export; versions before 5 wrap each into an object of its id."""
    rows = _get(body, "responses")
    if not isinstance(rows, list):
        return None
    return [_unwrapped(row) for row in rows]


def _unwrapped(row: Any) -> Any:
    if isinstance(row, dict) and len(row) == 1:
        [inner] = row.values()
        return inner if isinstance(inner, dict) else row
    return row


def read(answers: Iterable[Answer]) -> Iterator[Records | Listing]:
    """Return the records of landed answers, survey by survey, and the ids each survey has; never raise."""
    for survey_id, about in by_survey(answers).items():
        to = Gathered("limesurvey", survey_id)
        questions = _read_structure(to, about)
        for answer in about:
            if answer.asked.get("what") == "responses":
                _read_responses(to, answer, questions)
        yield from to.records()
        for answer in about:
            if answer.asked.get("what") == "ids":
                yield from _read_ids(to, answer)


def _read_ids(to: Gathered, answer: Answer) -> Iterator[Listing]:
    """Return the ids; a survey without a table has been deactivated, which says nothing of its responses."""
    body = as_json(answer.body)
    rows = [] if _get(_get(body, "result"), "status") == _NO_RESPONSES else _rows(body)
    if rows is not None and all(as_text(_get(row, "id")) for row in rows):
        yield from to.listings([row["id"] for row in rows])


def _read_structure(to: Gathered, about: Iterable[Answer]) -> dict[str, Question]:
    groups: list[Any] = []
    questions: list[Any] = []
    options: list[Any] = []
    for answer in about:
        what, language = answer.asked.get("what"), answer.asked.get("language")
        result = _get(as_json(answer.body), "result")
        if what == "groups" and isinstance(result, list):
            groups += result
        elif what == "questions":
            if not isinstance(result, list):
                to.refuse("survey_question", shown(answer.body), "Вопросы анкеты — не список", language=language)
                continue
            for row in result:
                if isinstance(row, dict):
                    questions.append(row | {"language": language})
                else:
                    to.refuse("survey_question", shown(row), "Вопрос анкеты — не объект", language=language)
        elif what == "options":
            options += _options(result, answer.asked)
    built = build(groups, questions, options)
    add_structure(to, built)
    return {question.code: question for question in built}


def _options(result: Any, asked: Any) -> Iterator[dict[str, Any]]:
    options = _get(result, "answeroptions")
    for code, option in options.items() if isinstance(options, dict) else ():
        about = option if isinstance(option, dict) else {"answer": option}
        named = {"qid": asked.get("question"), "code": code, "language": asked.get("language")}
        yield named | {"answer": about.get("answer"), "sortorder": about.get("order")}


def _read_responses(to: Gathered, answer: Answer, questions: dict[str, Question]) -> None:
    rows = _rows(as_json(answer.body))
    if rows is None:
        to.refuse("survey_response", shown(answer.body), "Выгрузка ответов — не объект со списком responses")
        return
    zone = _zone_named(answer.asked.get("timezone"))
    for row in rows:
        if isinstance(row, dict):
            add_response(to, row, questions, zone)
        else:
            to.refuse("survey_response", shown(row), "Заполненная анкета — не объект")


def _zone_named(name: Any) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (TypeError, ValueError, OSError, KeyError):
        return UTC
