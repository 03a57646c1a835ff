"""The files of the made-up region, laid out as an incident system exports them.

CSV with `;`, Windows-1251, CRLF and Russian headers; history by month and gzipped, the last night plain.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from otklik.demo.dirty import Defect, Row

COLUMNS = (
    "№ сообщения",
    "№ инцидента",
    "Дата публикации",
    "Дата регистрации",
    "Направлено в орган",
    "Дата ответа",
    "Промежуточный ответ",
    "Дата решения",
    "Дата закрытия",
    "Возвращено в работу",
    "Число возвратов",
    "Крайний срок",
    "Статус",
    "Канал",
    "Приоритет",
    "Тема",
    "Подтема",
    "Муниципалитет",
    "Ответственный орган",
    "ID автора",
    "Автор",
    "Профиль автора",
    "Ссылка на сообщение",
    "Текст",
    "Изменено",
)
ENCODING = "cp1251"


@dataclass(frozen=True)
class NotedRow:
    """A bad row in a file: its number there (the header is 1) and the reason it must be rejected for."""

    file: str
    row_number: int
    defect: str
    reason: str | None


def write_file(
    path: Path, rows: pl.DataFrame, makers: Iterator[Callable[[Row], Defect]], bad_rows: int
) -> list[NotedRow]:
    """Write the rows, with `bad_rows` defects after answered rows spread over the file.

    A name that ends in .gz is compressed. Returns the notes of the defects.
    """
    rows = rows.select(COLUMNS)
    answered = rows["Дата ответа"].is_not_null().arg_true().to_list()
    content = io.BytesIO()
    content.write(_csv(rows.clear(), with_header=True))
    noted: list[NotedRow] = []
    written = 0
    for part in range(1, bad_rows + 1):
        after = answered[part * len(answered) // (bad_rows + 1)] + 1
        content.write(_csv(rows[written:after]))
        defect = next(makers)({column: value or "" for column, value in _text(rows[after - 1]).items()})
        content.write(_line(defect.cells))
        noted.append(NotedRow(path.name, 1 + after + part, defect.name, defect.reason))
        written = after
    content.write(_csv(rows[written:]))
    data = content.getvalue()
    path.write_bytes(gzip.compress(data, compresslevel=4, mtime=0) if path.suffix == ".gz" else data)
    return noted


def write_notes(path: Path, noted: list[NotedRow]) -> None:
    """Write the notes of all defects as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(note) for note in noted], ensure_ascii=False, indent=1), encoding="utf-8")


def _csv(rows: pl.DataFrame, *, with_header: bool = False) -> bytes:
    text = rows.write_csv(separator=";", line_terminator="\r\n", include_header=with_header)
    return text.encode(ENCODING)


def _text(row: pl.DataFrame) -> dict[str, str | None]:
    return row.select(pl.all().cast(pl.String)).row(0, named=True)


def _line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=";", lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(ENCODING)
