"""One figure: what people see, the facts it was made of, the rows of `raw` behind them, and where these stand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import class_row, dict_row

from otklik.audit.definitions import Definition
from otklik.errors import OtklikError

# Columns that join a row of a fact to the versions in `raw` it tells of; `fact` has the batch of the latest one.
_RAW_OF = {
    "fct_message": "raw.incident using (region_code, source, message_id, batch_id, updated_at)",
    "dim_survey": "raw.survey using (region_code, survey_id, batch_id)",
    "fct_broadcast": "raw.broadcast using (region_code, source, broadcast_id, batch_id)",
    "fct_material": "raw.material using (region_code, source, material_id, batch_id)",
}


class FigureError(OtklikError):
    """A figure that cannot be traced: of no region, or of a period that has none."""


@dataclass(frozen=True)
class Period:
    """A region's year or month, of all authorities or of one; of a year perhaps only its days through one of them."""

    region_code: str
    year: int
    month: int | None = None
    authority: str | None = None
    through: date | None = None

    @property
    def starts(self) -> date:
        """The first local day."""
        return date(self.year, self.month or 1, 1)

    @property
    def ends(self) -> date:
        """The local day after the last one."""
        if self.through is not None:
            return self.through + timedelta(days=1)
        if self.month is None or self.month == 12:  # noqa: PLR2004 - December
            return date(self.year + 1, 1, 1)
        return date(self.year, self.month + 1, 1)

    @property
    def kind(self) -> str:
        """`year` or `month`."""
        return "year" if self.month is None else "month"

    @property
    def scope(self) -> str:
        """`region` or `authority`."""
        return "region" if self.authority is None else "authority"


@dataclass(frozen=True)
class Shown:
    """A value that people saw from one publication until another; `until` is NULL while they see it."""

    value: Decimal | None
    since: datetime
    until: datetime | None
    batches_after: int
    batches_through: int


@dataclass(frozen=True)
class File:
    """A landed file with rows behind a figure: how many, of how many read."""

    batch_id: int
    file_name: str
    landed_path: str
    content_sha256: str
    night: datetime
    rows_read: int
    row_count: int


class Figure:
    """A metric of a period, asked of the warehouse as the engineer's role, which can only read."""

    def __init__(self, connection: psycopg.Connection[Any], metric: Definition, period: Period) -> None:
        self.metric, self.period = metric, period
        self._connection = connection
        region = connection.execute(
            "select as_of.as_of, region.time_zone from marts.mart_as_of as as_of"
            " inner join raw.region using (region_code) where region_code = %s",
            [period.region_code],
        ).fetchone()
        if region is None:
            raise FigureError(f"Nothing is published of region '{period.region_code}'; mart_as_of tells of which it is")
        self.as_of, zone = region
        # The period is over with its last day, or with what is known.
        last_known = (self.as_of - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
        self._last_day = min(date(period.year, 12, 31), last_known)
        last_page_day = "(select max(day) from marts.fct_page_day where region_code = {region} and day < {ends})"
        words = {
            "starts": sql.SQL("{}::date").format(sql.Literal(period.starts.isoformat())),
            "ends": sql.SQL("{}::date").format(sql.Literal(period.ends.isoformat())),
            "as_of": sql.SQL("{}::timestamptz").format(sql.Literal(self.as_of.isoformat())),
            "zone": sql.Literal(zone),
            "region": sql.Literal(period.region_code),
        }
        self._words = words | {"last_page_day": sql.SQL(last_page_day).format(**words)}

    @property
    def is_whole(self) -> bool:
        """Whether all of the period is meant, and so it is what people see."""
        return self.period.through is None or self.period.through >= self._last_day

    @property
    def query(self) -> str:
        """The number as the facts give it, in SQL that any analyst can run."""
        value = sql.SQL(self.metric.value).format(**self._words)
        return self._select(sql.SQL("{} as value, count(*) as row_count").format(value)).as_string(self._connection)

    def counted(self) -> tuple[Decimal | None, int]:
        """Return the number as the facts give it, and how many rows it was made of."""
        [(value, count)] = self._connection.execute(self.query.encode()).fetchall()
        return (None if value is None else Decimal(str(value))), count

    def history(self) -> list[Shown]:
        """Return every value that people saw, the first one first; none where the figure is on no screen."""
        period = self.period
        query = """
            select figure.value, since.decided_at as since, until.decided_at as until,
                coalesce(lag(build.batches_through) over (order by figure.since), 0) as batches_after,
                build.batches_through
            from quality.figure
            inner join quality.publication as since on figure.since = since.publication_id
            inner join quality.build on since.build_id = build.build_id
            left join quality.publication as until on figure.until = until.publication_id
            where (region_code, metric, period_kind, period_start, scope, authority) = (%s, %s, %s, %s, %s, %s)
            order by figure.since
        """
        with self._connection.cursor(row_factory=class_row(Shown)) as cursor:
            key = (period.region_code, self.metric.name, period.kind, period.starts, period.scope)
            return cursor.execute(query, [*key, period.authority or ""]).fetchall()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every row of the fact with the rows of `raw` it tells of and where they stand; nothing personal."""
        query = sql.SQL(
            "select {}.*, told.row_number, batch.file_name, batch.landed_path, batch.content_sha256 {}"
        ).format(sql.Identifier("fact"), self._from_raw())
        with self._connection.cursor("rows_behind", row_factory=dict_row) as cursor:
            yield from cursor.execute(query)

    def files(self, after: int = 0, through: int | None = None) -> list[File]:
        """Return the files whose rows are behind the figure, those of the batches after < batch <= through."""
        query = sql.SQL(
            """
            select batch.batch_id, batch.file_name, batch.landed_path, batch.content_sha256,
                batch.interval_to as night, batch.rows_read, count(*) as row_count
            {}
            where batch.batch_id > {} and ({} or batch.batch_id <= {})
            group by batch.batch_id
            order by batch.interval_to, batch.batch_id
            """
        ).format(self._from_raw(), after, sql.Literal(through is None), sql.Literal(through or 0))
        with self._connection.cursor(row_factory=class_row(File)) as cursor:
            return cursor.execute(query).fetchall()

    def _from_raw(self) -> sql.Composed:
        facts = self._select(sql.SQL("fact.*"))
        # An incident's rows are those of its messages.
        if self.metric.fact == "fct_incident":
            message = sql.SQL(
                "inner join (select region_code, source, incident_id, message_id, batch_id, updated_at"
                " from marts.fct_message) as message on message.incident_id = fact.incident_id"
                " and message.source = fact.source and message.region_code = fact.region_code"
                " left join raw.incident as told on told.message_id = message.message_id"
                " and told.batch_id = message.batch_id and told.updated_at = message.updated_at"
                " and told.source = message.source and told.region_code = message.region_code"
            )
            return sql.SQL(
                " from ({}) as fact {} left join raw.batch as batch on told.batch_id = batch.batch_id"
            ).format(facts, message)
        if self.metric.fact == "fct_page_day":
            # A day that was carried to is told by the snapshot of the day it was carried from; the surest one tells.
            snapshot = sql.SQL(
                "left join lateral (select * from raw.page_snapshot as seen"
                " where seen.page_id = fact.page_id and seen.region_code = fact.region_code"
                " and (seen.observed_at at time zone {zone})::date = fact.day - coalesce(fact.days_carried, 0)"
                " order by seen.members_count is null, array_position(array['live', 'trend', 'file'], seen.method),"
                " seen.observed_at desc, seen.updated_at desc, seen.batch_id desc, seen.row_number desc limit 1"
                ") as told on true"
            ).format(**self._words)
            return sql.SQL(
                " from ({}) as fact {} left join raw.batch as batch on told.batch_id = batch.batch_id"
            ).format(facts, snapshot)
        table, columns = _RAW_OF[self.metric.fact].split(" using ")
        same = sql.SQL(" and ").join(
            sql.SQL("told.{0} = fact.{0}").format(sql.Identifier(name.strip()))
            for name in columns.strip("()").split(",")
        )
        return sql.SQL(
            " from ({}) as fact left join {} as told on {} left join raw.batch as batch"
            " on told.batch_id = batch.batch_id"
        ).format(facts, sql.Identifier(*table.split(".")), same)

    def _select(self, columns: sql.Composable) -> sql.Composed:
        parts = [sql.SQL("region_code = {}").format(sql.Literal(self.period.region_code))]
        if self.period.authority is not None:
            # Empty: of those whose authority is unknown.
            parts.append(sql.SQL("coalesce(authority, '') = {}").format(sql.Literal(self.period.authority)))
        parts.append(sql.SQL("({})").format(sql.SQL(self.metric.where).format(**self._words)))
        return sql.SQL("select {} from {} as fact where {}").format(
            columns, sql.Identifier("marts", self.metric.fact), sql.SQL(" and ").join(parts)
        )
