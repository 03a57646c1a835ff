-- Grain: one region with data. A view, so that what becomes of the next night shows at once.
{{ config(materialized='view') }}

with latest_runs as (
    select distinct on (check_run.suite)
        check_run.suite,
        check_run.success,
        check_run.failed_critical + check_run.failed_warning as failed
    from {{ ref('stg_quality__check_run') }} as check_run
    inner join {{ ref('int_build') }} as build on check_run.build_id = build.build_id
    where check_run.suite in ('raw', 'marts')
    order by check_run.suite asc, check_run.finished_at desc
),

-- Of these very figures. One failure is enough; that nothing failed is known only when both suites ran.
checks as (
    select
        case
            when not bool_and(success) then false
            when count(*) = 2 then true
        end as checks_passed,
        sum(failed)::integer as checks_failed
    from latest_runs
),

-- What became of the last night, these figures or not.
last_decision as (
    select
        decided_at,
        published,
        reason
    from {{ ref('stg_quality__publication') }}
    order by publication_id desc
    limit 1
)

select
    published.region_code,
    published.region_name,
    published.as_of,
    published.as_of_local,
    published.loaded_at,
    published.rows_read,
    published.rows_loaded,
    published.rows_rejected,
    checks.checks_passed,
    checks.checks_failed,
    last_decision.published as last_night_published,
    last_decision.decided_at as last_night_decided_at,
    last_decision.reason as last_night_refusal
from {{ ref('int_published') }} as published
cross join checks
left join last_decision on true
