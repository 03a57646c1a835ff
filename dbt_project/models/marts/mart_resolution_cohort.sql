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

with incidents as (
    select
        span.region_code,
        date_trunc('month', span.received_date)::date as month,
        span.received_date,
        span.authority,
        span.ended_at is not null and span.reopened_at is null as is_resolved,
        extract(
            epoch from
            case when span.ended_at is not null and span.reopened_at is null then span.ended_at else clock.as_of end
            - span.received_at
        ) / 86400 as watched_days
    from {{ ref('int_incident_span') }} as span
    inner join {{ ref('int_region_clock') }} as clock on span.region_code = clock.region_code
    where
        span.until_day is null
        {{
            and_touched(
                ref('int_touched_cohort'),
                ['span.region_code', "date_trunc('month', span.received_date)::date"],
                ['region_code', 'month']
            )
        }}
),

members as (
    select
        incidents.region_code,
        incidents.month,
        cohort.cohort_kind,
        cohort.cohort_start,
        cohort.scope,
        cohort.authority,
        incidents.is_resolved,
        incidents.watched_days
    from incidents
    cross join
        lateral (
            values
            ('day', incidents.received_date, 'region', null),
            ('month', incidents.month, 'region', null),
            ('month', incidents.month, 'authority', incidents.authority)
        ) as cohort (cohort_kind, cohort_start, scope, authority)
),

steps as (
    select
        region_code,
        month,
        cohort_kind,
        cohort_start,
        scope,
        authority,
        watched_days,
        count(*) as leaving_count,
        count(*) filter (where is_resolved) as resolved_count,
        sum(count(*)) over (
            partition by region_code, cohort_kind, cohort_start, scope, authority order by watched_days desc
        ) as watched_count
    from members
    group by region_code, month, cohort_kind, cohort_start, scope, authority, watched_days
),

cohorts as (
    select
        steps.region_code,
        steps.month,
        steps.cohort_kind,
        steps.cohort_start,
        steps.scope,
        steps.authority,
        horizon.days as horizon_days,
        sum(steps.leaving_count) as incident_count,
        sum(steps.resolved_count) as resolved_count,
        max(steps.watched_days) as longest_days,
        bool_or(steps.resolved_count = steps.watched_count)
        filter (where steps.watched_days <= horizon.days) as all_resolved,
        exp(sum(ln(1 - steps.resolved_count / steps.watched_count)) filter (
            where steps.watched_days <= horizon.days and steps.resolved_count < steps.watched_count
        )) as unresolved_share
    from steps
    cross join (values (1), (3), (7), (30)) as horizon (days)
    group by
        steps.region_code, steps.month, steps.cohort_kind, steps.cohort_start, steps.scope, steps.authority,
        horizon.days
),

shares as (
    select
        *,
        case
            when all_resolved then 1
            -- Nobody has been watched for as long: it is not known yet.
            when longest_days >= horizon_days then 1 - coalesce(unresolved_share, 1)
        end as resolved_share
    from cohorts
)

select
    region_code,
    month,
    cohort_kind,
    cohort_start,
    scope,
    authority,
    max(incident_count)::bigint as incident_count,
    max(resolved_count)::bigint as resolved_count,
    (max(incident_count) - max(resolved_count))::bigint as open_count,
    (max(resolved_share) filter (where horizon_days = 1))::numeric(9, 6) as resolved_share_1_day,
    (max(resolved_share) filter (where horizon_days = 3))::numeric(9, 6) as resolved_share_3_days,
    (max(resolved_share) filter (where horizon_days = 7))::numeric(9, 6) as resolved_share_7_days,
    (max(resolved_share) filter (where horizon_days = 30))::numeric(9, 6) as resolved_share_30_days
from shares
group by region_code, month, cohort_kind, cohort_start, scope, authority
