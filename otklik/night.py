"""What a night's DAG asks for: which files have come, and the load of one of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath

import psycopg
from upath import UPath

from otklik.contracts.entities import ENTITIES
from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import Mapping, load_mapping, load_mappings
from otklik.places import Place
from otklik.settings import Settings
from otklik.warehouse import ledger
from otklik.warehouse.ledger import BatchReport

_PACKED = (".gz", ".zip")


@dataclass(frozen=True)
class PendingFile:
    """A file that waits to be loaded, by its address in the inbox, and the path of the mapping that reads it."""

    mapping: str
    path: str

    @property
    def name(self) -> str:
        """Return what the file is called on a screen."""
        return PurePosixPath(self.path).name

    def as_dict(self) -> dict[str, str]:
        """Return the file as a task can hand it on."""
        return asdict(self)


def pending_files(interval: Interval, settings: Settings, *, incidents: bool) -> list[PendingFile]:
    """Return the files of the inboxes that belong to the night of `interval`: of incidents, or of all else.

    Mappings come in the order of the entities: a register before what refers to it.

    A file whose name carries a date belongs to that night, whenever it is asked for. Any other belongs to
    the first night that sees it: one loaded before is passed over unless it has changed since.
    """
    inbox = Place.inbox(settings)
    inbox.check()
    order = list(ENTITIES)
    mappings = sorted(load_mappings(settings.mappings), key=lambda mapping: order.index(mapping.entities[0]))
    return [
        PendingFile(str(mapping.path), inbox.address_of(file))
        for mapping in mappings
        if ("incident" in mapping.entities) == incidents
        for file in _files_of(mapping, inbox, interval, settings)
    ]


def note_night(interval: Interval, settings: Settings, files: list[PendingFile]) -> list[str]:
    """Note how many incident files each source has brought for a night; return the sources that brought none.

    A night that is asked for again keeps what it had: files loaded before are not listed any more.
    """
    brought = Counter(file.mapping for file in files)
    mappings = [mapping for mapping in load_mappings(settings.mappings) if "incident" in mapping.entities]
    with psycopg.connect(settings.dsn("loader")) as connection:
        for mapping in mappings:
            ledger.register_region(connection, mapping.region)
            connection.execute(
                "insert into quality.night as noted (region_code, source, night, file_count) values (%s, %s, %s, %s)"
                " on conflict (region_code, source, night)"
                " do update set file_count = greatest(noted.file_count, excluded.file_count), noted_at = now()",
                (mapping.region.code, mapping.source, interval.end, brought[str(mapping.path)]),
            )
    return sorted(mapping.source for mapping in mappings if not brought[str(mapping.path)])


def load_pending(file: PendingFile, interval: Interval, settings: Settings) -> list[BatchReport]:
    """Load one file of the night; see `otklik.load.load_file`."""
    path = Place.inbox(settings).path_at(file.path)
    return load_file(path, load_mapping(Path(file.mapping)), interval, settings)


def _files_of(mapping: Mapping, inbox: Place, interval: Interval, settings: Settings) -> Iterator[UPath]:
    with inbox.named():
        folder = inbox.path / mapping.source
        found = folder.glob(mapping.files.pattern) if folder.is_dir() else iter(())
        files = sorted(file for file in found if file.is_file() and not file.name.startswith("."))
    loaded = {} if mapping.files.date else _loaded(mapping, settings)
    for file in files:
        if mapping.files.date:
            day = _date_in(file.name, mapping.files.date)
            if day is not None and interval.contains_day(day):
                yield file
        elif not _is_loaded(file, loaded):
            yield file


def _date_in(name: str, form: str) -> date | None:
    """Return the date that the name carries, or None where the name is not of this form."""
    for suffix in ("", *_PACKED):
        if name.endswith(suffix):
            try:
                return datetime.strptime(name.removesuffix(suffix), form).date()  # noqa: DTZ007 - a date has no zone
            except ValueError:
                continue
    return None


def _loaded(mapping: Mapping, settings: Settings) -> dict[tuple[str, int], datetime]:
    """Return (name, bytes) of the source's files of which every entity was loaded -> when they were read."""
    with psycopg.connect(settings.dsn("loader")) as connection:
        rows = connection.execute(
            """
            select name, file_bytes, min(read_at)
            from (
                select split_part(file_name, '/', 1) as name, file_bytes, entity, max(started_at) as read_at
                from raw.batch
                where source = %s and status = 'loaded'
                group by 1, 2, 3
            ) as read_of_entity
            group by 1, 2
            having count(*) >= %s
            """,
            [mapping.source, len(mapping.entities)],
        ).fetchall()
    return {(name, size): read_at for name, size, read_at in rows}


def _is_loaded(file: UPath, loaded: dict[tuple[str, int], datetime]) -> bool:
    facts = file.stat()
    read_at = loaded.get((file.name, facts.st_size))
    return read_at is not None and facts.st_mtime <= read_at.timestamp()
