"""LimeSurvey's own export of responses (CSV or XLSX), read by the structure file (.lss) of the same survey.

Columns are told by question codes or by full texts, cells by answer codes or by full texts: the export's options leave
the choice to who exports. An export has the texts of one language; further exports of the same responses in other
languages give the structure those languages' texts where the structure file lacks them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from otklik.errors import FileError
from otklik.sources.files.lss import read_structure
from otklik.sources.files.survey_columns import Column, code_of, columns_of
from otklik.sources.files.survey_table import read_table
from otklik.sources.files.survey_translation import translate
from otklik.sources.limesurvey_responses import add_response
from otklik.sources.limesurvey_structure import add_structure
from otklik.sources.records import Records
from otklik.sources.survey_records import Gathered, as_text


@dataclass(frozen=True)
class ExportFacts:
    """What an export does not tell of itself.

    `zone`: that of its times. `are_complete`: whether the responses were submitted, where the export has no column
    submitdate; None is not known. `translations`: language -> an export of the same responses in that language.
    """

    zone: tzinfo
    are_complete: bool | None = None
    translations: Mapping[str, Path] = field(default_factory=dict)


def read_export(body: bytes, name: str, structure: Path, survey_id: str, facts: ExportFacts) -> list[Records]:
    """Return the questions, options, responses and answers of an export; `name` is its file's, for errors.

    Raise FileError when the files cannot be read or do not belong together.
    """
    questions = read_structure(structure)
    table = read_table(body, name)
    columns = columns_of(table, questions)
    keys = [column.key for column in columns]
    if "id" not in keys:
        raise FileError(f"{table.name}: no column with the id of the response; export it with that column")
    for language, file in facts.translations.items():
        translate(questions, language, table, columns, read_table(file.read_bytes(), file.name))
    to = Gathered("limesurvey_file", survey_id)
    add_structure(to, questions)
    by_code = {question.code: question for question in questions}
    for number, row in enumerate(table.rows, start=2):
        if len(row) == len(columns):
            cells = _cells(to, columns, row)
            add_response(to, cells, by_code, facts.zone, facts.are_complete)
        else:
            problem = f"В строке {number} столбцов: {len(row)}, в заголовке: {len(columns)}"
            to.refuse("survey_response", {"row": as_text(row)}, problem)
    return list(to.records())


def _cells(to: Gathered, columns: Sequence[Column], row: Sequence[str]) -> dict[str, str | None]:
    """Return column -> code; a cell of no known option becomes a refused answer."""
    cells: dict[str, str | None] = {}
    unknown: list[tuple[Column, str]] = []
    for column, cell in zip(columns, row, strict=True):
        cells[column.key], is_known = code_of(column, cell)
        if not is_known:
            unknown.append((column, cell))
    for column, cell in unknown:
        where = {"response_id": cells["id"], "question_code": column.question and column.question.code}
        original = {"column": column.key, "value": cell}
        to.refuse("survey_answer", original, "Такого варианта ответа нет в описании анкеты", **where)
    return cells
