"""What is wrong with a file or a row is said by name, and nothing else is lost for it."""

import gzip
import io
import zipfile

import pytest
from upath import UPath

from otklik.errors import FileError
from otklik.interval import Interval
from otklik.load import load_file
from otklik.night import load_pending, pending_files
from tests.fixtures.files import HEADER, MAPPING, NIGHT, ZONE, Centre, counts, csv_text, row

GOOD = csv_text([row(str(number)) for number in range(1, 2_001)])
CFB = bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 2_048  # what Office wraps a protected workbook in


def refusal(centre: Centre, content: bytes | str, name: str = "incidents.csv", **changes: object) -> str:
    """Load a file that cannot be read; return the error after checking that the ledger tells it too."""
    mapping = centre.mapping(**changes)
    with pytest.raises(FileError) as caught:
        load_file(centre.write(content, name), mapping, NIGHT, centre.settings)
    assert centre.query("select status, error, rows_read from raw.batch") == [
        {"status": "failed", "error": str(caught.value), "rows_read": 0}
    ]
    assert centre.query("select count(*) as n from raw.incident") == [{"n": 0}]
    return str(caught.value)


def test_a_missing_file_is_named(centre: Centre) -> None:
    with pytest.raises(FileError, match=r"absent\.csv: there is no such file as /.*absent\.csv"):
        load_file(UPath(centre.folder / "absent.csv"), centre.mapping(), NIGHT, centre.settings)


@pytest.mark.parametrize("content", ["", "\r\n\r\n"], ids=["no bytes", "only line ends"])
def test_an_empty_file_is_refused(centre: Centre, content: str) -> None:
    assert "incidents.csv: the file is empty" in refusal(centre, content)


def test_a_file_of_a_header_alone_is_a_load_of_no_rows(centre: Centre) -> None:
    assert counts(centre.load(centre.write(csv_text([])))) == (0, 0, 0, 0)


def test_a_file_without_its_header_is_refused(centre: Centre) -> None:
    error = refusal(centre, csv_text([row("2")], header=row("1")))
    assert error.startswith("incidents.csv: row 1 is not the header: none of the mapped columns is in «1;1;Отвечено;")
    assert "centre.yml" in error


def test_a_mapped_column_that_is_absent_is_named_with_its_field_and_mapping(centre: Centre) -> None:
    header = ["Дата ответа" if name == "Ответ" else name for name in HEADER]
    error = refusal(centre, csv_text([row("1")], header=header))
    assert error.startswith("incidents.csv: row 1 lacks column «Ответ» (first_response_at), which ")
    assert error.endswith("centre.yml names; mend the export or the mapping")


def test_a_column_named_twice_is_refused(centre: Centre) -> None:
    error = refusal(centre, csv_text([[*row("1"), "x"]], header=[*HEADER, "Ответ"]))
    assert "row 1 names column «Ответ» twice" in error


def test_a_header_in_another_encoding_than_declared_is_told(centre: Centre) -> None:
    error = refusal(centre, GOOD.encode("cp1251"), csv={"delimiter": ";", "encoding": "utf-8"})
    assert "row 1 is not in encoding utf-8" in error
    assert "set csv.encoding" in error


def test_rows_in_another_encoding_than_declared_name_row_and_column(centre: Centre) -> None:
    latin = ["n", "i", "s", "r", "g", "a", "u", "m", "w", "t"]
    fields = {
        field: (
            spec | {"column": latin[HEADER.index(spec["column"])]}
            if isinstance(spec, dict)
            else latin[HEADER.index(spec)]
        )
        for field, spec in MAPPING["fields"].items()
    }
    content = csv_text([row(str(n)) for n in range(1, 5)], header=latin).encode("cp1251")
    error = refusal(centre, content, fields=fields, csv={"delimiter": ";", "encoding": "utf-8"})
    assert "not in encoding utf-8: row 2, column «s»: \\xce\\xf2" in error


def test_a_row_with_stray_bytes_is_rejected_and_the_others_loaded(centre: Centre) -> None:
    content = (
        csv_text([row("1"), row("2", Текст="яма ЗДЕСЬ"), row("3")]).encode().replace("ЗДЕСЬ".encode(), b"\xc7\xc4")
    )
    mapping = centre.mapping(csv={"delimiter": ";", "encoding": "utf-8"})
    assert counts(centre.load(centre.write(content), mapping)) == (3, 2, 1, 0)
    assert centre.rejections() == [(3, "bad_encoding", "Текст")]
    [rejected] = centre.query("select original->>'Текст' as text from raw.rejected_row")
    assert rejected["text"] == "яма \\xc7\\xc4"


def test_ragged_rows_are_rejected_with_what_they_held(centre: Centre) -> None:
    rows = [row("1"), row("2")[:4], row("3"), [*row("4"), "лишнее"], row("5")]
    assert counts(centre.load_rows(*rows)) == (5, 3, 2, 0)
    assert centre.rejections() == [(3, "ragged_row", None), (5, "ragged_row", None)]
    short, long = centre.query(
        "select original, reasons->0->>'message' as message from raw.rejected_row order by row_number"
    )
    assert short["original"] == {"Номер": "2", "Инцидент": "2", "Статус": "Отвечено", "Получено": "15.03.2022 10:00"}
    assert short["message"].startswith("В строке столбцов: 4, в заголовке: 10")
    assert long["original"]["#11"] == "лишнее"
    loaded = centre.query("select row_number, message_id from raw.incident order by row_number")
    assert [tuple(r.values()) for r in loaded] == [(2, "1"), (4, "3"), (6, "5")]


def test_ragged_rows_far_apart_keep_the_numbers_of_all_rows_right(centre: Centre) -> None:
    # Long texts spread the rows over several blocks of the reader.
    rows = [row(str(n), Текст="т" * 4_000) if n % 500 else row(str(n))[:3] for n in range(1, 6_001)]
    report = centre.load_rows(*rows)
    assert counts(report) == (6_000, 5_988, 12, 0)
    assert [number for number, _, _ in centre.rejections()] == [n + 1 for n in range(500, 6_001, 500)]
    assert centre.query("select count(*) as n from raw.incident where row_number <> message_id::int + 1") == [{"n": 0}]


def test_a_quote_that_never_closes_loses_no_row_in_silence(centre: Centre) -> None:
    text = csv_text([row("1"), row("2", Текст='"Не горит'), row("3")])
    report = centre.load(centre.write(text))
    assert counts(report) == (2, 1, 1, 0)
    assert centre.rejections() == [(3, "open_quote", None)]
    [rejected] = centre.query("select original->>'Текст' as text from raw.rejected_row")
    assert "3;3;Отвечено" in rejected["text"]


@pytest.mark.parametrize(("before", "where"), [(0, ": straddling"), (90_000, ": at row [0-9]{5} or after it: ")])
def test_a_row_too_large_for_any_message_is_told_by_where_it_is(centre: Centre, before: int, where: str) -> None:
    rows = [*(row(str(number)) for number in range(before)), row("x", Текст="ы" * (10 << 20))]
    with pytest.raises(FileError, match=f"incidents.csv: not readable as CSV{where}.*more than . MB"):
        centre.load_rows(*rows)
    assert centre.query("select status, rows_read from raw.batch") == [{"status": "failed", "rows_read": 0}]
    assert centre.query("select 1 from raw.incident") == []


def test_a_lone_quote_inside_a_text_is_part_of_the_text(centre: Centre) -> None:
    assert counts(centre.load_rows(row("1"), row("2", Текст='труба 5" течёт'))) == (2, 2, 0, 0)
    assert centre.query("select message_text as t from raw.incident where message_id = '2'") == [
        {"t": 'труба 5" течёт'}
    ]


@pytest.mark.parametrize("packed", ["incidents.csv.gz", "incidents.zip"])
def test_an_archive_cut_off_is_refused(centre: Centre, packed: str) -> None:
    if packed.endswith(".gz"):
        whole = gzip.compress(GOOD.encode(), mtime=0)
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("incidents.csv", GOOD)
        whole = buffer.getvalue()
    error = refusal(centre, whole[: len(whole) * 2 // 3], packed)
    assert error.startswith(f"{packed}: the archive is cut off or damaged")
    assert error.endswith("copy it again from the source")


def test_a_protected_workbook_is_refused(centre: Centre) -> None:
    error = refusal(centre, CFB, "incidents.xlsx", format="xlsx")
    assert error.startswith("incidents.xlsx: the workbook is protected by a password or is an old .xls")


def test_a_workbook_that_is_none_is_refused(centre: Centre) -> None:
    assert "incidents.xlsx: not a workbook" in refusal(centre, GOOD, "incidents.xlsx", format="xlsx")


def test_a_broken_line_of_json_is_rejected_alone(centre: Centre) -> None:
    lines = '{"Номер": "1", "Инцидент"\n[1, 2]\n'
    good = '{"Номер":"1","Инцидент":"1","Статус":"Новое","Получено":"15.03.2022 10:00"}\n'
    keep = ("message_id", "incident_id", "status", "received_at")
    fields = {field: MAPPING["fields"][field] for field in keep}
    mapping = centre.mapping(format="jsonl", fields=fields)
    assert counts(centre.load(centre.write(lines + good, "i.jsonl"), mapping)) == (3, 1, 2, 0)
    assert centre.rejections() == [(1, "bad_json", None), (2, "bad_json", None)]


def test_json_lines_may_leave_out_what_is_unknown_but_not_what_is_required(centre: Centre) -> None:
    line = '{"Номер":"1","Инцидент":"1","Статус":"Новое","Получено":"15.03.2022 10:00"}'
    assert counts(centre.load(centre.write(line, "i.jsonl"), centre.mapping(format="jsonl"))) == (1, 1, 0, 0)
    with pytest.raises(FileError, match=r"no line has key «Получено» \(received_at\), which /.*centre\.yml names"):
        centre.load(
            centre.write('{"Номер":"2","Инцидент":"2","Статус":"Новое"}', "i.jsonl"), centre.mapping(format="jsonl")
        )


def test_two_date_formats_in_one_column_reject_the_one_the_mapping_does_not_name(centre: Centre) -> None:
    assert counts(centre.load_rows(row("1"), row("2", Получено="2022-03-15 10:00"))) == (2, 1, 1, 0)
    assert centre.rejections() == [(3, "bad_time", "Получено")]
    [rejected] = centre.query(
        "select reasons->0->>'message' as message, reasons->0->>'value' as value from raw.rejected_row"
    )
    assert rejected["value"] == "2022-03-15 10:00"
    assert "times.formats" in rejected["message"]


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"Ответ": "15.03.2022 10:01"}, "answered_before_registered", "Ответ"),
        ({"Регистрация": "15.03.2022 09:59"}, "registered_before_received", "Регистрация"),
        ({"Ответ": "16.03.2032 10:00"}, "in_future", "Ответ"),
        ({"Статус": "На Марсе"}, "unknown_status", "Статус"),
        ({"Муниципалитет": "Город Зеро"}, "unknown_municipality", "Муниципалитет"),
        ({"Номер": ""}, "missing", "Номер"),
        ({"Получено": ""}, "missing", "Получено"),
        ({"Получено": "вчера"}, "bad_time", "Получено"),
        ({"Текст": "а" * 1_048_576}, "too_long", "Текст"),
        ({"Текст": "яма\x00яма"}, "nul_byte", "Текст"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_others_are_loaded(
    centre: Centre, cells: dict[str, str], code: str, column: str
) -> None:
    bad = dict(zip(HEADER, row("2"), strict=True)) | cells
    assert counts(centre.load_rows(row("1"), list(bad.values()), row("3"))) == (3, 2, 1, 0)
    assert centre.rejections() == [(3, code, column)]
    [rejected] = centre.query("select original from raw.rejected_row")
    assert rejected["original"] == {name: value.replace("\x00", "␀") for name, value in bad.items()}


def test_answered_before_received_breaks_both_rules_it_breaks(centre: Centre) -> None:
    centre.load_rows(row("1", Ответ="15.03.2022 09:00"))
    assert centre.rejections() == [(2, "answered_before_received", "Ответ"), (2, "answered_before_registered", "Ответ")]


def test_a_reason_never_repeats_personal_data(centre: Centre) -> None:
    centre.load_rows(row("1", Текст="мой телефон 12345\x00"))
    [rejected] = centre.query("select reasons::text as reasons from raw.rejected_row")
    assert "12345" not in rejected["reasons"]


def test_a_duplicate_key_in_one_file_is_unchanged_a_version_or_a_contradiction(centre: Centre) -> None:
    rows = [
        row("1"),
        row("1"),  # the same again
        row("1", Изменено="15.03.2022 18:00", Текст="дополнено"),  # a later version
        row("1", Текст="иначе"),  # the same version told otherwise
    ]
    assert counts(centre.load_rows(*rows)) == (4, 2, 1, 1)
    assert centre.rejections() == [(5, "duplicate_key", "Номер")]
    [rejected] = centre.query(
        "select reasons->0->>'message' as message, original->>'Текст' as text from raw.rejected_row"
    )
    assert rejected["message"].startswith("Ключ «1» уже есть в строке 2 этого файла")
    assert rejected["text"] == "иначе"


def test_one_bad_file_does_not_stop_the_others_of_the_night(centre: Centre) -> None:
    mapping = centre.mapping()
    settings = centre.settings.model_copy(update={"mappings": (centre.folder,), "inbox": centre.folder / "inbox"})
    inbox = settings.inbox / mapping.source
    inbox.mkdir(parents=True)
    (inbox / "1.csv").write_text(csv_text([row("1")]))
    (inbox / "2.csv").write_text("")
    (inbox / "3.csv").write_text(csv_text([row("3")]))
    outcomes = []
    for file in pending_files(NIGHT, settings, incidents=True):
        try:
            outcomes += [report.rows_loaded for report in load_pending(file, NIGHT, settings)]
        except FileError as error:
            outcomes.append(str(error).split(":")[0])
    assert outcomes == [1, "2.csv", 1]
    # The next night only the failed one waits still, and again if someone mends another.
    assert [file.name for file in pending_files(NIGHT, settings, incidents=True)] == ["2.csv"]
    (inbox / "3.csv").write_text(csv_text([row("3"), row("4")]))
    assert [file.name for file in pending_files(NIGHT, settings, incidents=True)] == ["2.csv", "3.csv"]


def test_a_file_whose_name_carries_a_date_belongs_to_that_night_only(centre: Centre) -> None:
    from datetime import date

    mapping = centre.mapping(files={"date": "incidents_%Y-%m-%d.csv"})
    settings = centre.settings.model_copy(update={"mappings": (centre.folder,), "inbox": centre.folder / "inbox"})
    inbox = settings.inbox / mapping.source
    inbox.mkdir(parents=True)
    for name in ("incidents_2022-03-14.csv", "incidents_2022-03-15.csv.gz", "incidents_2022-03-16.csv", "other.csv"):
        (inbox / name).write_text("x")
    assert [file.name for file in pending_files(NIGHT, settings, incidents=True)] == ["incidents_2022-03-15.csv.gz"]
    three = Interval.of_days(date(2022, 3, 14), date(2022, 3, 16), ZONE)
    assert len(pending_files(three, settings, incidents=True)) == 3
