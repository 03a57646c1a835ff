"""The table of a survey's export, CSV or XLSX, as text."""

import csv
import io
from dataclasses import dataclass

import fastexcel

from otklik.errors import FileError
from otklik.sources.files.members import OFFICE_ENCRYPTED, ZIP
from otklik.sources.utf8 import Utf8Stream, show

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Table:
    """A header and rows of cells; a row may have more or fewer cells than the header."""

    name: str
    header: list[str]
    rows: list[list[str]]


def read_table(content: bytes, name: str) -> Table:
    """Return the table of text in UTF-8 or cp1251, or of the first sheet of a workbook; raise FileError."""
    rows = _sheet(name, content) if content.startswith((ZIP, OFFICE_ENCRYPTED)) else _csv(name, content)
    rows = [row for row in rows if any(row)]
    if not rows:
        raise FileError(f"{name}: empty; export the responses again")
    return Table(name, rows[0], rows[1:])


def _csv(name: str, content: bytes) -> list[list[str]]:
    stream = io.BufferedReader(Utf8Stream(io.BytesIO(content)))
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="").read()
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    # The limit is the whole process's: it may be raised, never lowered.
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        return [[show(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise FileError(f"{name}: not a CSV file ({error}); export the responses again") from None


def _sheet(name: str, content: bytes) -> list[list[str]]:
    if content.startswith(OFFICE_ENCRYPTED):
        raise FileError(f"{name}: the workbook is protected by a password or is an old .xls; save it as open .xlsx")
    try:
        frame = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise FileError(f"{name}: not a workbook in .xlsx format: {error}") from None
    return [[cell or "" for cell in row] for row in frame.rows()]
