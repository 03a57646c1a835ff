"""How a KoboToolbox form is built, and what the fields of a submission mean.

A field is named by its path: `group/question`. A rating (`begin_score`) is a matrix: its rows are fields of one
question. In a group that repeats, the number of the repetition is the question's row.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from otklik.sources.survey_records import UNTOLD, Gathered, Said, as_text, plain

_KINDS = {
    "select_one": "single",
    "select_one_from_file": "single",
    "score__row": "single",
    "select_multiple": "multiple",
    "select_multiple_from_file": "multiple",
    "integer": "number",
    "decimal": "number",
    "range": "scale",
    "date": "date",
    "time": "date",
    "datetime": "date",
    "text": "open",
}
_NO_ANSWER = ("note", "start", "end", "today", "username", "deviceid", "phonenumber", "simserial", "audit")
_NO_QUESTIONS = ("meta/", "formhub/", "_")
_MATRIX = {"begin_score": "kobo--score-choices", "begin_rank": "kobo--rank-items"}
_LANGUAGE = re.compile(r"\(([A-Za-z-]+)\)\s*$")


@dataclass
class _Field:
    """One field of a submission: a question, or a row of one."""

    question: str
    row: str | None
    type: str
    kind: str
    label: Any
    position: int
    choices: str | None
    has_other: bool = False


@dataclass
class Form:
    """A form as its `asset` tells it; `is_told` says whether it tells any structure at all."""

    asset: Any
    is_told: bool = field(init=False)

    def __post_init__(self) -> None:
        content = self.asset.get("content") if isinstance(self.asset, dict) else None
        content = content if isinstance(content, dict) else {}
        lines = content.get("survey")
        self.is_told = isinstance(lines, list)
        self._languages = _languages(content.get("translations"))
        self._choices = [each for each in _listed(content.get("choices")) if isinstance(each, dict)]
        self._unread = [line for line in _listed(lines) if not isinstance(line, dict)]
        self._fields: dict[str, _Field] = {}
        self._matrices: list[_Field] = []
        self._build([line for line in _listed(lines) if isinstance(line, dict)])

    def _build(self, lines: list[dict[str, Any]]) -> None:
        groups: list[str] = []
        matrix: _Field | None = None
        for position, line in enumerate(lines, start=1):
            type_ = as_text(line.get("type")) or ""
            name = as_text(line.get("name")) or as_text(line.get("$autoname")) or ""
            path = "/".join([*groups, name])
            if type_ in _MATRIX:
                matrix = _field(path, None, line, position, as_text(line.get(_MATRIX[type_])))
                self._matrices.append(matrix)
            elif matrix and type_ in ("score__row", "rank__level"):
                row = _field(matrix.question, name, line, position, matrix.choices)
                self._fields[f"{matrix.question}/{name}"] = row
            elif type_.startswith("begin"):
                groups.append(name)
            elif type_.startswith("end_score") or type_.startswith("end_rank"):
                matrix = None
            elif type_.startswith("end_"):
                groups = groups[:-1]
            elif type_.lower() not in _NO_ANSWER:
                choices = as_text(line.get("select_from_list_name")) or type_.partition(" ")[2].split(" ")[0]
                self._fields[path] = _field(path, None, line, position, choices or None)

    def add_structure(self, to: Gathered) -> None:
        """Add the records of questions and ready answers, in each language of the form."""
        for line in self._unread:
            to.refuse("survey_question", {"line": as_text(line)}, "Строка описания формы — не объект")
        questions = sorted([*self._matrices, *self._fields.values()], key=lambda asked: asked.position)
        for asked in questions:
            for place, language in enumerate(self._languages):
                to.add(
                    "survey_question",
                    {"path": asked.question, "row": asked.row, "type": asked.type, "label": as_text(asked.label)},
                    question_code=asked.question,
                    subquestion_code=asked.row,
                    language=language,
                    position=asked.position,
                    kind=asked.kind,
                    source_kind=asked.type,
                    text=_in(asked.label, place),
                )
        for asked in questions:
            if asked.row is None and asked.choices:
                self._add_options(to, asked)

    def _add_options(self, to: Gathered, asked: _Field) -> None:
        options = [each for each in self._choices if as_text(each.get("list_name")) == asked.choices]
        if asked.has_other:
            options = [*options, {"name": "other"}]
        for position, option in enumerate(options, start=1):
            name = as_text(option.get("name")) or as_text(option.get("$autovalue"))
            for place, language in enumerate(self._languages):
                to.add(
                    "survey_option",
                    {"list_name": asked.choices, "name": name, "label": as_text(option.get("label"))},
                    question_code=asked.question,
                    option_code=name,
                    language=language,
                    position=position,
                    text=_in(option.get("label"), place),
                )

    def said_in(self, submission: Mapping[str, Any]) -> Iterator[tuple[Said, dict[str, Any]]]:
        """Return what a submission says, each with the field it was said in; an empty field says nothing."""
        cells = list(_flat(submission, ()))
        texts = {path: as_text(value) for path, value, _ in cells}
        for path, value, repetition in cells:
            asked = self._fields.get(path)
            if as_text(value) is None or self._is_beside(path) or (asked is None and _is_no_question(path)):
                continue
            for said in _said(asked, path, value, repetition, texts.get(f"{path}_other")):
                yield said, {"field": path, "value": as_text(value)}

    def _is_beside(self, path: str) -> bool:
        """Tell whether the field holds the words of a choice «other»."""
        base = self._fields.get(path.removesuffix("_other"))
        return path not in self._fields and base is not None and base.has_other


def _field(question: str, row: str | None, line: Mapping[str, Any], position: int, choices: str | None) -> _Field:
    type_ = as_text(line.get("type")) or ""
    base = type_.partition(" ")[0]
    kind = _KINDS.get(base.lower(), "other")
    if base in _MATRIX:
        kind = "single" if base == "begin_score" else "other"
    if base == "select_one" and "likert" in (as_text(line.get("appearance")) or ""):
        kind = "scale"
    has_other = type_.endswith("or_other") or line.get("_or_other") is True
    return _Field(question, row, base, kind, line.get("label"), position, choices, has_other)


def _languages(translations: Any) -> list[str]:
    """Return the code of each language of the form: `ru` of «Русский (ru)»; a name without a code is its own."""
    codes = []
    for name in _listed(translations) or [None]:
        match = _LANGUAGE.search(name) if isinstance(name, str) else None
        codes.append(match[1] if match else as_text(name) or UNTOLD)
    return codes


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _in(label: Any, place: int) -> str | None:
    if isinstance(label, list):
        return plain(label[place]) if place < len(label) else None
    return plain(label) if place == 0 else None


def _flat(row: Mapping[str, Any], repetition: tuple[int, ...]) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """Return path, value and the numbers of the repetitions around it, of every field down to the innermost."""
    for name, value in row.items():
        path = as_text(name) or ""
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            if not _is_no_question(path):
                for number, each in enumerate(value, start=1):
                    yield from _flat(each, (*repetition, number))
        else:
            yield path, value, repetition


def _is_no_question(path: str) -> bool:
    return path.startswith(_NO_QUESTIONS) or path.rpartition("/")[2] in _NO_ANSWER


def _said(
    asked: _Field | None, path: str, value: Any, repetition: tuple[int, ...], other: str | None
) -> Iterator[Said]:
    text = as_text(value) or ""
    row = ".".join(map(str, repetition)) or None
    if asked is None:
        yield Said(path, row, problem="Вопроса с таким именем нет в описании формы")
        return
    code, row = asked.question, asked.row or row
    if asked.kind == "multiple":
        for option in dict.fromkeys(text.split()):
            yield Said(code, row, option=option, text=other if option == "other" else None)
    elif asked.kind == "single" or asked.type == "rank__level":
        yield Said(code, row, option=text, text=other if text == "other" else None)
    elif asked.kind == "scale":
        yield Said(code, row, option=text if asked.choices else None, number=text if _is_number(text) else None)
    elif asked.kind == "number":
        yield Said(code, row, number=text)
    else:
        yield Said(code, row, text=text)


def _is_number(text: str) -> bool:
    # A scale may name its marks by words; then there is no number.
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
