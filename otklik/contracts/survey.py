"""Contracts of surveys: the register, questions, options, responses, answers: one long table each."""

import dataframely as dy
import polars as pl

from otklik.contracts import fields
from otklik.contracts.entity import Entity

SYSTEMS = ("limesurvey", "yandex_forms", "kobo", "file")
KINDS = ("single", "multiple", "scale", "number", "date", "open", "other")


class Survey(fields.Row):
    """One survey of the centre's register; `external_id` is what its system knows it by."""

    survey_id = fields.key()
    system = fields.code(SYSTEMS, nullable=False)
    external_id = fields.key()
    title = fields.name(nullable=False)
    topic = fields.name()
    municipality_code = fields.name()
    opened_on = dy.Date(nullable=True)
    closed_on = dy.Date(nullable=True)

    @dy.rule()
    def closed_before_opened(cls) -> pl.Expr:
        return (pl.col("closed_on") >= pl.col("opened_on")).fill_null(True)


class SurveyQuestion(fields.Row):
    """One question in one language; a row of a matrix is a question of its own, by `subquestion_code`."""

    survey_id = fields.key()
    question_code = fields.key()
    subquestion_code = dy.String(nullable=True, max_length=fields.KEY_LENGTH)
    language = fields.key()
    position = fields.count()
    kind = fields.code(KINDS, nullable=False)
    source_kind = fields.name()
    text = fields.text()


class SurveyOption(fields.Row):
    """One ready answer of one question in one language."""

    survey_id = fields.key()
    question_code = fields.key()
    option_code = fields.key()
    language = fields.key()
    position = fields.count()
    text = fields.text()


class SurveyResponse(fields.Row):
    """One filled-in form; `submitted_at` is NULL while it is incomplete, `is_complete` where that is not told."""

    survey_id = fields.key()
    response_id = fields.key()
    language = fields.name()
    started_at = fields.moment()
    submitted_at = fields.moment()
    is_complete = fields.flag()


class SurveyAnswer(fields.Row):
    """One answer: an option chosen, a number, or open text (restricted: people write anything into it).

    Of a multiple choice, each option chosen is an answer. A question left empty has no answer.
    """

    survey_id = fields.key()
    response_id = fields.key()
    question_code = fields.key()
    subquestion_code = dy.String(nullable=True, max_length=fields.KEY_LENGTH)
    option_code = dy.String(nullable=True, max_length=fields.KEY_LENGTH)
    number = dy.Float64(nullable=True)
    text = fields.text()

    @dy.rule()
    def says_nothing(cls) -> pl.Expr:
        return pl.any_horizontal(pl.col(name).is_not_null() for name in ("option_code", "number", "text"))


SURVEY = Entity(
    name="survey",
    schema=Survey,
    key=("survey_id",),
    required=("survey_id", "system", "external_id", "title"),
    codes={"system": SYSTEMS},
    orders={"closed_before_opened": ("closed_on", "opened_on")},
)
QUESTION = Entity(
    name="survey_question",
    schema=SurveyQuestion,
    key=("survey_id", "question_code", "subquestion_code", "language"),
    required=("survey_id", "question_code", "language", "kind"),
    codes={"kind": KINDS},
)
OPTION = Entity(
    name="survey_option",
    schema=SurveyOption,
    key=("survey_id", "question_code", "option_code", "language"),
    required=("survey_id", "question_code", "option_code", "language"),
)
RESPONSE = Entity(
    name="survey_response",
    schema=SurveyResponse,
    key=("survey_id", "response_id"),
    required=("survey_id", "response_id"),
)
ANSWER = Entity(
    name="survey_answer",
    schema=SurveyAnswer,
    key=("survey_id", "response_id", "question_code", "subquestion_code", "option_code"),
    required=("survey_id", "response_id", "question_code"),
    personal=frozenset({"text"}),
    masked="text",
    told="text",
    group=("survey_id", "response_id"),
)
