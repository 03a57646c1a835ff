"""What a night asks about, from the registers in `raw`: pages, surveys, and how far each has been read."""

from datetime import date, datetime
from typing import Any

import psycopg

from otklik.interval import Interval
from otklik.sources.registry import PageEntry, SurveyEntry


def pages(connection: psycopg.Connection[Any], network: str, day: date) -> dict[str, list[PageEntry]]:
    """Return region -> the pages of a network that its register has on the day, in the order of their ids."""
    found: dict[str, list[PageEntry]] = {}
    for region_code, *entry in connection.execute(_PAGES, {"network": network, "day": day}):
        found.setdefault(region_code, []).append(PageEntry(*entry))
    return found


def pages_read(connection: psycopg.Connection[Any], network: str, region_code: str, interval: Interval) -> set[str]:
    """Return the pages whose members are known from this very night already."""
    rows = connection.execute(
        """
        select distinct snapshot.page_id
        from raw.page_snapshot as snapshot
        inner join raw.batch as batch on snapshot.batch_id = batch.batch_id
        where snapshot.source = %s and snapshot.region_code = %s and snapshot.members_count is not null
            and batch.interval_from = %s and batch.interval_to = %s
        """,
        [network, region_code, interval.start, interval.end],
    )
    return {page_id for (page_id,) in rows}


def surveys(connection: psycopg.Connection[Any], system: str, day: date) -> dict[str, list[SurveyEntry]]:
    """Return region -> the surveys a night of that day asks about: open, closed lately, or never read before."""
    found: dict[str, list[SurveyEntry]] = {}
    for region_code, *entry in connection.execute(_SURVEYS, {"system": system, "day": day}):
        found.setdefault(region_code, []).append(SurveyEntry(*entry))
    return found


def last_update(connection: psycopg.Connection[Any], source: str, region_code: str) -> datetime | None:
    """Return the latest update time of the incidents that a source has given, or None before the first."""
    [found] = connection.execute(
        "select max(updated_at) from raw.incident where source = %s and region_code = %s", [source, region_code]
    ).fetchall()
    return found[0] if isinstance(found[0], datetime) else None


_PAGES = """
    with versions as (
        select distinct on (region_code, source, page_id, valid_from) *
        from raw.page
        order by region_code, source, page_id, valid_from, updated_at desc, batch_id desc, row_number desc
    ),

    valid as (
        select distinct on (region_code, page_id) *
        from versions
        where not is_deleted
            and coalesce(valid_from, %(day)s) <= %(day)s and coalesce(valid_to, %(day)s) >= %(day)s
            and coalesce(opened_on, %(day)s) <= %(day)s and (closed_on is null or closed_on > %(day)s)
        order by region_code, page_id, valid_from desc nulls last
    )

    select region_code, page_id, network, external_id
    from valid
    where network = %(network)s
    order by region_code, page_id
"""

# A month after its end a survey still gets late edits.
_SURVEYS = """
    with versions as (
        select distinct on (region_code, source, survey_id) *
        from raw.survey
        order by region_code, source, survey_id, updated_at desc, batch_id desc, row_number desc
    ),

    asked as (
        select *
        from versions
        where not is_deleted and system = %(system)s and coalesce(opened_on, %(day)s) <= %(day)s
            and (
                closed_on is null or closed_on > %(day)s::date - 31
                or not exists (
                    select 1 from raw.survey_question as question
                    where question.region_code = versions.region_code and question.survey_id = versions.survey_id
                )
            )
    ),

    read as (
        select region_code, survey_id, max(submitted_at) as last_submitted_at,
            max(response_id::bigint) filter (where response_id ~ '^[0-9]{1,18}$') as last_id
        from raw.survey_response
        group by region_code, survey_id
    )

    select asked.region_code, asked.survey_id, asked.system, asked.external_id,
        case asked.system
            when 'limesurvey' then read.last_id::text
            when 'kobo' then to_char(read.last_submitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
        end
    from asked
    left join read on asked.region_code = read.region_code and asked.survey_id = read.survey_id
    order by asked.region_code, asked.survey_id
"""
