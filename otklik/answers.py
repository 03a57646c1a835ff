"""What a system has answered, on its way into `raw`: landed, read into records, loaded entity by entity."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from otklik.contracts.entities import ENTITIES
from otklik.contracts.entity import Entity
from otklik.interval import Interval
from otklik.landing import Landed, land_answers, landed_answers, read_answers
from otklik.layout import Layout
from otklik.load import Loading
from otklik.places import Place
from otklik.record_rows import text_rows
from otklik.redaction import take_out
from otklik.settings import Settings
from otklik.sources.records import Answer, Listing, Records
from otklik.sources.rows import storable
from otklik.sources.systems import System
from otklik.warehouse import ledger
from otklik.warehouse.ledger import BatchReport, Line
from otklik.warehouse.versions import VersionLoad

# Raised when the way of reading changes, so that what has landed can be read anew.
READING = "1"


@dataclass(frozen=True)
class Told:
    """What became of one landed file: its ledger lines, and what the system gave no answer to."""

    reports: list[BatchReport]
    troubles: list[str]


@dataclass(frozen=True)
class AnswerLoad:
    """The answers of one system about one region in one night."""

    system: System
    region_code: str
    interval: Interval
    settings: Settings

    def land_and_load(self, part: str, answers: Iterable[Answer]) -> Told:
        """Land the answers to one part of the night's questions, then load what they say."""
        with self._zone.named():
            landed = land_answers(self._zone.path, self.system.name, part, answers, self.interval)
        return self.load(landed)

    def load_left_over(self, part: str) -> list[Told]:
        """Load what has landed of a part of this night and was not loaded, because the run was broken off then."""
        with self._zone.named():
            landed = landed_answers(self._zone.path, self.system.name, part, self.interval)
        with psycopg.connect(self.settings.dsn("loader")) as connection:
            left = [each for each in landed if not self._is_loaded(connection, each)]
        return [self.load(each) for each in left]

    def load(self, landed: Landed) -> Told:
        """Load a landed file of answers, a ledger line an entity; loaded before, it changes nothing."""
        answers = list(read_answers(landed))
        told = list(self.system.read(answers))
        came_at = max([self.interval.end, *(answer.answered_at for answer in answers)])
        with psycopg.connect(self.settings.dsn("loader"), autocommit=True) as connection:
            ledger.require_region(connection, self.region_code, self.system.name)
            loading = Loading(connection, self.interval, self.settings.author_keys, came_at=came_at)
            erased: set[str] = set()
            reports = [
                self._load_entity(loading, landed, ENTITIES[name], told, erased) for name in self.system.entities
            ]
            if erased:
                take_out(connection, self._zone, self._zone.address_of(landed.path), erased)
        return Told(reports, [_trouble(answer) for answer in answers if answer.trouble])

    def _load_entity(
        self, loading: Loading, landed: Landed, entity: Entity, told: list[Records | Listing], erased: set[str]
    ) -> BatchReport:
        """Load what the answers say of an entity; words of erased residents that they hold are added to `erased`."""
        records = [each for each in told if isinstance(each, Records) and each.entity == entity.name]
        listings = [each for each in told if isinstance(each, Listing) and each.entity == entity.name]

        def finish(load: VersionLoad) -> None:
            erased.update(load.erased)
            for each in listings:
                load.delete_absent(dict(each.scope), each.key, each.keys, loading.known_at)

        kind = records[0].kind if records else f"{self.system.name}.{entity.name}"
        rows = text_rows(entity, records)
        return loading.load(self._line(landed, entity), Layout.plain(entity), rows, kind=kind, finish=finish)

    def _line(self, landed: Landed, entity: Entity) -> Line:
        return Line(
            source=self.system.name,
            entity=entity.name,
            region_code=self.region_code,
            file_name=landed.name,
            landed_path=self._zone.address_of(landed.path),
            content_sha256=landed.sha256,
            mapping_sha256=READING,
            file_bytes=landed.size,
        )

    def _is_loaded(self, connection: psycopg.Connection[Any], landed: Landed) -> bool:
        lines = (self._line(landed, ENTITIES[name]) for name in self.system.entities)
        return all(ledger.loaded_before(connection, line) for line in lines)

    @property
    def _zone(self) -> Place:
        return Place.landing(self.settings)


def _trouble(answer: Answer) -> str:
    about = ", ".join(f"{name} {value}" for name, value in answer.asked.items() if isinstance(value, str))
    return str(storable(f"{about}: {answer.trouble}"))
