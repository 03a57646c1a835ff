"""What `raw` holds already of the rows that come: the same version, the state before, what has been deleted."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from otklik.contracts.entity import Entity
from otklik.sources.rows import ROW_NUMBER
from otklik.warehouse.copying import copy_frame


class History:
    """The versions of an entity that one source has given, asked about from inside the transaction of a load."""

    def __init__(self, connection: psycopg.Connection[Any], entity: Entity, owner: dict[str, Any]) -> None:
        self._connection = connection
        self._entity = entity
        self._owner = owner
        columns = entity.schema.columns()
        # A part of the key that may be unknown is the same key when it is unknown again.
        equal = {True: "had.{0} is not distinct from incoming.{0}", False: "had.{0} = incoming.{0}"}
        self._same_key = " and ".join(equal[columns[name].nullable].format(name) for name in entity.key)
        self._columns = [ROW_NUMBER, *entity.key, "updated_at", "row_hash"]
        # Whether the source has a past here at all: a first load then compares with nothing.
        self._has_past = self._any("true")
        self._has_deleted = self._has_past and self._any("is_deleted")
        for table in ("incoming", "arrived"):
            self._run(_STAGE, table=table, columns=", ".join(self._columns))

    def revived(self, rows: pl.DataFrame, known_at: datetime) -> pl.DataFrame:
        """Return the rows with those that were deleted, and have come back, dated to the night of their return."""
        if not self._has_deleted or rows.is_empty():
            return rows
        numbers = [number for (number,) in self._ask(rows, _DELETED, known_at=known_at)]
        returned = pl.col(ROW_NUMBER).is_in(numbers) & (pl.col("updated_at") < known_at)
        return rows.with_columns(pl.when(returned).then(pl.lit(known_at)).otherwise("updated_at").alias("updated_at"))

    def unchanged(self, rows: pl.DataFrame, undated: list[int]) -> list[int]:
        """Return the numbers of rows that `raw` holds already."""
        if not self._has_past or rows.is_empty():
            return []
        is_undated = pl.col(ROW_NUMBER).is_in(undated)
        same = self._ask(rows.filter(~is_undated), _SAME_VERSION) + self._ask(rows.filter(is_undated), _SAME_AS_BEFORE)
        return [number for (number,) in same]

    def repeated(self, rows: pl.DataFrame, undated: list[int]) -> dict[int, bool]:
        """Return row number -> whether it says the same as the row of this file that had its key before.

        A row that is not in the answer has no such row before it: only their hashes were alike.
        """
        verdicts = dict(self._ask(rows, _SAME_IN_BATCH))
        others = rows.filter(~pl.col(ROW_NUMBER).is_in(list(verdicts)))
        # The first of these was left out as unchanged, so what `raw` holds speaks for it.
        unchanged = set(self.unchanged(others, undated))
        known = self._ask(others, _ANY_VERSION)
        return verdicts | {number: number in unchanged for (number,) in known}

    def note(self, rows: pl.DataFrame) -> None:
        """Remember the rows of groups that come together, to find out afterwards what they lack."""
        if self._entity.group and self._has_past and rows.height:
            self._copy("arrived", rows, [ROW_NUMBER, *self._entity.key])

    def close_groups(self, known_at: datetime) -> int:
        """Write a deletion for each row that a group had and has no more; return how many."""
        if not self._entity.group or not self._has_past:
            return 0
        self._connection.execute("analyze arrived")
        same_group = " and ".join(f"had.{name} = incoming.{name}" for name in self._entity.group)
        latest = _LATEST_OF_GROUPS.format(
            entity=self._entity.name,
            group=", ".join(self._entity.group),
            key=", ".join(f"had.{name}" for name in self._entity.key),
            ours=_OURS.format(same_key=same_group),
        )
        same_key = " and ".join(_SAME_AND_HASHABLE.format(name) for name in self._entity.key)
        return self._delete(latest, f"not {_CAME.format(same_key=same_key)}", known_at)

    def delete_absent(self, scope: dict[str, str], key: str, present: Iterable[str], known_at: datetime) -> int:
        """Write a deletion for each row of the scope whose `key` is not present; return how many."""
        if not self._has_past:
            return 0
        conditions = [f"had.{name} = %(scope_{name})s" for name in scope]
        return self._delete(
            _LATEST.format(entity=self._entity.name, key=", ".join(self._entity.key)),
            " and ".join([*conditions, f"not had.{key} = any(%(present)s)"]),
            known_at,
            present=list(present),
            **{f"scope_{name}": value for name, value in scope.items()},
        )

    def _delete(self, latest: str, condition: str, known_at: datetime, **values: Any) -> int:
        own = ("batch_id", "row_number", "updated_at", "is_deleted")
        columns = ", ".join(f'"{name}"' for name in self._stored_columns() if name not in own)
        values |= {"known_at": known_at}
        return self._run(_DELETE, values, columns=columns, latest=latest, condition=condition).rowcount

    def _stored_columns(self) -> list[str]:
        found = self._connection.execute(
            "select attname from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
            [f"raw.{self._entity.name}"],
        )
        return [name for (name,) in found]

    def _any(self, condition: str) -> bool:
        found = self._run(_HAS, condition=condition).fetchone()
        return bool(found and found[0])

    def _run(self, template: str, values: dict[str, Any] | None = None, **names: str) -> psycopg.Cursor[Any]:
        """Run a statement; the names put into it are those of the contract and of our tables."""
        statement = template.format(entity=self._entity.name, **names)
        return self._connection.execute(statement, self._owner | (values or {}))

    def _ask(self, rows: pl.DataFrame, query: str, **values: Any) -> list[tuple[Any, ...]]:
        if rows.is_empty():
            return []
        self._connection.execute("truncate incoming")
        self._copy("incoming", rows, self._columns)
        self._connection.execute("analyze incoming")
        return self._run(query, values, ours=_OURS.format(same_key=self._same_key)).fetchall()

    def _copy(self, table: str, rows: pl.DataFrame, columns: list[str]) -> None:
        with self._connection.cursor() as cursor:
            copy_frame(cursor, table, rows.select(columns))


# Each row is looked up by itself, in the index of the key (`lateral … limit 1`, and nothing else that an index
# serves): the planner knows nothing yet of rows that have just come, and a plan that scans costs what all of
# history weighs, once for every chunk.
_OURS = """had.region_code || '' = %(region_code)s and had.source = %(source)s and {same_key}"""

_ANY_VERSION = """
    select incoming.row_number
    from incoming
    cross join lateral (select true from raw.{entity} as had where {ours} limit 1) as version
"""

_SAME_VERSION = """
    select incoming.row_number
    from incoming
    cross join lateral (
        select true
        from raw.{entity} as had
        where {ours} and had.updated_at = incoming.updated_at and had.row_hash = incoming.row_hash
            and not had.is_deleted
        limit 1
    ) as version
"""

# Without an update time the night itself is the version: a row is news when it differs from the last
# one known by then.
_SAME_AS_BEFORE = """
    select incoming.row_number
    from incoming
    cross join lateral (
        select had.row_hash, had.is_deleted
        from raw.{entity} as had
        where {ours} and had.updated_at <= incoming.updated_at
        order by had.updated_at desc, had.batch_id desc
        limit 1
    ) as before
    where before.row_hash = incoming.row_hash and not before.is_deleted
"""

_DELETED = """
    select incoming.row_number
    from incoming
    cross join lateral (
        select had.is_deleted
        from raw.{entity} as had
        where {ours} and had.updated_at <= %(known_at)s
        order by had.updated_at desc, had.batch_id desc
        limit 1
    ) as latest
    where latest.is_deleted
"""

_SAME_IN_BATCH = """
    select incoming.row_number, version.row_hash = incoming.row_hash
    from incoming
    cross join lateral (
        select had.row_hash
        from raw.{entity} as had
        where {ours} and had.batch_id + 0 = %(batch_id)s and had.updated_at = incoming.updated_at
            and not had.is_deleted
        limit 1
    ) as version
"""

_HAS = """
    select exists (
        select 1 from raw.{entity}
        where region_code = %(region_code)s and source = %(source)s and {condition}
    )
"""

_STAGE = "create temporary table {table} on commit drop as select {columns} from raw.{entity} with no data"

# Nights may be made up out of order: what came after the night of a deletion is not touched by it.
_DELETE = """
    insert into raw.{entity} (batch_id, row_number, updated_at, is_deleted, {columns})
    select
        %(batch_id)s, - row_number() over (order by had.row_number), %(known_at)s, true,
        {columns}
    from ({latest}) as had
    where not had.is_deleted and {condition}
"""
_LATEST = """
        select distinct on ({key}) *
        from raw.{entity}
        where region_code = %(region_code)s and source = %(source)s and updated_at <= %(known_at)s
        order by {key}, updated_at desc, batch_id desc, row_number desc
"""
_LATEST_OF_GROUPS = """
        select latest.*
        from (select distinct {group} from arrived) as incoming
        cross join lateral (
            select distinct on ({key}) had.*
            from raw.{entity} as had
            where {ours} and had.updated_at <= %(known_at)s
            order by {key}, had.updated_at desc, had.batch_id desc, had.row_number desc
        ) as latest
"""
_CAME = "exists (select 1 from arrived as incoming where {same_key})"
# «Is not distinct from», said so that both sides can be hashed: else each row of one is held against each of the other.
_SAME_AND_HASHABLE = (
    "coalesce(incoming.{0}::text, '') = coalesce(had.{0}::text, '') and (incoming.{0} is null) = (had.{0} is null)"
)
