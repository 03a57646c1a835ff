"""One file on its way: landed, read by its mapping, checked, and loaded with its ledger line in one transaction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from upath import UPath

from otklik.contracts.reasons import reason
from otklik.errors import FileError
from otklik.interval import Interval
from otklik.landing import Landed, land
from otklik.mapping import Mapping
from otklik.settings import Settings
from otklik.sources.files import Rejected, TextRows, open_members, read_rows, to_incidents
from otklik.sources.files.rows import originals
from otklik.warehouse import ledger
from otklik.warehouse.incidents import ROW_NUMBER, Contradiction, IncidentLoad
from otklik.warehouse.ledger import BatchReport, Line

ENTITY = "incident"

Progress = Callable[[int], None]
"""Told the number of rows read so far."""


def load_file(
    file: UPath, mapping: Mapping, interval: Interval, settings: Settings, progress: Progress = lambda rows: None
) -> list[BatchReport]:
    """Load a file and return its ledger lines, one for each member.

    A file loaded before by the same mapping changes nothing: its earlier line is returned. Raise FileError,
    after the ledger says so, when the file cannot be read; then none of the member's rows is loaded.
    """
    started_at = datetime.now(UTC)
    landed = land(UPath(settings.landing), mapping.source, file, interval)
    line = _line(landed, mapping)
    reports: list[BatchReport] = []
    with psycopg.connect(settings.dsn("loader"), autocommit=True) as connection:
        ledger.register_region(connection, mapping.region)
        loading = _Loading(connection, mapping, interval, settings.author_key, progress)
        try:
            for member in open_members(landed.path, landed.name, mapping.format):
                line = replace(line, file_name=member.name)
                reports.append(loading.load(line, read_rows(member, mapping)))
        except FileError as error:
            ledger.record_failure(connection, line, interval, started_at, str(error))
            raise
    return reports


@dataclass(frozen=True)
class _Loading:
    """What the load of each member of a file shares."""

    connection: psycopg.Connection[Any]
    mapping: Mapping
    interval: Interval
    author_key: str
    progress: Progress

    def load(self, line: Line, chunks: Iterator[TextRows]) -> BatchReport:
        """Load the rows and their ledger line, all or nothing."""
        with self.connection.transaction():
            ledger.lock(self.connection)
            if before := ledger.loaded_before(self.connection, line):
                return before
            batch_id = ledger.open_line(self.connection, line, self.interval, datetime.now(UTC))
            load = IncidentLoad(self.connection, batch_id, line.source, line.region_code, self.author_key)
            for rows in chunks:
                self._load_chunk(load, rows)
                self.progress(load.loaded + load.rejected + load.unchanged)
            return ledger.close_line(self.connection, batch_id, load.loaded, load.rejected, load.unchanged)

    def _load_chunk(self, load: IncidentLoad, rows: TextRows) -> None:
        known_at = self.interval.end.astimezone(UTC)
        checked = to_incidents(rows, self.mapping, known_at)
        contradictions = load.add(checked.valid, known_at)
        load.reject([*checked.rejected, *_contradicting(contradictions, rows, self.mapping)])


def _contradicting(contradictions: list[Contradiction], rows: TextRows, mapping: Mapping) -> Iterator[Rejected]:
    if contradictions:
        numbers = [row.row_number for row in contradictions]
        texts = originals(rows.frame.filter(rows.frame[ROW_NUMBER].is_in(numbers)))
        for row in contradictions:
            why = reason("duplicate_key", mapping.columns["message_id"], row.message_id, first=row.first)
            yield Rejected(row.row_number, [why], texts[row.row_number])


def _line(landed: Landed, mapping: Mapping) -> Line:
    return Line(
        source=mapping.source,
        entity=ENTITY,
        region_code=mapping.region.code,
        file_name=landed.name,
        landed_path=str(landed.path),
        content_sha256=landed.sha256,
        mapping_sha256=mapping.sha256,
        file_bytes=landed.size,
    )
