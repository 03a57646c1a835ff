"""The texts of a survey in a further language, out of an export of the same responses in that language."""

from collections.abc import Iterator, Mapping, Sequence
from os.path import commonprefix

from otklik.errors import FileError
from otklik.sources.files.survey_columns import Column, code_of
from otklik.sources.files.survey_table import Table
from otklik.sources.limesurvey_structure import Question


def translate(
    questions: Sequence[Question], language: str, table: Table, columns: Sequence[Column], other: Table
) -> None:
    """Give the questions the texts of `other`, which holds the responses of `table` in `language`.

    Columns correspond by their place, options by the cells they were chosen in. Raise FileError when the two files do
    not hold the same responses in the same columns.
    """
    place = [column.key for column in columns].index("id")
    ids = [[row[place] if place < len(row) else "" for row in each.rows] for each in (table, other)]
    if len(other.header) != len(table.header) or ids[0] != ids[1]:
        raise FileError(
            f"{other.name}: not the responses of {table.name} in another language: its columns or response ids differ; "
            "export both with the same options at the same time"
        )
    for question in questions:
        places = [place for place, column in enumerate(columns) if column.question is question]
        if places:
            _translate_headings(question, language, [(columns[place], other.header[place]) for place in places])
            for code, text in _options(question, places, table, columns, other).items():
                question.options[code].texts[language] = text


def _translate_headings(question: Question, language: str, headings: list[tuple[Column, str]]) -> None:
    begins = commonprefix([heading for _, heading in headings])  # noqa: RUF071 - words, not paths
    asked = begins.rpartition("[")[0] if any(column.part for column, _ in headings) else begins
    question.texts[language] = asked.strip()
    for column, heading in headings:
        if row := question.rows.get(column.part):
            row.texts[language] = heading[len(asked) :].strip().removeprefix("[").removesuffix("]").strip()


def _options(
    question: Question, places: Sequence[int], table: Table, columns: Sequence[Column], other: Table
) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for place in places:
        for cell, translated in _pairs(table, other, place):
            code, _ = code_of(columns[place], cell)
            if code in question.options and texts.setdefault(code, translated) != translated:
                raise FileError(
                    f"{other.name}: option {code} of question {question.code} is both «{texts[code]}» and "
                    f"«{translated}»; it does not hold the responses of {table.name}"
                )
    return texts


def _pairs(table: Table, other: Table, place: int) -> Iterator[tuple[str, str]]:
    for row, translated in zip(table.rows, other.rows, strict=True):
        if place < len(row) and place < len(translated):
            yield row[place], translated[place]
