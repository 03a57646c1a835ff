"""How a LimeSurvey survey is built: the same over its API and in its structure files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from otklik.sources.survey_records import Gathered, as_text, plain

OTHER = "-oth-"
_KINDS = {
    **dict.fromkeys("L!OYGIFH1CE", "single"),
    **dict.fromkeys("5AB", "scale"),
    **dict.fromkeys("MP", "multiple"),
    **dict.fromkeys("NK:", "number"),
    **dict.fromkeys("STUQ;", "open"),
    "D": "date",
}
WITH_OPTIONS = frozenset("L!OFH1R")
"""Types whose ready answers the survey defines."""
_SHOWN_ONLY = "X"
# Ready answers that come with the type, not with the survey: their codes are their texts.
_BUILT_IN = {
    "5": "12345",
    "A": "12345",
    "B": ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
    "Y": "YN",
    "G": "MF",
    "C": "YUN",
    "E": "ISD",
}
# Types whose rows are asked once for each column of a second scale.
_TWO_SCALES = (":", ";", "1")
_LAST = 1_000_000

Texts = dict[str, Any]
"""Language -> text."""

SaidIn = dict[str, Mapping[str, Any]]
"""Language -> what LimeSurvey says of it."""


@dataclass
class Part:
    """One ready answer of a question, or one row of it."""

    code: str
    position: int | None
    texts: Texts = field(default_factory=dict)
    said: SaidIn = field(default_factory=dict)


@dataclass
class Question:
    """One question with its rows (for a multiple choice: its options) and ready answers."""

    code: str
    type: str
    position: int
    has_other: bool = False
    texts: Texts = field(default_factory=dict)
    said: SaidIn = field(default_factory=dict)
    rows: dict[str, Part] = field(default_factory=dict)
    options: dict[str, Part] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return the kind of the contract."""
        return _KINDS.get(self.type, "other")

    @property
    def is_multiple(self) -> bool:
        """Tell whether its rows are options that can be chosen together."""
        return self.type in ("M", "P")


def build(
    groups: Iterable[Any], questions: Iterable[Mapping[str, Any]], options: Iterable[Mapping[str, Any]]
) -> list[Question]:
    """Return the questions in the order in which they are asked.

    `groups`: gid, group_order. `questions`, rows among them (parent_qid): qid, gid, type, title, question, other,
    question_order, scale_id, language. `options`: qid, code, answer, sortorder, language.
    """
    order = {as_text(g.get("gid")): _number(g.get("group_order")) for g in groups if isinstance(g, dict)}
    asked = sorted(questions, key=lambda q: (order.get(as_text(q.get("gid")), _LAST), _number(q.get("question_order"))))
    by_id: dict[str | None, Question] = {}
    for row in asked:
        if _parent(row) is None:
            code, id_ = as_text(row.get("title")) or "", as_text(row.get("qid"))
            found = by_id.setdefault(id_, Question(code, as_text(row.get("type")) or "", len(by_id) + 1))
            found.has_other = row.get("other") == "Y"
            language = as_text(row.get("language")) or ""
            found.texts[language], found.said[language] = row.get("question"), row
    _add_rows(by_id, [row for row in asked if _parent(row) in by_id])
    for option in options:
        if question := by_id.get(as_text(option.get("qid"))):
            _put(question.options, option.get("code"), option.get("sortorder"), option, "answer")
    return list(by_id.values())


def _add_rows(questions: Mapping[str | None, Question], rows: Iterable[Mapping[str, Any]]) -> None:
    scales: dict[tuple[str | None, str], dict[str, Part]] = {}
    for row in rows:
        place = _parent(row), as_text(row.get("scale_id")) or "0"
        _put(scales.setdefault(place, {}), row.get("title"), row.get("question_order"), row, "question")
    for id_, question in questions.items():
        question.rows = scales.get((id_, "0"), {})
        if question.type in _TWO_SCALES:
            columns = scales.get((id_, "1"), {}) if question.type != "1" else {n: Part(n, None) for n in "12"}
            question.rows = _crossed(question.rows, columns)


def _parent(row: Mapping[str, Any]) -> str | None:
    parent = as_text(row.get("parent_qid"))
    return None if parent == "0" else parent


def _number(value: Any) -> int:
    text = as_text(value) or ""
    return int(text) if text.isdecimal() else _LAST


def _put(parts: dict[str, Part], code: Any, order: Any, row: Mapping[str, Any], text: str) -> None:
    key, position = as_text(code) or "", _number(order)
    part = parts.setdefault(key, Part(key, position if position < _LAST else None))
    language = as_text(row.get("language")) or ""
    part.texts[language], part.said[language] = row.get(text), row


def _crossed(rows: Mapping[str, Part], columns: Mapping[str, Part]) -> dict[str, Part]:
    """Return a row for each cell of a table, under the code that its column of a response has."""
    crossed = {}
    for row in rows.values():
        for column in columns.values():
            texts = {
                language: " — ".join(filter(None, (plain(text), plain(column.texts.get(language)))))
                for language, text in row.texts.items()
            }
            code = f"{row.code}_{column.code}"
            crossed[code] = Part(code, row.position, texts)
    return crossed


def add_structure(to: Gathered, questions: Iterable[Question]) -> None:
    """Add the records of questions and ready answers, in each language there is."""
    for question in questions:
        if question.type == _SHOWN_ONLY:
            continue
        rows = [] if question.is_multiple else list(question.rows.values())
        options = list((question.rows if question.is_multiple else question.options).values())
        for number, code in enumerate(_BUILT_IN.get(question.type, ""), start=1):
            options.append(Part(code, number, dict.fromkeys(question.texts, code)))
        if question.has_other:
            options.append(Part(OTHER, None))
        for language, text in question.texts.items():
            _add_question(to, question, language, None, text)
            for row in rows:
                _add_question(to, question, language, row, row.texts.get(language))
            for option in options:
                _add_option(to, question, language, option)


def _add_question(to: Gathered, question: Question, language: str, row: Part | None, text: Any) -> None:
    read = {"type": question.type, "question": as_text(text)}
    to.add(
        "survey_question",
        {"code": question.code, "row": row and row.code, **((row or question).said.get(language) or read)},
        question_code=question.code,
        subquestion_code=row and row.code,
        language=language,
        position=row.position if row else question.position,
        kind=question.kind,
        source_kind=question.type,
        text=plain(text),
    )


def _add_option(to: Gathered, question: Question, language: str, option: Part) -> None:
    text = option.texts.get(language)
    to.add(
        "survey_option",
        {"question": question.code, "code": option.code, **(option.said.get(language) or {"answer": as_text(text)})},
        question_code=question.code,
        option_code=option.code,
        language=language,
        position=option.position,
        text=plain(text),
    )
