"""Rows of an entity into `raw`: new versions by COPY, refused rows with their reasons, unchanged rows left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
import psycopg
from psycopg.types.json import Jsonb

from otklik.contracts.entity import OWN, Entity
from otklik.contracts.reasons import are_displaced, shown_reasons
from otklik.layout import Layout
from otklik.privacy import author_hash, masked_text, shown_rows
from otklik.redaction import long_enough
from otklik.sources.rows import ROW_NUMBER, Rejected, on_its_own, storable
from otklik.warehouse.authors import Authors
from otklik.warehouse.copying import as_binary, copy_binary
from otklik.warehouse.history import History
from otklik.warehouse.row_hash import row_hash
from otklik.warehouse.seen import SeenKeys

_VERSION = "updated_at"


class Contradiction(NamedTuple):
    """A row that says otherwise than row `first` of the same file about the same version of the same thing."""

    row_number: int
    first: int


@dataclass(frozen=True)
class Batch:
    """Whose rows are loaded: the line of the ledger they belong to, and what they are versions of."""

    batch_id: int
    source: str
    region_code: str
    entity: Entity


@dataclass(frozen=True)
class Prepared:
    """Valid rows as they are stored: `rows`, whose keys the file has not had before, are ready for COPY as `binary`.

    `again` are the others: an earlier row of the file, whose number is in `first`, seems to have the key of each.
    `undated` are the numbers of rows whose source gives no update time of its own. `erased` are words of residents who
    were erased, still in the file.
    """

    rows: pl.DataFrame
    binary: list[bytes]
    again: pl.DataFrame
    first: pl.Series
    undated: list[int]
    erased: frozenset[str] = frozenset()


def prepare(valid: pl.DataFrame, batch: Batch, seen: SeenKeys, known_at: datetime, authors: Authors) -> Prepared:
    """Hash each row and its author, mask its text. Needs no database, so it can be done ahead, chunk after chunk.

    A source without an update time of its own gives each row the end of the night it came with.
    """
    entity = batch.entity
    content = [name for name in valid.columns if name not in OWN]
    derived: list[pl.Expr | pl.Series] = [row_hash(valid, content).cast(pl.String).alias("row_hash")]
    if entity.author:
        derived.append(author_hash(entity.author, authors.keys).alias("author_hash"))
    if entity.masked:
        derived.append(masked_text(valid[entity.masked]).alias("masked_text"))
    undated = valid.filter(pl.col(_VERSION).is_null())[ROW_NUMBER].to_list()
    rows = valid.select(
        pl.lit(batch.batch_id, pl.Int64).alias("batch_id"),
        pl.lit(batch.region_code).alias("region_code"),
        pl.lit(batch.source).alias("source"),
        ROW_NUMBER,
        *content,
        *derived,
    ).with_columns(pl.col(_VERSION).fill_null(known_at))
    erased: frozenset[str] = frozenset()
    if entity.author and authors.erased:
        rows, erased = _without_erased(rows, entity, authors)
    keys = rows.select(row_hash(rows, [*entity.key, _VERSION])).to_series()
    first = seen.first_rows(keys, rows[ROW_NUMBER])
    if first.null_count() == rows.height:
        return Prepared(rows, as_binary(rows), rows.clear(), first.clear(), undated, erased)
    repeated = first.is_not_null()
    new = rows.filter(~repeated)
    return Prepared(new, as_binary(new), rows.filter(repeated), first.filter(repeated), undated, erased)


def _without_erased(rows: pl.DataFrame, entity: Entity, authors: Authors) -> tuple[pl.DataFrame, frozenset[str]]:
    """Return the rows, those of erased authors without them, and the words that were taken out."""
    is_erased = pl.col("author_hash").is_in(list(authors.erased)).fill_null(False)
    words = rows.filter(is_erased).select(pl.concat_list(sorted(entity.personal)).explode()).to_series()
    personal = [*entity.personal, "masked_text", "author_hash"]
    return rows.with_columns(pl.when(~is_erased).then(name).alias(name) for name in personal), long_enough(words)


class VersionLoad:
    """The rows of one batch on their way into `raw.<entity>`, inside the caller's transaction.

    Counts what became of every row; a version is known by the entity's key and its update time.
    """

    def __init__(self, connection: psycopg.Connection[Any], batch: Batch, authors: Authors) -> None:
        self.loaded = self.rejected = self.unchanged = self.deleted = 0
        self.erased: set[str] = set()
        self._connection = connection
        self._batch = batch
        self._authors = authors
        owner = {"region_code": batch.region_code, "source": batch.source, "batch_id": batch.batch_id}
        self._history = History(connection, batch.entity, owner)
        self._again: list[pl.DataFrame] = []
        self._undated_again: list[int] = []

    def add(self, prepared: Prepared, known_at: datetime) -> None:
        """Load the rows of a chunk that are new; those whose key the file seems to have had are for `settle`."""
        self.erased |= prepared.erased
        # Before any of them is loaded: what has come back by then is deleted no more.
        rows = self._history.revived(prepared.rows, known_at)
        again = self._history.revived(prepared.again, known_at)
        if rows.height:
            binary = prepared.binary if rows is prepared.rows else None
            self._load(rows, prepared.undated, binary)
        if again.height:
            self._again.append(on_its_own(again.with_columns(prepared.first)))
            self._undated_again += prepared.undated

    @property
    def unsettled(self) -> int:
        """Return how many rows wait for `settle`."""
        return sum(again.height for again in self._again)

    def settle(self) -> list[Contradiction]:
        """Load what waits after all, or count it as unchanged; return what contradicts an earlier row of the file.

        Asked of many rows at once: a question costs the database some milliseconds, however few they are.
        """
        if not self._again:
            return []
        again, undated = pl.concat(self._again), self._undated_again
        self._again, self._undated_again = [], []
        return self._repeated(again, undated)

    def reject(self, rejected: Iterable[Rejected], layout: Layout) -> None:
        """Keep the refused rows with their reasons, and of each what auditors may see."""
        refused, erased = self._authors.forget(list(rejected), layout)
        if not refused:
            return
        self.erased |= erased
        public = [() if are_displaced(row.reasons) else layout.public for row in refused]
        rows = shown_rows([row.original for row in refused], public)
        reasons = shown_reasons([row.reasons for row in refused])
        statement = (
            "copy raw.rejected_row (batch_id, row_number, reasons, original, shown_reasons, shown_row) from stdin"
        )
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row, shown_row, shown in zip(refused, rows, reasons, strict=True):
                told = [why._asdict() for why in row.reasons]
                kept = map(storable, (told, row.original, shown, shown_row))
                copy.write_row((self._batch.batch_id, row.row_number, *map(Jsonb, kept)))
        self.rejected += len(refused)

    def note_refused(self, keys: pl.DataFrame) -> None:
        """Remember the keys (text) of rows that came and were refused: an earlier version of them is not missing."""
        self._history.note(keys)

    def delete_absent(self, scope: dict[str, str], key: str, present: Iterable[str], known_at: datetime) -> None:
        """Write that the source no longer has the rows of the scope whose `key` is not among those present."""
        self.deleted += self._history.delete_absent(scope, key, present, known_at)

    def close_groups(self, known_at: datetime) -> None:
        """Write that what is missing of a group that came again, was deleted."""
        self.deleted += self._history.close_groups(known_at)

    def _load(self, rows: pl.DataFrame, undated: list[int], binary: list[bytes] | None = None) -> None:
        """Load what `raw` does not have yet; `binary` is the rows ready for COPY, if they have been made so."""
        self._history.note(rows)
        known = self._history.unchanged(rows, undated)
        new = rows.filter(~pl.col(ROW_NUMBER).is_in(known)) if known else rows
        if new.height:
            if binary is None or new is not rows:
                binary = as_binary(new)
            with self._connection.cursor() as cursor:
                copy_binary(cursor, f"raw.{self._batch.entity.name}", new.columns, binary)
        self.loaded += new.height
        self.unchanged += rows.height - new.height

    def _repeated(self, again: pl.DataFrame, undated: list[int]) -> list[Contradiction]:
        """Tell apart rows whose key the file has had: the same again, a contradiction, or only a hash in common."""
        first_rows = dict(again.select(ROW_NUMBER, "first").iter_rows())
        again = again.drop("first")
        verdicts = self._history.repeated(again, undated)
        if len(verdicts) < again.height:
            self._load(again.filter(~pl.col(ROW_NUMBER).is_in(list(verdicts))), undated)
        self.unchanged += sum(verdicts.values())
        return [Contradiction(number, first_rows[number]) for number, same in verdicts.items() if not same]
