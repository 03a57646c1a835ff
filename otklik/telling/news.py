"""What there is to tell now: the latest state only, so that who is told from today on is not told the past."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from otklik.settings import Settings
from otklik.telling.runs import FailedRun

# A weekend and the day after may come in one night.
_DAYS_OF_WARNINGS = 3
# A region that sent nothing for longer has stopped sending, and is nobody's late night.
_STILL_EXPECTED = timedelta(days=7)


@dataclass(frozen=True)
class EarlyWarning:
    """A day with far more messages on a topic in a municipality than usual, and what is usual."""

    kind: ClassVar[str] = "early_warning"
    region_code: str
    region_name: str
    day: date
    topic: str
    place: str
    message_count: int
    median_count: Decimal
    threshold_count: Decimal
    counts_before: list[int]

    @property
    def what(self) -> str:
        """What makes it the same news."""
        return f"{self.region_code}/{self.day}/{self.topic}/{self.place}"

    @property
    def about(self) -> str:
        """What is told of together: the warnings of a region."""
        return self.region_code


@dataclass(frozen=True)
class FailedCheck:
    """A critical check that failed; what it found is a count."""

    expectation: str
    observed: str | None
    protects: str


@dataclass(frozen=True)
class NightNotPublished:
    """The last build, which people do not see: why, and which critical checks failed."""

    kind: ClassVar[str] = "night_not_published"
    night: date
    decided_at: datetime
    reason: str
    shown: tuple[tuple[str, datetime], ...]
    failed: tuple[FailedCheck, ...]

    @property
    def what(self) -> str:
        """What makes it the same news: run again with the same outcome it is none."""
        return f"{self.night}/{self.reason}"

    about = what


@dataclass(frozen=True)
class LateNight:
    """A region whose last night people do not see yet in the morning."""

    kind: ClassVar[str] = "late_night"
    region_code: str
    region_name: str
    night: date
    as_of_local: datetime
    silent_sources: list[str]
    refusal: str | None

    @property
    def what(self) -> str:
        """What makes it the same news."""
        return f"{self.region_code}/{self.night}"

    about = what


News = EarlyWarning | NightNotPublished | FailedRun | LateNight


def news(settings: Settings, failed_runs: list[FailedRun], now: datetime) -> Iterator[News]:
    """Yield what there is to tell at that moment; whether it was told before is not asked here."""
    with psycopg.connect(settings.dsn("engineer")) as connection:
        refused = _night_not_published(connection, settings)
        if refused:
            yield refused
        # A refused build makes its run fail, too: that is told once, with the reason.
        yield from (run for run in failed_runs if not (refused and run.decided(refused.decided_at)))
        if connection.execute("select to_regclass('marts.mart_as_of')").fetchone() != (None,):
            yield from _late_nights(connection, settings, now)
            yield from _early_warnings(connection)


def _early_warnings(connection: psycopg.Connection[Any]) -> list[EarlyWarning]:
    with connection.cursor(row_factory=class_row(EarlyWarning)) as cursor:
        return cursor.execute(
            """
            select
                warning.region_code,
                shown.region_name,
                warning.day,
                warning.topic,
                coalesce(warning.municipality, warning.municipality_code) as place,
                warning.message_count,
                warning.median_count,
                warning.threshold_count,
                warning.counts_before
            from marts.mart_early_warning as warning
            inner join marts.mart_as_of as shown on warning.region_code = shown.region_code
            where
                warning.is_warning
                and warning.day < shown.as_of_local
                and warning.day >= shown.as_of_local - make_interval(days => %s)
            order by warning.region_code, warning.day desc, warning.message_count - warning.threshold_count desc
            """,
            [_DAYS_OF_WARNINGS],
        ).fetchall()


def _night_not_published(connection: psycopg.Connection[Any], settings: Settings) -> NightNotPublished | None:
    last = connection.execute(
        """
        select publication.build_id, publication.decided_at, publication.reason, max(batch.interval_to)
        from quality.publication
        inner join quality.build using (build_id)
        inner join raw.batch on batch.batch_id <= coalesce(build.batches_through, batch.batch_id)
        where publication.publication_id = (select max(publication_id) from quality.publication)
            and not publication.published
        group by publication.publication_id
        """
    ).fetchone()
    if last is None:
        return None
    build_id, decided_at, reason, night_ends = last
    shown: list[tuple[str, datetime]] = []
    if connection.execute("select to_regclass('marts.mart_as_of')").fetchone() != (None,):
        shown = connection.execute(
            "select region_name, as_of_local from marts.mart_as_of order by region_code"
        ).fetchall()
    return NightNotPublished(
        _day_that_ended(night_ends, settings),
        decided_at,
        reason,
        tuple(shown),
        tuple(_failed_checks(connection, build_id)),
    )


def _failed_checks(connection: psycopg.Connection[Any], build_id: UUID) -> list[FailedCheck]:
    with connection.cursor(row_factory=class_row(FailedCheck)) as cursor:
        return cursor.execute(
            """
            with latest_runs as (
                select distinct on (suite) run_id
                from quality.check_run where build_id = %s order by suite, finished_at desc
            )

            select expectation, observed, protects
            from quality.check_result inner join latest_runs using (run_id)
            where not success and severity = 'critical'
            order by check_result_id
            """,
            [build_id],
        ).fetchall()


def _late_nights(connection: psycopg.Connection[Any], settings: Settings, now: datetime) -> Iterator[LateNight]:
    local = now.astimezone(settings.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    night = local.date() - timedelta(days=1)
    due = settings.first_night <= night <= (settings.last_night or night)
    if not due or local.time() < settings.alerts_late_after:
        return
    rows = connection.execute(
        """
        select
            region_code,
            region_name,
            %(night)s::date,
            as_of_local,
            array(
                select source from quality.night
                where night.region_code = shown.region_code and night.night = %(midnight)s and night.file_count = 0
                order by source
            ) as silent_sources,
            last_night_refusal
        from marts.mart_as_of as shown
        where as_of < %(midnight)s and as_of >= %(expected)s
        order by region_code
        """,
        {"night": night, "midnight": midnight, "expected": midnight - _STILL_EXPECTED},
    )
    yield from (LateNight(*row) for row in rows)


def _day_that_ended(moment: datetime, settings: Settings) -> date:
    return (moment.astimezone(settings.zone) - timedelta(microseconds=1)).date()
