"""The fields a source gives: what it gave before is compared with what it gives now, and every change is told."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from otklik.sources.rows import ROW_NUMBER, TextRows, storable
from otklik.warehouse.ledger import Line

_NAMES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}


class ShapeWatch:
    """Gathers the fields of one kind of thing in one batch, then notes them beside those of the batches before.

    The first batch of a kind is what later ones are compared with. Of a field that was there and that no row of
    the batch has, it is told that it vanished; a field that is NULL everywhere keeps its type.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._fields: dict[str, set[str]] = defaultdict(set)

    def see(self, rows: TextRows) -> None:
        """Note the fields of a chunk."""
        if rows.said is None:
            for column in rows.frame.columns:
                if column != ROW_NUMBER:
                    self._fields[storable(column)].add("string")
            return
        for said in rows.said.values():
            for path, value in _paths(said):
                types = self._fields[storable(path)]
                if value is not None:
                    types.add(_NAMES[type(value)])

    def record(self, connection: psycopg.Connection[Any], line: Line, batch_id: int) -> None:
        """Write what changed, and what the source gives now."""
        if not self._fields:
            return
        whose = (line.region_code, line.source, self._kind)
        found = connection.execute(
            "select field, types, is_present from quality.source_field"
            " where region_code = %s and source = %s and kind = %s",
            whose,
        ).fetchall()
        before = {field: (set(types), is_present) for field, types, is_present in found}
        changes = list(self._changes(before)) if before else []
        with connection.cursor() as cursor:
            cursor.executemany(_TELL, [(batch_id, *whose, *change) for change in changes])
            cursor.executemany(_KEEP, [(*whose, field, sorted(types)) for field, types in self._fields.items()])
            gone = [field for field in before if field not in self._fields]
            cursor.execute(_MISS, (*whose, gone))

    def _changes(self, before: Mapping[str, tuple[set[str], bool]]) -> Iterator[tuple[Any, ...]]:
        for field, types in self._fields.items():
            had, was_present = before.get(field, (set(), False))
            if not was_present:
                yield field, "appeared", None, sorted(types)
            elif had and not types <= had:
                yield field, "retyped", sorted(had), sorted(types)
        for field, (had, was_present) in before.items():
            if was_present and field not in self._fields:
                yield field, "vanished", sorted(had), None


def _paths(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and value of each field, of nested objects and of objects in lists too."""
    for name, inner in value.items():
        path = f"{prefix}{name}"
        yield path, inner
        if isinstance(inner, Mapping):
            yield from _paths(inner, f"{path}.")
        elif isinstance(inner, list):
            for element in inner:
                if isinstance(element, Mapping):
                    yield from _paths(element, f"{path}[].")


_TELL = """
    insert into quality.schema_change
        (batch_id, region_code, source, kind, field, change, types_before, types_after)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_KEEP = """
    insert into quality.source_field as had (region_code, source, kind, field, types, is_present, seen_at)
    values (%s, %s, %s, %s, %s, true, now())
    on conflict (region_code, source, kind, field) do update
    set types = case when excluded.types = '{}' then had.types else excluded.types end,
        is_present = true, seen_at = now()
"""
_MISS = """
    update quality.source_field set is_present = false
    where region_code = %s and source = %s and kind = %s and field = any(%s) and is_present
"""
