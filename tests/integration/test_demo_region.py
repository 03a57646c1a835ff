"""The made-up region goes the way of any centre's export: its files through the ordinary loader."""

import json
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import psycopg
import pytest
from upath import UPath

from otklik.demo.region import GeneratedFiles, generate
from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.settings import PROJECT, Settings
from otklik.warehouse.ledger import BatchReport

ZONE = ZoneInfo("Asia/Yekaterinburg")
BEFORE = Interval.of_days(date(2020, 11, 1), date(2022, 12, 30), ZONE)
LAST_NIGHT = Interval.of_day(date(2022, 12, 31), ZONE)

Loaded = tuple[GeneratedFiles, list[BatchReport], psycopg.Connection]


@pytest.fixture(scope="module")
def loaded(module_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The region's files, the ledger lines of loading them all, and the warehouse."""
    files = generate(tmp_path_factory.mktemp("region"))
    mapping = load_mapping(PROJECT / "otklik/demo/mappings/sverdlovsk.yml")
    nights = [*((path, BEFORE) for path in files.history), (files.night, LAST_NIGHT)]
    reports = [report for path, night in nights for report in load_file(UPath(path), mapping, night, module_warehouse)]
    with psycopg.connect(module_warehouse.dsn("engineer")) as connection:
        yield files, reports, connection


def test_exactly_the_noted_rows_are_rejected_each_for_its_reason(loaded: Loaded) -> None:
    files, reports, connection = loaded
    notes = json.loads(files.notes.read_text(encoding="utf-8"))
    rejected = connection.execute(
        """
        select batch.file_name, bad.row_number, jsonb_path_query_array(bad.reasons, '$[*].code')
        from raw.rejected_row as bad join raw.batch using (batch_id)
        """
    ).fetchall()
    codes = {(file, row): set(reasons) for file, row, reasons in rejected}
    assert set(codes) == {(note["file"], note["row_number"]) for note in notes if note["reason"]}
    assert [
        note for note in notes if note["reason"] and note["reason"] not in codes[note["file"], note["row_number"]]
    ] == []
    assert sum(report.rows_unchanged for report in reports) == sum(note["reason"] is None for note in notes)
    assert sum(report.rows_rejected for report in reports) == len(rejected)


def test_the_years_figures_come_out_of_raw_exactly(loaded: Loaded) -> None:
    _, _, connection = loaded
    figures = connection.execute(
        """
        with latest as (
            select distinct on (message_id) *
            from raw.incident order by message_id, updated_at desc, batch_id desc, row_number desc
        ),
        incident as (
            select incident_id, min(received_at) as received_at, min(first_response_at) as first_response_at
            from latest group by incident_id
        ),
        answered as (
            select extract(year from first_response_at at time zone 'Asia/Yekaterinburg')::int as year,
                   sum(extract(epoch from first_response_at - received_at)) / count(*) / 60 as minutes
            from incident where first_response_at is not null group by 1
        ),
        registered as (
            select extract(year from registered_at at time zone 'Asia/Yekaterinburg')::int as year, count(*) as messages
            from latest group by 1
        )
        select year, messages, minutes from registered join answered using (year) order by year
        """
    ).fetchall()
    assert figures == [(2020, 4_912, 430), (2021, 46_137, 206), (2022, 54_548, 148)]
    resolved = connection.execute(
        """
        select count(*) from (
            select distinct on (message_id) resolved_at
            from raw.incident order by message_id, updated_at desc, batch_id desc, row_number desc
        ) as latest
        where extract(year from resolved_at at time zone 'Asia/Yekaterinburg') = 2022
        """
    ).fetchone()
    assert resolved == (54_126,)


def test_every_loaded_row_knows_its_municipality_by_code(loaded: Loaded) -> None:
    _, _, connection = loaded
    assert connection.execute(
        "select count(*) filter (where municipality_code is null), count(distinct municipality_code) from raw.incident"
    ).fetchone() == (0, 94)
