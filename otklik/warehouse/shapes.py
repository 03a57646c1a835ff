"""The fields a source gives: what it gave before is compared with what it gives now, and every change is told."""

import logging
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

import psycopg

from otklik.sources.rows import ROW_NUMBER, TextRows, storable
from otklik.warehouse.ledger import Line

_log = logging.getLogger(__name__)

# What so large a share of things has is expected of all.
_REGULAR = 0.9
_NAMES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}
# Longer than any field that somebody has named, and short enough for an index.
_LONGEST = 200


class ShapeWatch:
    """Gathers the fields of one kind of thing in one batch, then notes them beside those of the batches before.

    The first batch of a kind is what later ones are compared with. A field is said to have vanished when nearly every
    object of the last batch that could hold it did, and none of this one does: some fields are there only when they
    have to say something, and an object that is not there says nothing of its fields. A field that is NULL everywhere
    keeps its type.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._fields: dict[str, set[str]] = defaultdict(set)
        self._counts: Counter[str] = Counter()
        self._objects: Counter[str] = Counter()

    def see(self, rows: TextRows) -> None:
        """Note the fields of a chunk."""
        if rows.said is None:
            self._objects[""] += 1
            for column in rows.frame.columns:
                if column != ROW_NUMBER:
                    self._note(column, "text")
            return
        for said in rows.said.values():
            for path, held in _objects(said):
                self._objects[path] += 1
                for name, value in held.items():
                    self._note(f"{path}{name}", value)

    def _note(self, field: str, value: Any) -> None:
        field = storable(field)[:_LONGEST]
        self._counts[field] += 1
        types = self._fields[field]
        if value is not None:
            types.add(_NAMES[type(value)])

    def record(self, connection: psycopg.Connection[Any], line: Line, batch_id: int) -> None:
        """Write what changed, and what the source gives now."""
        if not self._fields:
            return
        whose = (line.region_code, line.source, self._kind)
        found = connection.execute(
            "select field, types, is_present, is_regular from quality.source_field"
            " where region_code = %s and source = %s and kind = %s order by field",
            whose,
        ).fetchall()
        before = {field: _Before(set(types), *states) for field, types, *states in found}
        changes = list(self._changes(before)) if before else []
        for field, change, types_before, types_after in changes:
            # Names and types only: no value of a source is told here.
            _log.warning(
                "%s: field %s of %s %s (types before: %s, now: %s)",
                *(line.source, field, self._kind, change, types_before, types_after),
            )
        now = [(field, sorted(types), self._is_regular(field)) for field, types in self._fields.items()]
        with connection.cursor() as cursor:
            cursor.executemany(_TELL, [(batch_id, *whose, *change) for change in changes])
            cursor.executemany(_KEEP, [(*whose, *field) for field in now])
            gone = [field for field, _, _, types_after in changes if types_after is None]
            cursor.execute(_MISS, (*whose, gone))

    def _is_regular(self, field: str) -> bool:
        return self._counts[field] >= _REGULAR * self._objects[_holder(field, self._fields)]

    def _changes(self, before: Mapping[str, "_Before"]) -> Iterator[tuple[Any, ...]]:
        for field, types in self._fields.items():
            had = before.get(field)
            if had is None or not had.is_present:
                yield field, "appeared", None, sorted(types)
            elif had.types and not types <= had.types:
                yield field, "retyped", sorted(had.types), sorted(types)
        for field, had in before.items():
            is_expected = had.is_present and had.is_regular and self._objects[_holder(field, before)]
            if is_expected and field not in self._fields:
                yield field, "vanished", sorted(had.types), None


class _Before(NamedTuple):
    types: set[str]
    is_present: bool
    is_regular: bool


def _objects(said: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each object in what was said, itself included, with what goes before the names of its fields."""
    waiting = [("", said)]
    while waiting:
        path, held = waiting.pop()
        yield path, held
        # Not by recursion: what comes from outside may be nested as deep as it likes.
        for name, inner in held.items() if len(path) < _LONGEST else ():
            if isinstance(inner, Mapping):
                waiting.append((f"{path}{name}.", inner))
            elif isinstance(inner, list):
                waiting += [(f"{path}{name}[].", element) for element in inner if isinstance(element, Mapping)]


def _holder(field: str, known: Container[str]) -> str:
    """Return the path of the object that holds a field: the longest one that is a field itself, for names have dots."""
    path = field
    while "." in path:
        path = path.rpartition(".")[0]
        if path.removesuffix("[]") in known:
            return f"{path}."
    return ""


_TELL = """
    insert into quality.schema_change
        (batch_id, region_code, source, kind, field, change, types_before, types_after)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_KEEP = """
    insert into quality.source_field as had (region_code, source, kind, field, types, is_regular, is_present, seen_at)
    values (%s, %s, %s, %s, %s, %s, true, now())
    on conflict (region_code, source, kind, field) do update
    set types = case when excluded.types = '{}' then had.types else excluded.types end,
        is_regular = excluded.is_regular, is_present = true, seen_at = now()
"""
_MISS = """
    update quality.source_field set is_present = false
    where region_code = %s and source = %s and kind = %s and field = any(%s) and is_present
"""
