-- Grain: one local day of a region whose comparison with an earlier day may have changed: at either end of it.
{{ config(post_hook='analyze {{ this }}') }}

with first_touched as (
    select
        region_code,
        min(day) as day
    from {{ ref('int_touched_page_day') }}
    group by region_code
),

bounds as (
    select distinct
        life.region_code,
        -- The first day there was before this build, too, where its snapshots were taken back.
        daterange(least(life.region_first_day, first_touched.day), clock.last_day, '[]') as counted,
        clock.last_day
    from {{ ref('int_page_life') }} as life
    inner join {{ ref('int_page_clock') }} as clock on life.region_code = clock.region_code
    left join first_touched on life.region_code = first_touched.region_code
    where least(life.region_first_day, first_touched.day) <= clock.last_day
),

spans as (
    select
        bounds.region_code,
        bounds.last_day,
        unnest(range_agg(touched.span) * datemultirange(bounds.counted)) as span
    from {{ ref('int_touched_page_span') }} as touched
    inner join bounds on touched.region_code = bounds.region_code
    group by bounds.region_code, bounds.last_day, bounds.counted
)

select distinct
    spans.region_code,
    lower(spans.span) + passed.days + period.days as day
from spans
cross join lateral generate_series(0, upper(spans.span) - lower(spans.span) - 1) as passed (days)
cross join (values (0), (1), (7), (28), (365)) as period (days)
where lower(spans.span) + passed.days + period.days <= spans.last_day
