-- Grain: one region with data. A view, so that a check that ends after the build shows at once.
{{ config(materialized='view') }}

with latest_runs as (
    select distinct on (published.region_code, check_run.suite)
        published.region_code,
        check_run.suite,
        check_run.success,
        check_run.failed_critical + check_run.failed_warning as failed
    from {{ ref('int_published') }} as published
    inner join {{ ref('stg_quality__check_run') }} as check_run
        -- A run without a region checked every region.
        on published.region_code = coalesce(check_run.region_code, published.region_code)
    where check_run.suite in ('raw', 'marts')
    order by published.region_code asc, check_run.suite asc, check_run.finished_at desc
),

checks as (
    select
        region_code,
        -- One failure is enough; that nothing failed is known only when both suites ran.
        case
            when not bool_and(success) then false
            when count(*) = 2 then true
        end as checks_passed,
        sum(failed)::integer as checks_failed
    from latest_runs
    group by region_code
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
    checks.checks_failed
from {{ ref('int_published') }} as published
left join checks on published.region_code = checks.region_code
