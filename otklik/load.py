"""On the way into `raw`: what has landed is read, checked, and loaded with its ledger line in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg
from upath import UPath

from otklik.ahead import ahead
from otklik.contracts.entities import ENTITIES
from otklik.contracts.reasons import reason
from otklik.errors import FileError
from otklik.interval import Interval
from otklik.landing import GoneError, Landed, land
from otklik.layout import Layout
from otklik.mapping import Mapping
from otklik.places import Place
from otklik.record_rows import text_rows
from otklik.redaction import take_out
from otklik.settings import Settings
from otklik.sources.check import check_rows
from otklik.sources.files import Member, open_members, read_export, read_rows
from otklik.sources.records import Records
from otklik.sources.rows import ROW_NUMBER, Rejected, TextRows
from otklik.warehouse import ledger
from otklik.warehouse.authors import Authors, known_authors
from otklik.warehouse.ledger import BatchReport, Line
from otklik.warehouse.seen import SeenKeys
from otklik.warehouse.shapes import ShapeWatch
from otklik.warehouse.versions import Batch, Contradiction, Prepared, VersionLoad, prepare

# So many rows whose key a file seems to have had are kept, before the database is asked about them.
_DOUBTED = 10_000

Progress = Callable[[int], None]
"""Told the number of rows read so far."""

Finish = Callable[[VersionLoad], None]
"""What is left to do when the rows of a batch are in, inside their transaction."""


def load_file(
    file: UPath, mapping: Mapping, interval: Interval, settings: Settings, progress: Progress = lambda rows: None
) -> list[BatchReport]:
    """Load a file and return its ledger lines, one for each member and each entity it holds.

    A file loaded before by the same mapping changes nothing: its earlier line is returned. Raise FileError,
    after the ledger says so, when the file cannot be read; then none of the member's rows is loaded.
    """
    started_at = datetime.now(UTC)
    landing = Place.landing(settings)
    reports: list[BatchReport] = []
    erased: set[str] = set()
    with psycopg.connect(settings.dsn("loader"), autocommit=True) as connection:
        try:
            with landing.named():
                landed = land(landing.path, mapping.source, file, interval, ledger.gone(connection))
        except GoneError as gone:
            if before := ledger.lines_of(connection, mapping.source, gone.sha256, mapping.sha256):
                return before
            raise
        line = _line(landed, landing.address_of(landed.path), mapping)
        ledger.register_region(connection, mapping.region)
        loading = Loading(connection, interval, settings.author_keys, progress)

        def finish(load: VersionLoad) -> None:
            landed.settle()
            erased.update(load.erased)

        try:
            for member in open_members(landed.path, landed.name, mapping.format):
                line = replace(line, file_name=member.name)
                for part in _parts(member, mapping):
                    reports.append(
                        loading.load(
                            replace(line, entity=part.layout.entity.name),
                            part.layout,
                            part.rows,
                            kind=part.kind,
                            finish=finish,
                        )
                    )
        except FileError as error:
            landed.settle()
            ledger.record_failure(connection, line, interval, started_at, str(error))
            raise
        if erased:
            take_out(connection, landing, line.landed_path, erased)
    return reports


@dataclass(frozen=True)
class _Part:
    """What a member holds of one entity; the fields it came with are watched under `kind`."""

    layout: Layout
    rows: Iterable[TextRows]
    kind: str


def _parts(member: Member, mapping: Mapping) -> list[_Part]:
    if mapping.is_table:
        return [_Part(mapping.layout, read_rows(member, mapping), "file")]
    records = {each.entity: each for each in read_export(member, mapping)}
    parts = []
    # All of them, so that a load broken off between two is seen to be.
    for entity in (ENTITIES[name] for name in mapping.entities):
        found = records.get(entity.name, Records(entity.name, f"{mapping.format}.{entity.name}", []))
        parts.append(_Part(Layout.plain(entity), text_rows(entity, [found]), found.kind))
    return parts


@dataclass(frozen=True)
class Loading:
    """What the loads of one landed file share. `known_at` is the end of its night unless it is told otherwise."""

    connection: psycopg.Connection[Any]
    interval: Interval
    author_keys: Sequence[str]
    progress: Progress = lambda rows: None
    came_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """Return the moment (UTC) after which nothing can have happened yet."""
        return (self.came_at or self.interval.end).astimezone(UTC)

    def load(
        self, line: Line, layout: Layout, chunks: Iterable[TextRows], *, kind: str, finish: Finish = lambda load: None
    ) -> BatchReport:
        """Load the rows and their ledger line, all or nothing; the source's fields are watched under `kind`."""
        with self.connection.transaction():
            ledger.lock(self.connection)
            if before := ledger.loaded_before(self.connection, line):
                return before
            batch_id = ledger.open_line(self.connection, line, self.interval, self.known_at)
            batch = Batch(batch_id, line.source, line.region_code, layout.entity)
            authors = known_authors(self.connection, self.author_keys)
            load = VersionLoad(self.connection, batch, authors)
            watch = ShapeWatch(kind)
            doubted: list[TextRows] = []
            # Two steps ahead: one chunk is parsed and one is checked while the database takes in a third.
            for chunk in ahead(self._chunks(ahead(chunks), layout, batch, watch, authors)):
                load.add(chunk.prepared, self.known_at)
                load.reject(chunk.rejected, layout)
                if chunk.refused is not None:
                    load.note_refused(chunk.refused)
                doubted.append(chunk.doubted)
                if load.unsettled > _DOUBTED:
                    load.reject(_contradicting(load.settle(), doubted, layout), layout)
                    doubted.clear()
                self.progress(load.loaded + load.rejected + load.unchanged)
                del chunk
            load.reject(_contradicting(load.settle(), doubted, layout), layout)
            load.close_groups(self.known_at)
            finish(load)
            watch.record(self.connection, line, batch_id)
            return ledger.close_line(self.connection, batch_id, load)

    def _chunks(
        self, chunks: Iterable[TextRows], layout: Layout, batch: Batch, watch: ShapeWatch, authors: Authors
    ) -> Iterable["_Chunk"]:
        seen = SeenKeys()

        def ready(rows: TextRows) -> _Chunk:
            watch.see(rows)
            checked = check_rows(rows, layout, self.known_at)
            prepared = prepare(checked.valid, batch, seen, self.known_at, authors)
            return _Chunk(
                prepared,
                checked.rejected,
                layout.keys(rows.frame, [row.row_number for row in checked.rejected]) if layout.entity.group else None,
                rows.only(prepared.again[ROW_NUMBER].to_list()),
            )

        # Not a generator, which would keep the chunk before in memory while it waits for the next.
        return map(ready, chunks)


@dataclass(frozen=True)
class _Chunk:
    """Rows ready for the database; `doubted` is the text of those in doubt.

    `refused` are the keys of those rejected, where the rows of the entity come in groups.
    """

    prepared: Prepared
    rejected: list[Rejected]
    refused: pl.DataFrame | None
    doubted: TextRows


def _contradicting(contradictions: list[Contradiction], doubted: list[TextRows], layout: Layout) -> Iterator[Rejected]:
    """Yield the rows that contradict an earlier one as refused; `doubted` has the text of each."""
    first = dict(contradictions)
    # A part of the key may be the same for the whole file, and then it has no column.
    columns = [layout.columns[name] for name in layout.entity.key if name in layout.columns]
    for rows in doubted if first else []:
        keys = {number: key for number, *key in rows.frame.select(ROW_NUMBER, *columns).iter_rows()}
        for number, original in rows.originals([number for number in keys if number in first]).items():
            key = ", ".join(part for part in keys[number] if part)
            yield Rejected(number, [reason("duplicate_key", columns[0], key, first=first[number])], original)


def _line(landed: Landed, address: str, mapping: Mapping) -> Line:
    return Line(
        source=mapping.source,
        entity=mapping.entities[0],
        region_code=mapping.region.code,
        file_name=landed.name,
        landed_path=address,
        content_sha256=landed.sha256,
        mapping_sha256=mapping.sha256,
        file_bytes=landed.size,
    )
