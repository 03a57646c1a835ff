"""Records, whatever system or export they were read out of, as rows of text: what a load takes."""

from collections.abc import Iterable, Iterator

import polars as pl

from otklik.contracts.entity import Entity
from otklik.sources.check import refuse_unread
from otklik.sources.records import Record, Records
from otklik.sources.rows import ROW_NUMBER, Rejected, TextRows, storable


def text_rows(entity: Entity, records: Iterable[Records]) -> Iterator[TextRows]:
    """Return the records of an entity as one chunk of rows numbered from 1; nothing where there are none."""
    rows = [record for each in records for record in each.rows]
    if rows:
        numbered = dict(enumerate(rows, start=1))
        read = {number: record for number, record in numbered.items() if record.problem is None}
        broken = [_refused(number, record) for number, record in numbered.items() if record.problem is not None]
        yield TextRows(_frame(entity, read), broken, said={n: record.original for n, record in read.items()})


def _frame(entity: Entity, records: dict[int, Record]) -> pl.DataFrame:
    data: dict[str, list[object]] = {ROW_NUMBER: list(records)}
    data |= {name: [_text(record.values.get(name)) for record in records.values()] for name in entity.fields}
    return pl.DataFrame(data, schema={ROW_NUMBER: pl.Int64, **dict.fromkeys(entity.fields, pl.String)})


def _text(value: str | None) -> str | None:
    return None if value is None else value.encode("utf-8", "backslashreplace").decode()


def _refused(number: int, record: Record) -> Rejected:
    return refuse_unread(number, record.problem or "", storable(record.original))
