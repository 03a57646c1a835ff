"""One resident taken out of everything that was written, and not brought back by the same file."""

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from otklik.erasure import ErasureError, erase
from otklik.interval import Interval
from otklik.settings import Settings
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.files import ZONE, Centre, csv_text, row

AUTHOR, OTHER = "vk-resident-77001", "vk-resident-770011"
PHONE, TEXT = "+7 912 345-67-89", "Не горит фонарь у дома 5"
MARTS = ("fct_message", "fct_incident", "mart_repeat_and_reopened")
LATER = Interval.of_day(date(2022, 3, 16), ZONE)
OF_ONE = {"Автор": AUTHOR, "Текст": f"{TEXT}, звоните {PHONE}"}


@pytest.fixture
def centre(cluster: Settings, seeded: str, tmp_path: Path) -> Iterator[Centre]:
    """A centre with two residents, one of them in two files and in a refused row; built in place."""
    with fresh_warehouse(cluster, seeded) as settings:
        centre = Centre(settings, tmp_path)
        centre.load_rows(row("1", **OF_ONE), row("2", Автор=OTHER), row("9", Статус="Потеряно", **OF_ONE))
        packed = gzip.compress(csv_text([row("3", **OF_ONE)]).encode("utf-8"))
        centre.load(centre.write(packed, "more.csv.gz"))
        TestWarehouse(settings).model(marts=MARTS)
        yield centre


def everything(centre: Centre) -> str:
    """All that is kept: every row of every table, and every file, unpacked."""
    tables = centre.query(
        "select nspname, relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
        " where relkind in ('r', 'v') and nspname in"
        " ('raw', 'quality', 'staging', 'intermediate', 'marts') and relname <> 'alembic_version'"
    )
    said: list[Any] = []
    with psycopg.connect(centre.settings.dsn("engineer")) as connection:
        for table in tables:
            place = sql.Identifier(table["nspname"], table["relname"])
            said += connection.execute(sql.SQL("select * from {}").format(place)).fetchall()
    for path in Path(centre.settings.landing).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            said.append((gzip.decompress(content) if path.suffix == ".gz" else content).decode())
    return "\n".join(map(str, said))


def test_a_resident_is_taken_out_of_all_that_is_kept_and_the_others_stay(centre: Centre) -> None:
    assert [word for word in (AUTHOR, PHONE, TEXT) if word not in everything(centre)] == []
    [gone] = centre.query("select distinct author_hash from raw.incident where message_id in ('1', '3')")

    done = erase(AUTHOR, centre.settings)

    assert (done.versions, done.rejected, done.files, done.rows) == (2, 1, 2, 2)
    kept = everything(centre)
    assert [word for word in (f"{AUTHOR}'", f"{AUTHOR};", PHONE, TEXT) if word in kept] == []
    assert OTHER in kept
    hashes = centre.query("select message_id, author_hash is null as erased from marts.fct_message order by 1")
    assert [row["erased"] for row in hashes] == [True, False, True]
    # The keyed hash stays in raw alone, so that what comes of the resident again is known.
    assert centre.query("select author_hash from raw.erased_author") == [gone]


def test_that_it_was_done_is_kept_and_not_for_whom(centre: Centre) -> None:
    erase(AUTHOR, centre.settings)
    record = centre.query("select version_count, rejected_count, file_count from quality.erasure")
    assert record == [{"version_count": 2, "rejected_count": 1, "file_count": 2}]
    files = centre.query("select sha256_before <> sha256_after as changed from quality.erased_file")
    assert files == [{"changed": True}, {"changed": True}]


def test_the_same_file_again_does_not_bring_the_resident_back(centre: Centre) -> None:
    erase(AUTHOR, centre.settings)
    report = centre.load_rows(row("1", **OF_ONE), name="again.csv", night=LATER)
    assert (report.rows_loaded, report.rows_unchanged) == (0, 1)
    centre.load_rows(row("4", **OF_ONE), name="new.csv", night=LATER)
    new = centre.query(
        "select author_id, author_hash, message_text, masked_text from raw.incident where message_id = '4'"
    )
    assert new == [{"author_id": None, "author_hash": None, "message_text": None, "masked_text": None}]


def test_a_file_that_comes_later_is_kept_without_the_resident(centre: Centre) -> None:
    erase(AUTHOR, centre.settings)
    report = centre.load_rows(
        row("4", **OF_ONE), row("5", Автор=OTHER), row("9", Статус="Потеряно", **OF_ONE), name="new.csv", night=LATER
    )
    assert (report.rows_loaded, report.rows_rejected) == (2, 1)
    kept = everything(centre)
    assert [word for word in (f"{AUTHOR}'", f"{AUTHOR};", PHONE, TEXT) if word in kept] == []
    assert OTHER in kept
    [refused] = centre.query("select original, reasons from raw.rejected_row order by rejected_row_id desc limit 1")
    assert refused["original"] == {}
    assert [(why["code"], why["message"]) for why in refused["reasons"]] == [
        ("unknown_status", "Удалено по просьбе жителя")
    ]


def test_the_very_file_that_was_rewritten_does_not_land_again(centre: Centre) -> None:
    erase(AUTHOR, centre.settings)
    files = (centre.folder / "incidents.csv", centre.folder / "more.csv.gz")
    for path in files:
        centre.load(centre.write(path.read_bytes(), path.name), night=LATER)
    assert PHONE not in everything(centre)


def test_one_whose_only_message_was_refused_is_taken_out_and_does_not_come_back(centre: Centre) -> None:
    centre.load_rows(row("7", Статус="Потеряно", Автор="vk-refused-5", Текст=TEXT), name="refused.csv")
    assert erase("vk-refused-5", centre.settings).rejected == 1
    centre.load_rows(row("8", Автор="vk-refused-5", Текст="Снова"), name="later.csv", night=LATER)
    assert "vk-refused-5" not in everything(centre)
    assert "Снова" not in everything(centre)


def test_who_is_not_there_is_said_not_to_be_and_nothing_changes(centre: Centre) -> None:
    before = everything(centre)
    with pytest.raises(ErasureError, match="No message and no refused row is of an author with that id"):
        erase("vk-resident-1", centre.settings)
    assert everything(centre) == before
