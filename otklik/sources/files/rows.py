"""From a stream to rows of text, chunk by chunk: memory follows the chunk, not the file.

Rows are numbered as a person sees them in the file: the header is row 1.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import fastexcel
import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from otklik.contracts.reasons import reason
from otklik.errors import FileError
from otklik.mapping import Mapping
from otklik.sources.files.members import OFFICE_ENCRYPTED, Member, damage_named
from otklik.sources.rows import ROW_NUMBER, Rejected, TextRows, shown
from otklik.sources.utf8 import MISPLACED, SAMPLE, Utf8Stream, show

CHUNK_ROWS = 100_000
# A row must fit into one block; rows of several megabytes have been seen. Half a dozen blocks are in memory at once,
# each in several forms, and every block costs some milliseconds whatever its size.
_BLOCK_BYTES = 6 << 20
# Python's own limit for a cell is smaller than what a text may be.
csv.field_size_limit(_BLOCK_BYTES)
# What a column of the source is called when it has the name of ours.
_THEIR_NUMBER = f"{ROW_NUMBER}#2"


def read_rows(member: Member, mapping: Mapping) -> Iterator[TextRows]:
    """Read the member as the mapping says; raise FileError when the whole of it cannot be."""
    readers = {"csv": _csv_rows, "xlsx": _xlsx_rows, "jsonl": _jsonl_rows}
    with damage_named(member.name):
        yield from readers[mapping.format](member, mapping)


def _csv_rows(member: Member, mapping: Mapping) -> Iterator[TextRows]:
    text = Utf8Stream(member.stream, mapping.csv.encoding)
    stream = io.BufferedReader(text, buffer_size=SAMPLE)
    header = _csv_header(member.name, stream, mapping)
    broken: list[Rejected] = []

    def keep_ragged(row: arrow_csv.InvalidRow) -> str:
        cells = next(csv.reader([row.text], delimiter=mapping.csv.delimiter), [])
        why = reason("ragged_row", actual=row.actual_columns, expected=row.expected_columns)
        broken.append(Rejected(row.number, [why], shown(dict(_named_cells(header, cells)))))
        return "skip"

    try:
        reader = arrow_csv.open_csv(
            stream,
            # One thread, because only then are rows numbered.
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=arrow_csv.ParseOptions(
                delimiter=mapping.csv.delimiter, newlines_in_values=True, invalid_row_handler=keep_ragged
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                strings_can_be_null=False,
                # The stream is UTF-8 by now; to look at every cell again takes longer than parsing.
                check_utf8=False,
            ),
        )
        chunks = (replace(chunk, odd=text.odd) for chunk in _numbered(reader, broken, _distinct(header)))
        last = next(chunks, None)
        if last is None:
            return
        _check_encoding(member.name, last.frame, mapping)
        for chunk in chunks:
            yield last
            last = chunk
        yield _without_open_quote(last) if text.quotes % 2 else last
    except pa.ArrowInvalid as error:
        raise FileError(
            f"{member.name}: not readable as CSV: {error}; look for a quote that is not closed, "
            f"or a row of more than {_BLOCK_BYTES >> 20} MB"
        ) from None


def _csv_header(name: str, stream: io.BufferedReader[Utf8Stream], mapping: Mapping) -> list[str]:
    start = stream.peek(SAMPLE)
    if not start.strip():
        raise FileError(f"{name}: the file is empty; ask the source to export it again")
    # Whatever ends the lines, the first one is the header.
    lines = io.StringIO(start.decode(errors="ignore"), newline=None)
    header = next(csv.reader(lines, delimiter=mapping.csv.delimiter))
    _check_header(name, header, mapping)
    return header


def _check_header(name: str, header: Sequence[str], mapping: Mapping) -> None:
    """Refuse a file whose first row is not the header that the mapping was written for."""
    shown = show(mapping.csv.delimiter.join(header)[:200])
    if shown != mapping.csv.delimiter.join(header)[:200]:
        raise FileError(
            f"{name}: row 1 is not in encoding {mapping.csv.encoding}: {shown}; set csv.encoding in {mapping.path}"
        )
    wanted = dict.fromkeys(mapping.columns.values())
    absent = [column for column in wanted if column not in header]
    if len(absent) == len(wanted):
        raise FileError(
            f"{name}: row 1 is not the header: none of the mapped columns is in «{shown}»; "
            f"check that the file has a header, its delimiter and encoding in {mapping.path}"
        )
    if absent:
        fields = ", ".join(f"«{column}» ({_fields_of(mapping, column)})" for column in absent)
        raise FileError(
            f"{name}: row 1 lacks column {fields}, which {mapping.path} names; mend the export or the mapping"
        )
    if repeated := [column for column in wanted if list(header).count(column) > 1]:
        raise FileError(f"{name}: row 1 names column «{repeated[0]}» twice; which one is meant cannot be known")


def _fields_of(mapping: Mapping, column: str) -> str:
    return ", ".join(name for name, mapped in mapping.columns.items() if mapped == column)


def _named_cells(header: Sequence[str], cells: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    for index, cell in enumerate(cells):
        yield (header[index] if index < len(header) else f"#{index + 1}"), cell


def _numbered(batches: Iterator[pa.RecordBatch], broken: list[Rejected], names: list[str]) -> Iterator[TextRows]:
    """Number the rows of each batch around the ragged ones, which the parser has taken out of it.

    The parser reads ahead, so `broken` may hold rows that lie behind the batch.
    """
    following = 2
    while (batch := _next_batch(batches, following)) is not None:
        last = following + batch.num_rows - 1
        taken = 0
        while taken < len(broken) and broken[taken].row_number <= last:
            last += 1
            taken += 1
        numbers = pl.int_range(following, last + 1, dtype=pl.Int64, eager=True).alias(ROW_NUMBER)
        numbers = numbers.filter(~numbers.is_in([row.row_number for row in broken[:taken]]))
        frame = pl.DataFrame(pl.from_arrow(batch.rename_columns(names)))
        yield TextRows(frame.with_columns(numbers), broken[:taken])
        del broken[:taken]
        following = last + 1
    if broken:
        yield TextRows(pl.DataFrame(schema={ROW_NUMBER: pl.Int64, **dict.fromkeys(names, pl.String)}), broken)


def _next_batch(batches: Iterator[pa.RecordBatch], row: int) -> pa.RecordBatch | None:
    """Return the batch that begins with this row, None at the end; what is wrong with it is raised with the row."""
    try:
        return next(batches, None)
    except pa.ArrowInvalid as error:
        raise pa.ArrowInvalid(f"at row {row} or after it: {error}") from None


def _without_open_quote(rows: TextRows) -> TextRows:
    """Refuse the last row of a file whose quotes do not pair when it has swallowed line ends: rows may be in it."""
    end = rows.frame.tail(1)
    if end.is_empty() or not any("\n" in (text or "") for text in end.drop(ROW_NUMBER).row(0)):
        return rows
    number = end[ROW_NUMBER].item()
    refused = Rejected(number, [reason("open_quote")], rows.originals([number])[number])
    return replace(rows, frame=rows.frame.head(-1), broken=[*rows.broken, refused])


def _distinct(header: Sequence[str]) -> list[str]:
    """Tell columns of the same name apart: the second «x» becomes «x#2»."""
    seen = Counter([ROW_NUMBER])
    names = []
    for name in header:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def _check_encoding(name: str, frame: pl.DataFrame, mapping: Mapping) -> None:
    """Refuse a file most of whose first rows hold bytes outside its encoding: the encoding is wrong."""
    start = frame.head(1_000)
    for column in frame.columns:
        bad = start.filter(pl.col(column).cast(pl.String).str.contains(MISPLACED))
        if bad.height * 2 > start.height:
            number, value = bad[ROW_NUMBER][0], show(bad[column][0])[:100]
            raise FileError(
                f"{name}: not in encoding {mapping.csv.encoding}: row {number}, column «{column}»: {value}; "
                f"set csv.encoding in {mapping.path} (auto tells utf-8 from cp1251)"
            )


def _xlsx_rows(member: Member, mapping: Mapping) -> Iterator[TextRows]:
    content = member.stream.read()
    if content.startswith(OFFICE_ENCRYPTED):
        raise FileError(
            f"{member.name}: the workbook is protected by a password or is an old .xls; save it as open .xlsx"
        )
    try:
        book = fastexcel.read_excel(content)
        sheet = mapping.xlsx.sheet
        if sheet is not None and sheet not in book.sheet_names:
            raise FileError(f"{member.name}: there is no sheet «{sheet}», only {', '.join(book.sheet_names)}")
        frame = book.load_sheet(0 if sheet is None else sheet, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise FileError(f"{member.name}: not a workbook in .xlsx format: {error}") from None
    if not frame.width:
        raise FileError(f"{member.name}: the sheet is empty; ask the source to export it again")
    _check_header(member.name, frame.columns, mapping)
    yield from (TextRows(chunk) for chunk in _row_numbered(frame).iter_slices(CHUNK_ROWS))


def _row_numbered(frame: pl.DataFrame) -> pl.DataFrame:
    theirs = frame.rename({ROW_NUMBER: _THEIR_NUMBER}, strict=False)
    numbered = theirs.with_row_index(ROW_NUMBER, offset=2).cast({ROW_NUMBER: pl.Int64})
    # Rows emptied in a spreadsheet stay behind as rows of nothing.
    return numbered.filter(pl.any_horizontal(pl.exclude(ROW_NUMBER).is_not_null()))


def _jsonl_rows(member: Member, mapping: Mapping) -> Iterator[TextRows]:
    # Writers of JSON leave out what is unknown, so only the keys of required fields must be there.
    required = {mapping.columns[name]: name for name in mapping.contract.required if name in mapping.columns}
    stream = io.BufferedReader(Utf8Stream(member.stream, mapping.csv.encoding))
    lines = enumerate(io.TextIOWrapper(stream, encoding="utf-8"), start=1)
    while chunk := list(islice(lines, CHUNK_ROWS)):
        rows, broken = _json_objects(chunk)
        for column, name in required.items():
            if rows and not any(column in row for _, row in rows):
                raise FileError(f"{member.name}: no line has key «{column}» ({name}), which {mapping.path} names")
        yield TextRows(_json_frame(rows, list(mapping.columns.values())), broken)


def _json_objects(lines: list[tuple[int, str]]) -> tuple[list[tuple[int, dict[str, Any]]], list[Rejected]]:
    rows, broken = [], []
    for number, line in lines:
        if not line.strip():
            continue
        value = _json_object(line)
        if value is not None:
            rows.append((number, value))
        else:
            broken.append(Rejected(number, [reason("bad_json", value=show(line.strip())[:100])], shown({"line": line})))
    return rows, broken


def _json_object(line: str) -> dict[str, Any] | None:
    """Return the object, or None where the line is none; half of a surrogate pair is no text either."""
    try:
        value = json.loads(line)
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _json_frame(rows: list[tuple[int, dict[str, Any]]], mapped: Sequence[str]) -> pl.DataFrame:
    names = dict.fromkeys([*mapped, *(key for _, row in rows for key in row)])
    data: dict[str, list[Any]] = {ROW_NUMBER: [number for number, _ in rows]}
    columns = {name: _THEIR_NUMBER if name == ROW_NUMBER else name for name in names}
    data |= {column: [_as_text(row.get(name)) for _, row in rows] for name, column in columns.items()}
    return pl.DataFrame(data, schema={ROW_NUMBER: pl.Int64, **dict.fromkeys(columns.values(), pl.String)})


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
