"""What people see: the build beside it takes its place in one transaction, once it is whole and checked."""

from typing import Any
from uuid import UUID

import psycopg

from otklik.errors import OtklikError
from otklik.settings import Settings
from otklik.warehouse.builds import MARTS_LOCK, built_on

# Every build is checked by each of these, and its rows are counted from file to mart.
SUITES = ("raw", "marts")
RECONCILIATION = "reconciliation"

# Renaming costs the same however much there is, and moves no row; nobody who reads is waited for.
_EXCHANGE = """
alter schema intermediate rename to intermediate_before;
alter schema intermediate_next rename to intermediate;
alter schema intermediate_before rename to intermediate_next;
alter schema marts rename to marts_before;
alter schema marts_next rename to marts;
alter schema marts_before rename to marts_next;

grant usage on schema marts to otklik_reader, otklik_analyst, otklik_auditor;
revoke usage on schema marts_next from otklik_reader, otklik_analyst, otklik_auditor;
grant usage, create on schema intermediate_next, marts_next to otklik_transformer;
revoke all on schema intermediate, marts from otklik_transformer;
"""

# What people see from now on, beside what they saw until now: a value is kept from the publication that first showed
# it to the one that showed another.
_KEEP_FIGURES = """
with shown as (
    select
        region_code, metric, 'year' as period_kind, make_date(year, 1, 1) as period_start,
        'region' as scope, '' as authority, value
    from marts.mart_year_summary
    union all
    select
        month.region_code, told.metric, 'month', month.month, month.scope, coalesce(month.authority, ''), told.value
    from marts.mart_time_to_respond_month as month
    cross join lateral (
        values
        ('incidents_answered', month.answered_count::numeric),
        ('mean_time_to_respond', month.mean_minutes),
        ('median_time_to_respond', month.median_minutes),
        ('p90_time_to_respond', month.p90_minutes),
        ('on_time_share', month.on_time_share)
    ) as told (metric, value)
),

compared as (
    select
        region_code, metric, period_kind, period_start, scope, authority,
        shown.value,
        kept.since is not null as was_shown
    from shown
    full join (select * from quality.figure where until is null) as kept
        using (region_code, metric, period_kind, period_start, scope, authority)
    where shown.value is distinct from kept.value or kept.since is null
),

ended as (
    update quality.figure as kept
    set until = %(publication)s
    from compared
    where
        compared.was_shown
        and kept.until is null
        and (kept.region_code, kept.metric, kept.period_kind, kept.period_start, kept.scope, kept.authority)
        = (
            compared.region_code, compared.metric, compared.period_kind, compared.period_start, compared.scope,
            compared.authority
        )
)

insert into quality.figure (region_code, metric, period_kind, period_start, scope, authority, value, since)
select region_code, metric, period_kind, period_start, scope, authority, value, %(publication)s
from compared
"""


class PublishError(OtklikError):
    """A build that people must not see; the reason is noted in quality.publication."""


def publish(settings: Settings) -> str:
    """Let people see the build that stands beside what they see; return what was done.

    The build must be the newest, whole, checked by every suite without a critical failure, and hold no less than what
    people see. Otherwise they go on seeing what they saw, the reason is noted, and PublishError is raised.
    """
    with psycopg.connect(settings.dsn("publisher")) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [MARTS_LOCK])
        newest = connection.execute(
            "select build_id, success, batches_through from quality.build order by finished_at desc limit 1"
        ).fetchone()
        if newest is None:
            raise PublishError("Nothing has been built yet: run the DAG `marts`")
        build_id, success, through = newest
        seen = built_on(connection, "")
        if seen and seen[0] == build_id:
            return f"Build {build_id} is what people see already"
        reason = _reason_against(connection, build_id, success=success, through=through, seen=seen)
        [(publication,)] = connection.execute(
            "insert into quality.publication (build_id, published, reason) values (%s, %s, %s)"
            " returning publication_id",
            (build_id, reason is None, reason),
        )
        if reason is None:
            connection.execute(_EXCHANGE)
            connection.execute(_KEEP_FIGURES, {"publication": publication})
    if reason:
        raise PublishError(f"Build {build_id} is not published, people see the one before: {reason}")
    return f"Build {build_id} is what people see now, with all batches through {through}"


def _reason_against(
    connection: psycopg.Connection[Any],
    build_id: UUID,
    *,
    success: bool,
    through: int | None,
    seen: tuple[UUID, int] | None,
) -> str | None:
    """Return in Russian why a build must not be published; None when it may be."""
    built = built_on(connection, "_next")
    if not success or through is None or built is None or built[0] != build_id:
        return "расчёт не завершён"
    runs = dict(
        connection.execute(
            "select distinct on (suite) suite, failed_critical from quality.check_run where build_id = %s"
            " order by suite, finished_at desc",
            [build_id],
        ).fetchall()
    )
    needed = (*SUITES, RECONCILIATION)
    if missing := [suite for suite in needed if suite not in runs]:
        return f"не проведены проверки: {', '.join(missing)}"
    if failed := sum(runs[suite] for suite in needed):
        return f"не пройдены критические проверки: {failed}"
    if seen and through < seen[1]:
        return f"в расчёте данные по загрузку {through}, а показаны уже по загрузку {seen[1]}"
    return None
