"""LimeSurvey's structure file (.lss): the questions of a survey in every language it has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from otklik.errors import FileError
from otklik.sources.limesurvey_structure import Question, build

# Since version 4 the texts lie apart from what they name: section -> where its texts are, by which id.
_TEXTS = {
    "questions": ("question_l10ns", "qid"),
    "subquestions": ("question_l10ns", "qid"),
    "answers": ("answer_l10ns", "aid"),
}


def read_structure(file: Path) -> list[Question]:
    """Return the questions of a structure file in the order of asking; raise FileError when it holds none."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file.name}: cannot be read: {error.strerror}; check the path") from None
    # A structure file has no document type, and with it go all entities that could expand without end.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FileError(f"{file.name}: declares a document type, which no LimeSurvey structure does; export it again")
    try:
        document = ElementTree.fromstring(content)  # noqa: S314 - without a document type nothing can expand
    except ElementTree.ParseError as error:
        raise FileError(f"{file.name}: not XML ({error}); export the survey's structure (.lss) again") from None
    questions = [*_rows(document, "questions"), *_rows(document, "subquestions")]
    if not questions:
        raise FileError(f"{file.name}: holds no questions; export the survey's structure (.lss) from LimeSurvey")
    return build(_rows(document, "groups"), questions, list(_rows(document, "answers")))


def _rows(document: ElementTree.Element, section: str) -> Iterator[dict[str, Any]]:
    """Return the rows of a section, one for each language."""
    name, key = _TEXTS.get(section, ("", ""))
    texts: dict[str | None, list[dict[str, Any]]] = {}
    for row in document.iterfind(f"{name}/rows/row") if name else ():
        text = _values(row)
        texts.setdefault(text.get(key), []).append(text)
    for row in document.iterfind(f"{section}/rows/row"):
        values = _values(row)
        for text in texts.get(values.get(key), [{}]):
            yield {
                **text,
                **values,
                **{part: text[part] for part in ("question", "answer", "language") if part in text},
            }


def _values(row: ElementTree.Element) -> dict[str, Any]:
    return {cell.tag: cell.text for cell in row}
