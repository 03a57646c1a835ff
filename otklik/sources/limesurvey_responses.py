"""What the cells of a response to a LimeSurvey survey mean: the same over its API and in its export files.

A response is cells by column code: `Q1` a question, `Q1[SQ001]` a row or option of it, `Q1[other]` and `Q1[comment]`
what was written beside. Cells hold codes, not texts.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from otklik.sources.limesurvey_structure import OTHER, Question
from otklik.sources.survey_records import Gathered, Said, as_text, moment

CHOSEN = "Y"
META = ("id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "token", "ipaddr", "refurl")
"""Columns of a response that are not questions."""
_TAKEN = ("id", "submitdate", "startlanguage", "startdate", "datestamp")
_NOT_CHOSEN = (None, "N")
_COLUMN = re.compile(r"(?P<code>[^\[\]]+)(?:\[(?P<part>.*)\])?", re.DOTALL)
# What LimeSurvey writes where it must not keep the time (an anonymised survey).
_NOT_KEPT = "1980-01-01 00:00:00"


def add_response(
    to: Gathered, cells: Mapping[str, Any], questions: Mapping[str, Question], zone: tzinfo, complete: Any = None
) -> None:
    """Add the records of one response; its times are of `zone`.

    `complete` says whether it was submitted, where the cells have no submitdate to tell it.
    """

    def time(name: str) -> str | None:
        return None if cells.get(name) == _NOT_KEPT else moment(cells.get(name), zone)

    id_, updated_at = cells.get("id"), time("datestamp")
    to.add(
        "survey_response",
        {name: cells[name] for name in _TAKEN if name in cells},
        response_id=id_,
        language=cells.get("startlanguage"),
        started_at=time("startdate"),
        submitted_at=time("submitdate"),
        is_complete=as_text(cells["submitdate"]) is not None if "submitdate" in cells else complete,
        updated_at=updated_at,
    )
    for said, original in said_in({name: cells[name] for name in cells if name not in META}, questions):
        to.add_answer(id_, updated_at, said, original)


def said_in(cells: Mapping[str, Any], questions: Mapping[str, Question]) -> Iterator[tuple[Said, dict[str, Any]]]:
    """Return what a response says, each with the cells it was said in; `questions` are by code.

    An empty cell says nothing. A cell of a question that the survey does not have is told as a problem.
    """
    for code, parts in _by_question(cells).items():
        question = questions.get(code)
        for said in _unknown(code, parts) if question is None else _said(question, parts):
            part = said.row or ""
            if question and question.is_multiple:
                part = "other" if said.option == OTHER else said.option or part
            yield said, {"column": f"{code}[{part}]" if part else code, "value": parts.get(part)}


def _by_question(cells: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """Return question -> part of its column («» for the question itself) -> text."""
    found: dict[str, dict[str, str | None]] = {}
    for name, value in cells.items():
        column = as_text(name) or ""
        match = _COLUMN.fullmatch(column)
        code, part = (match["code"], match["part"] or "") if match else (column, "")
        found.setdefault(code, {})[part.replace("][", "_")] = as_text(value)
    return found


def _unknown(code: str, parts: Mapping[str, str | None]) -> Iterator[Said]:
    for part, value in parts.items():
        if value is not None:
            yield Said(code, part or None, problem="Вопроса с таким кодом нет в описании анкеты")


def _said(question: Question, parts: Mapping[str, str | None]) -> Iterator[Said]:
    if question.is_multiple:
        yield from _chosen_together(question, parts)
        return
    beside = parts.get("other") or parts.get("comment") if question.type in "L!O" else None
    for part, value in parts.items():
        if question.type in "L!O" and part in ("other", "comment"):
            continue
        if value is not None:
            yield _one(question, part or None, value, beside)
        elif beside and not part:
            yield Said(question.code, option=OTHER if parts.get("other") else None, text=beside)


def _one(question: Question, row: str | None, value: str, beside: str | None) -> Said:
    if question.kind == "scale":
        return Said(question.code, row, option=value, number=value)
    if question.kind == "number":
        return Said(question.code, row, number=value)
    if question.kind == "single" or question.type == "R":
        return Said(question.code, row, option=value, text=beside)
    if question.kind == "date":
        return Said(question.code, row, text=value.removesuffix(" 00:00:00"))
    return Said(question.code, row, text=value)


def _chosen_together(question: Question, parts: Mapping[str, str | None]) -> Iterator[Said]:
    for part, value in parts.items():
        if question.type == "P" and part.endswith("comment") and part.removesuffix("comment") in parts:
            continue
        comment = parts.get(f"{part}comment") if question.type == "P" else None
        if part == "other":
            written = [text for text in (value, comment) if text]
            if written:
                yield Said(question.code, option=OTHER, text=": ".join(written))
        elif value == CHOSEN:
            yield Said(question.code, option=part, text=comment)
        elif value not in _NOT_CHOSEN:
            yield Said(question.code, part, problem="Отметка варианта — не «Y» и не пусто")
        elif comment:
            yield Said(question.code, part, text=comment)
