-- Grain: region × day or month of receipt × scope; in scope 'authority' (months only) one authority, NULL: unknown.
-- Kaplan–Meier: an incident still open counts for as long as it has been watched, so a young cohort is not called slow.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_cohort'), ['region_code', 'month']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month']}]
    )
}}

{% set horizons = [1, 3, 7, 30] %}

with incidents as (
    select
        span.region_code,
        span.received_date,
        date_trunc('month', span.received_date)::date as month,
        span.authority,
        ending.ended_at is not null as is_resolved,
        extract(epoch from coalesce(ending.ended_at, clock.as_of) - span.received_at)::double precision / 86400
            as watched_days
    from
        {{
            of_touched_periods(
                ref('int_incident_span'), ref('int_touched_cohort'), 'received_date', 'month', 'next_month'
            )
        }} as span
    inner join {{ ref('int_region_clock') }} as clock on span.region_code = clock.region_code
    cross join
        lateral (
            values (case when span.reopened_at is null then span.ended_at else span.ended_again_at end)
        ) as ending (ended_at)
    where span.until_day is null
),

-- Told apart by a day and two truths, not by words: three rows an incident are sorted by them.
members as (
    select
        incidents.region_code,
        cohort.cohort_start,
        cohort.is_day,
        cohort.is_of_authority,
        cohort.authority,
        incidents.is_resolved,
        incidents.watched_days
    from incidents
    cross join
        lateral (
            values
            (incidents.received_date, true, false, null),
            (incidents.month, false, false, null),
            (incidents.month, false, true, incidents.authority)
        ) as cohort (cohort_start, is_day, is_of_authority, authority)
),

watched as (
    select
        *,
        count(*) over (
            partition by cohort_start, is_day, is_of_authority, region_code, authority order by watched_days desc
        ) as watched_count
    from members
),

steps as (
    select
        region_code,
        cohort_start,
        is_day,
        is_of_authority,
        authority,
        watched_days,
        max(watched_count) as watched_count,
        count(*) as leaving_count,
        count(*) filter (where is_resolved) as resolved_count
    from watched
    group by cohort_start, is_day, is_of_authority, region_code, authority, watched_days
),

cohorts as (
    select
        region_code,
        cohort_start,
        is_day,
        is_of_authority,
        authority,
        sum(leaving_count) as incident_count,
        sum(resolved_count) as resolved_count,
        {% for days in horizons -%}
            bool_or(resolved_count = watched_count) filter (where watched_days <= {{ days }})
                as all_resolved_{{ days }},
            -- In double precision: a logarithm of a numeric takes thirty times as long.
            exp(sum(ln(1 - resolved_count / watched_count::double precision)) filter (
                where watched_days <= {{ days }} and resolved_count < watched_count
            )) as unresolved_share_{{ days }},
        {% endfor -%}
        max(watched_days) as longest_days
    from steps
    group by cohort_start, is_day, is_of_authority, region_code, authority
)

select
    region_code,
    date_trunc('month', cohort_start)::date as month,
    case when is_day then 'day' else 'month' end as cohort_kind,
    cohort_start,
    case when is_of_authority then 'authority' else 'region' end as scope,
    authority,
    {% for days in horizons -%}
        (
            case
                when all_resolved_{{ days }} then 1
                -- Nobody has been watched for as long: it is not known yet.
                when longest_days >= {{ days }} then 1 - coalesce(unresolved_share_{{ days }}, 1)
            end
        )::numeric(9, 6) as resolved_share_{{ days }}_day{{ 's' if days > 1 }},
    {% endfor -%}
    incident_count::bigint as incident_count,
    resolved_count::bigint as resolved_count,
    (incident_count - resolved_count)::bigint as open_count
from cohorts
