"""Figures: a metric of the semantic layer told of several periods at once, by the one query that its footnote shows.

The semantic layer gives for each metric the rows of a fact it is counted over and the number as they give it
(`otklik/audit/definitions.py`). MetricFlow gives the same, and takes seconds a question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from otklik.audit.definitions import Definition
from otklik.errors import OtklikError
from otklik.report.period import Period
from otklik.report.russian import rounded

# Of which column of which fact a kind of data begins, and of pages also ends: before and after it nothing is known.
_KNOWN = {
    "fct_message": ("fct_message", "registered_date", "true"),
    "fct_incident": ("fct_message", "registered_date", "true"),
    "fct_page_day": ("fct_page_day", "day", "true"),
    "dim_survey": ("dim_survey", "closed_on", "is_completed"),
    "fct_broadcast": ("fct_broadcast", "held_date", "true"),
    "fct_material": ("fct_material", "published_date", "true"),
}


class RegionError(OtklikError):
    """A region of which nothing is published, or several to choose from."""


@dataclass(frozen=True)
class Region:
    """A region as people see it: as of when (in UTC, and by its clock), and what became of the last night."""

    region_code: str
    region_name: str
    as_of: datetime
    as_of_local: datetime
    last_night_published: bool | None
    last_night_refusal: str | None

    @property
    def last_day(self) -> date:
        """The last local day that is known."""
        return (self.as_of_local - timedelta(microseconds=1)).date()

    def clock(self, installation: ZoneInfo) -> sql.Composable:
        """Its time zone in SQL: the installation's where both clocks agree, else as far from UTC as on the last night.

        Which one it is only `raw` knows, and a report does not read that.
        """
        if self.as_of.replace(tzinfo=UTC).astimezone(installation).replace(tzinfo=None) == self.as_of_local:
            return sql.Literal(installation.key)
        minutes = (self.as_of_local - self.as_of) // timedelta(minutes=1)
        return sql.SQL("interval {}").format(f"{minutes} minutes")

    @classmethod
    def of(cls, connection: psycopg.Connection[Any], code: str | None) -> tuple[Self, int]:
        """Return a region by its code, or the only one, and how many there are. Raises RegionError."""
        query = (
            "select region_code, region_name, as_of at time zone 'UTC' as as_of, as_of_local,"
            " last_night_published, last_night_refusal from marts.mart_as_of order by region_code"
        )
        with connection.cursor(row_factory=class_row(cls)) as cursor:
            regions = cursor.execute(query).fetchall()
        wanted = [region for region in regions if code in (None, region.region_code)]
        if len(wanted) != 1:
            there_are = ", ".join(f"{region.region_code} ({region.region_name})" for region in regions)
            raise RegionError(f"Name the region with --region; there are: {there_are or 'none, nothing is published'}")
        return wanted[0], len(regions)


@dataclass(frozen=True)
class Figure:
    """A metric of several periods: the number of each, None where it is not known, and the query that gave them."""

    metric: Definition
    values: Mapping[Period, Decimal | None]
    query: str

    def first(self) -> Period | None:
        """The first of its periods that has a number."""
        known = [period for period, value in self.values.items() if value is not None]
        return min(known, key=lambda period: period.starts) if known else None


class Figures:
    """The figures of one region, as the marts give them."""

    def __init__(self, connection: psycopg.Connection[Any], region: Region, installation: ZoneInfo) -> None:
        self.connection, self.region = connection, region
        self.code = sql.Literal(region.region_code)
        self._spans: dict[str, tuple[date, date] | None] = {}
        self._words = {
            "starts": sql.SQL("told.starts"),
            "ends": sql.SQL("told.ends"),
            "zone": region.clock(installation),
            "as_of": sql.SQL("timestamptz {}").format(f"{region.as_of:%Y-%m-%d %H:%M:%S}+00"),
            "last_page_day": sql.SQL(
                "(select max(day) from marts.fct_page_day where region_code = {} and day < told.ends)"
            ).format(self.code),
        }

    def figure(self, metric: Definition, periods: Sequence[Period]) -> Figure:
        """Tell a metric of each of the periods."""
        query = sql.SQL(
            "select told.starts, told.ends, (select {} from {} as fact where region_code = {} and ({})) as value"
            " from {} as told (starts, ends)"
        ).format(
            sql.SQL(metric.value).format(**self._words),
            sql.SQL(f"marts.{metric.fact}"),
            self.code,
            self.rows_of(metric),
            spans(periods),
        )
        found = {(starts, ends): value for starts, ends, value in self.connection.execute(query)}
        values = {
            period: _as_marts_keep_it(found[period.starts, period.ends]) if self.is_known(metric.fact, period) else None
            for period in periods
        }
        return Figure(metric, values, query.as_string(self.connection))

    def rows_of(self, metric: Definition) -> sql.Composable:
        """Return which rows of the metric's fact are of the period `told`, in SQL."""
        return sql.SQL(metric.where).format(**self._words)

    def is_known(self, fact: str, period: Period) -> bool:
        """Whether anything can be known of a period: before the first row of the kind 0 would be a guess."""
        span = self.span(fact)
        return span is not None and period.ends > span[0] and period.starts <= span[1]

    def span(self, fact: str) -> tuple[date, date] | None:
        """Return the first and the last day of which something is known; None where nothing is."""
        if fact not in self._spans:
            table, column, condition = (sql.SQL(word) for word in _KNOWN[fact])
            [(first, last)] = self.connection.execute(
                sql.SQL("select min({0}), max({0}) from marts.{1} where region_code = {2} and {3}").format(
                    column, table, self.code, condition
                )
            ).fetchall()
            # A page is watched; that nothing else happened is known until the end of the last night.
            until = last if fact == "fct_page_day" else self.region.last_day
            self._spans[fact] = None if first is None else (first, until)
        return self._spans[fact]


def spans(periods: Sequence[Period]) -> sql.Composable:
    """Return periods as the rows (first day, day after the last) of a query."""
    rows = (sql.SQL("(date {}, date {})").format(str(period.starts), str(period.ends)) for period in periods)
    return sql.SQL("(values {})").format(sql.SQL(", ").join(rows))


def _as_marts_keep_it(value: Any) -> Decimal | None:
    return None if value is None else rounded(Decimal(str(value)), 6)
