"""What residents said is kept for so many days; then it is gone, and every figure stays."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from otklik.erasure import erase
from otklik.errors import FileError
from otklik.retention import ERASED_ANSWER, Retired, retire
from tests.fixtures.files import NIGHT, ZONE, Centre, row
from tests.fixtures.told import load_told

AT = NIGHT.end
DAYS = 365
OLD = {
    "Получено": "15.02.2020 10:00",
    "Регистрация": "15.02.2020 10:05",
    "Ответ": "15.02.2020 12:30",
    "Изменено": "15.02.2020 12:30",
}
TEXT = {"Текст": "Звоните +7 912 345-67-89"}
ANSWER = {"survey_id": "s1", "response_id": "1", "question_code": "q1", "text": "Пишите на ivan@mail.ru"}


@pytest.fixture
def kept(centre: Centre) -> Centre:
    """A centre that keeps what residents said for a year."""
    return Centre(centre.settings.model_copy(update={"text_retention_days": DAYS}), centre.folder)


def messages(centre: Centre) -> list[tuple[Any, ...]]:
    """(number, author, text, masked text) of every message."""
    rows = centre.query("select message_id, author_id, message_text, masked_text from raw.incident order by 1")
    return [tuple(row.values()) for row in rows]


def landed(centre: Centre) -> list[str]:
    """The names of the files in the landing zone."""
    paths = Path(centre.settings.landing).rglob("*.csv")
    return sorted(path.name.partition("-")[2] for path in paths)


def test_a_message_older_than_that_loses_text_and_author_and_stays_a_message(kept: Centre) -> None:
    kept.load_rows(row("1", **OLD, **TEXT), row("2", **TEXT))
    [before] = kept.query("select author_hash, row_hash from raw.incident where message_id = '1'")
    assert retire(kept.settings, AT) == Retired(1, 0, 0, 0)
    assert messages(kept) == [("1", None, None, None), ("2", "vk-1", TEXT["Текст"], "Звоните [скрыто]")]
    # By it repeats are found, and the same row again is seen to be the same.
    assert kept.query("select author_hash, row_hash from raw.incident where message_id = '1'") == [before]
    again = kept.load_rows(row("1", **OLD, **TEXT), name="again.csv")
    assert (again.rows_loaded, again.rows_unchanged) == (0, 1)


def test_on_the_day_it_becomes_too_old_and_no_day_earlier(kept: Centre) -> None:
    kept.load_rows(row("1", **TEXT))
    received = datetime(2022, 3, 15, 10, 0, tzinfo=ZONE)
    assert retire(kept.settings, received + timedelta(days=DAYS)).messages == 0
    assert retire(kept.settings, received + timedelta(days=DAYS, minutes=1)).messages == 1
    assert retire(kept.settings, received + timedelta(days=DAYS, minutes=2)).messages == 0


def test_an_old_message_that_comes_late_is_erased_the_night_it_comes(kept: Centre) -> None:
    retire(kept.settings, AT)
    kept.load_rows(row("1", **OLD, **TEXT), row("2"))
    assert retire(kept.settings, AT).messages == 1
    assert messages(kept)[0] == ("1", None, None, None)


def test_open_answers_refused_rows_and_files_go_with_their_night_and_what_remains_says_so(kept: Centre) -> None:
    kept.load_rows(row("1", **TEXT), row("2", Статус="Потеряно", **TEXT))
    load_told(kept, "survey_answer", [ANSWER])
    [before] = kept.query("select reasons from raw.rejected_row")
    assert retire(kept.settings, AT) == Retired(0, 0, 0, 0)
    assert landed(kept) == ["incidents.csv"]

    # Of the answers only an address stands in the ledger, and a file that is not there is as good as deleted.
    assert retire(kept.settings, AT + timedelta(days=DAYS, minutes=1)) == Retired(1, 1, 1, 2)

    assert kept.query("select text, masked_text from raw.survey_answer") == [
        {"text": ERASED_ANSWER, "masked_text": None}
    ]
    [refused] = kept.query("select original, reasons from raw.rejected_row")
    assert refused["original"] == {}
    assert [why["code"] for why in refused["reasons"]] == [why["code"] for why in before["reasons"]]
    assert landed(kept) == []
    assert kept.query("select count(*) as files from quality.retired_file") == [{"files": 2}]


def test_a_file_of_old_messages_alone_goes_the_night_it_comes_and_does_not_come_back(kept: Centre) -> None:
    kept.load_rows(row("1", **OLD, **TEXT), name="history.csv")
    assert retire(kept.settings, AT) == Retired(1, 0, 0, 1)
    assert landed(kept) == []
    again = kept.load_rows(row("1", **OLD, **TEXT), name="history.csv")
    assert again.rows_loaded == 1  # the line of the first time
    assert landed(kept) == []
    # By another mapping it would have to be read again.
    with pytest.raises(FileError, match=r"history\.csv: this very file has landed before.*Export it anew"):
        kept.load(UPath(kept.folder / "history.csv"), kept.mapping(times={"formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}))


def test_the_answers_of_a_survey_go_with_their_file_though_its_other_rows_tell_of_nobody(kept: Centre) -> None:
    # Both are read from one landed file.
    load_told(kept, "survey_response", [{"survey_id": "s1", "response_id": "1"}])
    load_told(kept, "survey_answer", [ANSWER])
    assert retire(kept.settings, AT + timedelta(days=DAYS, minutes=1)) == Retired(0, 1, 0, 1)


def test_what_was_done_is_kept(kept: Centre) -> None:
    kept.load_rows(row("1", **OLD, **TEXT), row("2", **TEXT))
    retire(kept.settings, AT)
    assert kept.query("select kept_days, older_than, message_count, file_count from quality.retention") == [
        {"kept_days": DAYS, "older_than": AT - timedelta(days=DAYS), "message_count": 1, "file_count": 0}
    ]


def test_a_resident_can_be_erased_when_only_the_hash_is_left(kept: Centre) -> None:
    kept.load_rows(row("1", **OLD, **TEXT))
    retire(kept.settings, AT)
    assert erase("vk-1", kept.settings).versions == 1
    assert kept.query("select author_hash from raw.incident") == [{"author_hash": None}]
