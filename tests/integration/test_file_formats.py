"""Every form in which an export may come gives the same rows."""

import datetime as dt
import gzip
import io
import json
import zipfile
from typing import Any

import openpyxl
import pytest
from upath import UPath

from otklik.load import load_file
from tests.fixtures.files import HEADER, MAPPING, NIGHT, Centre, counts, csv_text, row

ROWS = [row("1", Текст="Яма; «на дороге»\nу дома"), row("2", Ответ="", Муниципалитет="", Автор="")]

# 15.03.2022 10:00 in Yekaterinburg (UTC+5) is 05:00 UTC.
STORED = [
    {
        "message_id": "1",
        "status": "answered",
        "municipality_code": "65720000",
        "received": "2022-03-15 05:00:00+00",
        "answered": "2022-03-15 07:30:00+00",
        "message_text": "Яма; «на дороге»\nу дома",
    },
    {
        "message_id": "2",
        "status": "answered",
        "municipality_code": None,
        "received": "2022-03-15 05:00:00+00",
        "answered": None,
        "message_text": "Не горит фонарь",
    },
]


def stored(centre: Centre) -> list[dict[str, Any]]:
    return centre.query(
        "select message_id, status, municipality_code, received_at::text as received,"
        " first_response_at::text as answered, message_text from raw.incident order by message_id"
    )


def quoted_csv(delimiter: str = ";", end: str = "\r\n") -> str:
    lines = [HEADER, *([f'"{cell}"' for cell in cells] for cells in ROWS)]
    return "".join(delimiter.join(cells) + end for cells in lines)


def workbook(typed_dates: bool = False) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    for cells in ROWS:
        sheet.append([as_date(cell) if typed_dates else cell for cell in cells])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def as_date(cell: str) -> Any:
    try:
        # A workbook's dates have no zone.
        return dt.datetime.strptime(cell, "%d.%m.%Y %H:%M")  # noqa: DTZ007
    except ValueError:
        return cell or None


def zipped(name: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, content)
    return archive.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("declared", ["auto", "as written"])
def test_a_csv_is_read_in_its_encoding_told_or_found(centre: Centre, encoding: str, declared: str) -> None:
    mapping = centre.mapping(csv={"delimiter": ";", "encoding": "auto" if declared == "auto" else encoding})
    assert counts(centre.load(centre.write(quoted_csv().encode(encoding)), mapping)) == (2, 2, 0, 0)
    assert stored(centre) == STORED


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_may_have_any_delimiter(centre: Centre, delimiter: str) -> None:
    mapping = centre.mapping(csv={"delimiter": delimiter})
    centre.load(centre.write(quoted_csv(delimiter)), mapping)
    assert stored(centre) == STORED


def test_mixed_line_ends_are_all_line_ends(centre: Centre) -> None:
    text = csv_text([row("1")], end="\r\n") + ";".join(row("2")) + "\n" + ";".join(row("3")) + "\r" + ";".join(row("4"))
    assert counts(centre.load(centre.write(text))) == (4, 4, 0, 0)


def test_a_gzipped_and_a_zipped_file_are_opened(centre: Centre) -> None:
    packed = gzip.compress(quoted_csv().encode())
    centre.load(centre.write(packed, "incidents.csv.gz"))
    assert stored(centre) == STORED
    [report] = load_file(
        centre.write(zipped("часть.csv", quoted_csv().encode()), "a.zip"), centre.mapping(), NIGHT, centre.settings
    )
    assert (report.file_name, counts(report)) == ("a.zip/часть.csv", (2, 0, 0, 2))


def test_each_member_of_a_zip_has_its_own_ledger_line(centre: Centre) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("march.csv", csv_text([row("1")]))
        file.writestr("april.csv", csv_text([row("2"), row("3")]))
    reports = load_file(centre.write(archive.getvalue(), "all.zip"), centre.mapping(), NIGHT, centre.settings)
    assert [(report.file_name, report.rows_loaded) for report in reports] == [
        ("all.zip/march.csv", 1),
        ("all.zip/april.csv", 2),
    ]


@pytest.mark.parametrize("typed_dates", [False, True], ids=["dates as text", "dates as dates"])
def test_a_workbook_is_read(centre: Centre, typed_dates: bool) -> None:
    formats = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"]
    mapping = centre.mapping(format="xlsx", times={"formats": formats})
    centre.load(centre.write(workbook(typed_dates), "incidents.xlsx"), mapping)
    assert stored(centre) == STORED


def test_dates_as_excel_numbers_are_days_since_1900(centre: Centre) -> None:
    # 44635 is 15 March 2022; 10:00 is 10/24 of a day, 12:00 is half of it, 18:00 three quarters.
    cells = row("1", Получено=str(44635 + 10 / 24), Регистрация="44635.5", Ответ="44635.5", Изменено="44635.75")
    mapping = centre.mapping(times={"formats": ["%d.%m.%Y %H:%M", "excel"]})
    centre.load(centre.write(csv_text([cells])), mapping)
    [moments] = centre.query(
        "select received_at::text as r, registered_at::text as g, updated_at::text as u from raw.incident"
    )
    assert list(moments.values()) == ["2022-03-15 05:00:00+00", "2022-03-15 07:00:00+00", "2022-03-15 13:00:00+00"]


def test_json_lines_are_read(centre: Centre) -> None:
    lines = "\n".join(json.dumps(dict(zip(HEADER, cells, strict=True)), ensure_ascii=False) for cells in ROWS)
    mapping = centre.mapping(format="jsonl")
    assert counts(centre.load(centre.write(lines + "\n\n", "incidents.jsonl"), mapping)) == (2, 2, 0, 0)
    assert stored(centre) == STORED


def test_two_date_formats_in_one_column_are_both_read_when_the_mapping_names_both(centre: Centre) -> None:
    rows = [row("1"), row("2", Получено="2022-03-15T10:00:00")]
    mapping = centre.mapping(times={"formats": ["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S"]})
    assert counts(centre.load(centre.write(csv_text(rows)), mapping)) == (2, 2, 0, 0)
    assert [r["received"] for r in stored(centre)] == ["2022-03-15 05:00:00+00"] * 2


def test_a_moment_with_its_own_offset_needs_no_zone(centre: Centre) -> None:
    fields = {
        key: value
        for key, value in MAPPING["fields"].items()
        if key not in ("registered_at", "updated_at", "first_response_at")
    }
    mapping = centre.mapping(times={"formats": ["%Y-%m-%dT%H:%M:%S%z"]}, fields=fields)
    centre.load(centre.write(csv_text([row("1", Получено="2022-03-15T10:00:00+03:00")])), mapping)
    assert centre.query("select received_at::text as r from raw.incident") == [{"r": "2022-03-15 07:00:00+00"}]


def test_authors_are_hashed_with_the_key_and_unknown_ones_stay_unknown(centre: Centre) -> None:
    import hashlib
    import hmac

    centre.load_rows(row("1", Автор="vk-1"), row("2", Автор="vk-1"), row("3", Автор=""))
    expected = hmac.new(centre.settings.author_key.encode(), b"vk-1", hashlib.sha256).hexdigest()
    hashes = centre.query("select author_hash from raw.incident order by message_id")
    assert [r["author_hash"] for r in hashes] == [expected, expected, None]


def test_a_landed_file_keeps_its_bytes(centre: Centre) -> None:
    file = centre.write(csv_text([row("1")]))
    centre.load(file)
    [line] = centre.query("select landed_path, content_sha256, file_bytes from raw.batch")
    landed = UPath(line["landed_path"])
    assert landed.read_bytes() == file.read_bytes()
    assert landed.parent.name == "2022-03-15"
    assert line["file_bytes"] == len(file.read_bytes())
