"""Which column of a LimeSurvey export is which question, and which code a cell's text stands for."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from otklik.errors import FileError
from otklik.sources.files.survey_table import Table
from otklik.sources.limesurvey_responses import CHOSEN, META
from otklik.sources.limesurvey_structure import OTHER, WITH_OPTIONS, Question
from otklik.sources.survey_records import plain

# What LimeSurvey itself writes, in the languages that exports have been seen in.
_OTHER_WORDS = ("Other", "Другое", "Другой", "Sonstiges")
_COMMENT_WORDS = ("Comment", "Комментарий", "Kommentar")
_YES_NO = {"yes": "Y", "да": "Y", "ja": "Y", "y": "Y", "no": "N", "нет": "N", "nein": "N", "n": "N"}
_UNSEEN = ("", "n/a", "н/д", "нет данных")
_META_WORDS = {
    "response id": "id",
    "answer id": "id",
    "id ответа": "id",
    "antwort id": "id",
    "date submitted": "submitdate",
    "дата отправки": "submitdate",
    "datum abgeschickt": "submitdate",
    "last page": "lastpage",
    "последняя страница": "lastpage",
    "letzte seite": "lastpage",
    "start language": "startlanguage",
    "начальный язык": "startlanguage",
    "startsprache": "startlanguage",
    "seed": "seed",
    "date started": "startdate",
    "дата начала": "startdate",
    "datum gestartet": "startdate",
    "date last action": "datestamp",
    "дата последнего действия": "datestamp",
    "datum letzte aktivität": "datestamp",
}


@dataclass
class Column:
    """One column: `key` as the API names it; `codes` the text of a cell -> its code, where a cell holds a code."""

    key: str
    question: Question | None = None
    part: str = ""
    texts: list[str] = field(default_factory=list)
    codes: Mapping[str, str | None] | None = None


def columns_of(table: Table, questions: Iterable[Question]) -> list[Column]:
    """Return the column of each heading; raise FileError for a heading that the structure does not explain."""
    expected = [column for question in questions for column in _expected(question)]
    by_key = {column.key: column for column in expected}
    by_text: dict[str, list[Column]] = {}
    for column in expected:
        for text in dict.fromkeys(map(_heading, column.texts)):
            by_text.setdefault(text, []).append(column)
    times = Counter(map(_heading, table.header))
    found: list[Column] = []
    for heading in table.header:
        meta = heading if heading in META else _META_WORDS.get(" ".join(heading.split()).casefold())
        known = Column(meta) if meta else by_key.get(heading)
        if known:
            found.append(known)
            continue
        columns = by_text.get(_heading(heading), [])
        if not columns:
            raise FileError(
                f"{table.name}: column «{heading[:200]}» is no question of the structure file; export the structure "
                "(.lss) and the responses of the same survey at the same time"
            )
        if len(columns) != times[_heading(heading)]:
            raise FileError(
                f"{table.name}: column «{heading[:200]}» may be any of {', '.join(each.key for each in columns)}; "
                "export the responses with question codes as headings"
            )
        # Questions of the same words stand in the order of the survey.
        found.append(next(each for each in columns if each not in found))
    return found


def _expected(question: Question) -> Iterator[Column]:
    code, type_ = question.code, question.type
    codes = _codes(question)
    if question.rows:
        for row in question.rows.values():
            yield Column(f"{code}[{row.code}]", question, row.code, _with(question, row.texts), codes)
            if type_ == "P":
                yield Column(f"{code}[{row.code}comment]", question, f"{row.code}comment")
    else:
        yield Column(code, question, "", [str(text or "") for text in question.texts.values()], codes)
    if question.has_other:
        yield Column(f"{code}[other]", question, "other", _with(question, dict(enumerate(_OTHER_WORDS))))
    if type_ == "O":
        yield Column(f"{code}[comment]", question, "comment", _with(question, dict(enumerate(_COMMENT_WORDS))))


def _with(question: Question, parts: Mapping[Any, Any]) -> list[str]:
    """Return the headings of a part: in the language of its text, or in any where it is a word of LimeSurvey."""
    return [
        f"{text or ''} [{part or ''}]"
        for language, text in question.texts.items()
        for key, part in parts.items()
        if key == language or isinstance(key, int)
    ]


def _codes(question: Question) -> dict[str, str | None] | None:
    if question.is_multiple or question.type == "Y":
        absent = dict.fromkeys(_UNSEEN, None)
        return {**_YES_NO, **absent}
    if question.type not in WITH_OPTIONS:
        return None
    codes: dict[str, str | None] = {}
    texts = Counter(_text(each) for option in question.options.values() for each in set(option.texts.values()))
    for option in question.options.values():
        # A text that several options have stands for none of them.
        codes |= {_text(each): option.code for each in option.texts.values() if texts[_text(each)] == 1}
    codes |= {option.casefold(): option for option in question.options}
    if question.has_other:
        codes |= {word.casefold(): OTHER for word in (*_OTHER_WORDS, OTHER)}
    return {**codes, "": None}


def code_of(column: Column, cell: str) -> tuple[str | None, bool]:
    """Return the code a cell stands for, and whether it could be told; text that is no code stands for itself."""
    if column.codes is None:
        return cell or None, True
    text = _text(cell)
    return (column.codes[text], True) if text in column.codes else (None, False)


def is_chosen(column: Column, cell: str) -> bool:
    """Tell whether the cell of an option of a multiple choice says that it was chosen."""
    return code_of(column, cell)[0] == CHOSEN


def _text(text: Any) -> str:
    return (plain(text) or "").casefold()


def _heading(text: str) -> str:
    # Exports lose and gain blanks, brackets and marks around the words.
    return re.sub(r"\W+", "", plain(text) or "").casefold()
