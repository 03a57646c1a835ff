"""Whatever happens to a file on its way, each row is accounted for or the file is refused by name; nothing else."""

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.errors import FileError
from otklik.load import load_file
from otklik.mapping import Mapping
from otklik.settings import Settings
from otklik.warehouse.ledger import BatchReport
from tests.fixtures.files import HEADER, MAPPING, NIGHT, Centre, counts, csv_text, row

# Of each format; a thousand in all.
EXAMPLES = 167
NUMBERS = count(1)
TEXTS = ('"Яма, ""глубокая""\r\nи вода"', "Не горит фонарь", "", "тел. 8 912 345-67-89", "труба 5 см")
ROWS = [row(str(n), Текст=TEXTS[n % 5], Автор=f"vk-{n % 3}") for n in range(1, 9)]
CSV = csv_text(ROWS)
# Without quotes a line is a row, so that rows can be counted in another way.
LINES = csv_text([[cell.replace('"', "").replace("\r\n", " ") for cell in cells] for cells in ROWS])
JSONL = "".join(
    json.dumps(dict(zip([*HEADER, "row_number"], [*cells, "7"], strict=True)), ensure_ascii=False) + "\n"
    for cells in ROWS
)

Damage = Callable[[bytes], bytes]

places = st.floats(0, 1, exclude_max=True)
scraps = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.sampled_from(
        [
            b"\x00",
            b'"',
            b";",
            b"\n",
            b"\r",
            b"\r\n",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\\",
            b"{",
            b"[",
            b"\xd0",
            b"\\ud800",
            b"\\u0000",
        ]
    ),
)


def flipped(data: bytes, place: float, mask: int) -> bytes:
    at = int(place * len(data))
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :] if data else data


def inserted(data: bytes, place: float, scrap: bytes) -> bytes:
    at = int(place * len(data))
    return data[:at] + scrap + data[at:]


def taken_out(data: bytes, place: float, length: int) -> bytes:
    at = int(place * len(data))
    return data[:at] + data[at + length :]


def twice(data: bytes, place: float) -> bytes:
    lines = data.splitlines(keepends=True)
    at = int(place * len(lines))
    return b"".join([*lines[: at + 1], *lines[at:]])


def swapped(data: bytes, one: float, other: float) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        i, j = int(one * len(lines)), int(other * len(lines))
        lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def reencoded(data: bytes, encoding: str, place: float) -> bytes:
    """Write the text from some line on in another encoding."""
    lines = data.splitlines(keepends=True)
    at = int(place * len(lines)) if place > 0.5 else 0
    rest = b"".join(lines[at:]).decode(errors="ignore").encode(encoding, errors="replace")
    return b"".join(lines[:at]) + rest


bytes_damages: st.SearchStrategy[Damage] = st.one_of(
    places.map(lambda at: lambda data: data[: int(at * len(data))]),
    st.tuples(places, st.integers(1, 255)).map(lambda args: lambda data: flipped(data, *args)),
    st.tuples(places, scraps).map(lambda args: lambda data: inserted(data, *args)),
    st.tuples(places, st.integers(1, 40)).map(lambda args: lambda data: taken_out(data, *args)),
)
text_damages: st.SearchStrategy[Damage] = st.one_of(
    bytes_damages,
    places.map(lambda at: lambda data: twice(data, at)),
    st.tuples(places, places).map(lambda args: lambda data: swapped(data, *args)),
    st.tuples(st.sampled_from(["cp1251", "koi8-r", "utf-16", "utf-8-sig", "cp866"]), places).map(
        lambda args: lambda data: reencoded(data, *args)
    ),
)


def damaged(damages: st.SearchStrategy[Damage], data: bytes) -> st.SearchStrategy[bytes]:
    def apply(several: list[Damage]) -> bytes:
        harmed = data
        for damage in several:
            harmed = damage(harmed)
        return harmed

    return st.lists(damages, min_size=1, max_size=3).map(apply)


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2022, 3, 15, 0, 0, 0)), content)
    return buffer.getvalue()


@cache
def workbook() -> dict[str, bytes]:
    """Return the parts of a workbook: name -> content."""
    with zipfile.ZipFile(io.BytesIO(workbook_of([HEADER, *ROWS]))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def workbook_of(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def workbooks() -> st.SearchStrategy[bytes]:
    whole = zipped(workbook())

    def with_part(name: str) -> st.SearchStrategy[bytes]:
        return damaged(bytes_damages, workbook()[name]).map(lambda part: zipped(workbook() | {name: part}))

    return st.one_of(damaged(bytes_damages, whole), st.sampled_from(sorted(workbook())).flatmap(with_part))


def packed(pack: Callable[[bytes], bytes]) -> st.SearchStrategy[bytes]:
    """Damage before packing, or after it."""
    return st.one_of(damaged(text_damages, CSV.encode()).map(pack), damaged(bytes_damages, pack(CSV.encode())))


FORMATS: dict[str, Callable[[], st.SearchStrategy[bytes]]] = {
    "csv": lambda: damaged(text_damages, CSV.encode()),
    "lines.csv": lambda: damaged(text_damages, LINES.encode()),
    "jsonl": lambda: damaged(text_damages, JSONL.encode()),
    "xlsx": workbooks,
    "csv.gz": lambda: packed(lambda data: gzip.compress(data, mtime=0)),
    "zip": lambda: packed(lambda data: zipped({"a.csv": data, "b.csv": CSV.encode()})),
}


@pytest.fixture(scope="module")
def centre(module_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    return Centre(module_warehouse, Path(tmp_path_factory.mktemp("centre")))


@pytest.fixture(scope="module")
def ledger(module_warehouse: Settings) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(module_warehouse.dsn("engineer"), autocommit=True) as connection:
        yield connection


def mapping_of(centre: Centre, form: str) -> Mapping:
    return centre.mapping(format=form if form in ("xlsx", "jsonl") else "csv")


def outcome(centre: Centre, mapping: Mapping, content: bytes, name: str) -> list[BatchReport] | str:
    """Return the ledger's lines, or the error that refused the file; anything else is raised."""
    try:
        return load_file(centre.write(content, name), mapping, NIGHT, centre.settings)
    except FileError as error:
        return str(error)


def stored(ledger: psycopg.Connection[Any], name: str) -> list[tuple[Any, ...]]:
    """Return (status, error, read, loaded, rejected, unchanged, rows, refused and explained) of a file's members."""
    query = """
        select
            status, error, rows_read, rows_loaded, rows_rejected, rows_unchanged,
            (select count(*) from raw.incident where incident.batch_id = batch.batch_id),
            (select count(*) from raw.rejected_row
             where rejected_row.batch_id = batch.batch_id and reasons->0->>'message' <> '')
        from raw.batch
        where landed_path like %s
        order by batch_id
    """
    return ledger.execute(query, [f"%-{name}"]).fetchall()


def rows_in(form: str, content: bytes) -> int | None:
    """Count the rows of a file of text in another way; None where a quote may make a row of several lines."""
    if form == "lines.csv" and b'"' not in content:
        return len([line for line in re.split(rb"\r\n|\r|\n", content) if line]) - 1
    if form == "jsonl" and is_utf8(content):
        return len([line for line in re.split("\r\n|\r|\n", content.decode("utf-8-sig")) if line.strip()])
    return None


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("form", FORMATS)
def test_a_damaged_file_is_accounted_for_row_by_row_or_refused_by_name(
    centre: Centre, ledger: psycopg.Connection[Any], form: str
) -> None:
    mapping = mapping_of(centre, form)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(content=FORMATS[form]())
    def is_accounted_for(content: bytes) -> None:
        name = f"{next(NUMBERS)}.{form}"
        result = outcome(centre, mapping, content, name)
        lines = stored(ledger, name)
        if isinstance(result, str):
            assert result.startswith(name)
            assert lines[-1] == ("failed", result, 0, 0, 0, 0, 0, 0)
            return
        for report, line in zip(result, lines, strict=True):
            read, loaded, rejected, unchanged = counts(report)
            assert read == loaded + rejected + unchanged
            assert line == ("loaded", None, read, loaded, rejected, unchanged, loaded, rejected)
        assert rows_in(form, content) in (None, result[0].rows_read)

    is_accounted_for()


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"Статус": "Отве\x00чено"}, ["unknown_status", "nul_byte"]),
        ({"Ответ": "15.03.+12022 12:30"}, ["bad_time"]),
        ({"Ответ": "15.03.-001 12:30"}, ["bad_time"]),
    ],
)
def test_a_value_that_no_database_takes_refuses_its_row_alone(
    centre: Centre, cells: dict[str, str], codes: list[str]
) -> None:
    name = f"{next(NUMBERS)}.csv"
    [report] = load_file(
        centre.write(csv_text([row("a1", **cells), row(name)]), name), centre.mapping(), NIGHT, centre.settings
    )
    assert counts(report) == (2, 1, 1, 0)
    [refused] = centre.query(
        "select array(select why->>'code' from jsonb_array_elements(reasons) as why) as codes"
        " from raw.rejected_row order by rejected_row_id desc limit 1"
    )
    assert sorted(refused["codes"]) == sorted(codes)


@pytest.mark.parametrize("days", ["1e300", "nan", "-1", "2958466"])
def test_serial_days_that_no_workbook_has_are_no_time(centre: Centre, days: str) -> None:
    name = f"{next(NUMBERS)}.csv"
    content = csv_text([row(name, Ответ=days)])
    mapping = centre.mapping(times={"formats": ["%d.%m.%Y %H:%M", "excel"]})
    assert counts(centre.load(centre.write(content, name), mapping)) == (1, 0, 1, 0)


def test_a_ragged_row_with_a_cell_longer_than_python_reads_is_refused_alone(centre: Centre) -> None:
    name = f"{next(NUMBERS)}.csv"
    rows = [row(name), [*row("a2", Текст="а" * 200_000), "x"], row(f"{name}+")]
    assert counts(centre.load(centre.write(csv_text(rows), name))) == (3, 2, 1, 0)


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_a_column_called_like_our_own_number_of_a_row_is_a_column_like_any_other(centre: Centre, form: str) -> None:
    name = f"{next(NUMBERS)}.{form}"
    cells = [*row(name, Статус="?"), "7"]
    header = [*HEADER, "row_number"]
    if form == "csv":
        content = csv_text([cells], header).encode()
    elif form == "jsonl":
        content = json.dumps(dict(zip(header, cells, strict=True))).encode()
    else:
        content = workbook_of([header, cells])
    assert counts(centre.load(centre.write(content, name), mapping_of(centre, form))) == (1, 0, 1, 0)
    [refused] = centre.query("select original from raw.rejected_row order by rejected_row_id desc limit 1")
    assert refused["original"]["row_number#2"] == "7"


def test_half_of_a_surrogate_pair_in_json_refuses_its_line_alone(centre: Centre) -> None:
    name = f"{next(NUMBERS)}.jsonl"
    keep = ("message_id", "incident_id", "status", "received_at")
    mapping = centre.mapping(format="jsonl", fields={field: MAPPING["fields"][field] for field in keep})
    line = '{"Номер":"%s","Инцидент":"1","Статус":"Новое","Получено":"15.03.2022 10:00","x":"%s"}\n'
    content = line % (name, "\\ud83d\\ude00") + line % ("a3", "\\ud83d")
    assert counts(centre.load(centre.write(content, name), mapping)) == (2, 1, 1, 0)
