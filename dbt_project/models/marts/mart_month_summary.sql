-- Grain: region × local month × metric, from the first month that tells anything of the metric's kind through the month
-- of the region's last night: the figures of mart_year_summary month by month. A month without a count has 0.
-- Some hundreds of rows, written again whole: each compares with the year before.
{{ config(materialized='table', indexes=[{'columns': ['region_code', 'metric', 'month']}]) }}

with counted as (
    select
        region_code,
        month,
        'messages_processed' as metric,
        messages_processed::numeric as value,
        'messages' as unit
    from {{ ref('int_work_month') }}
    union all
    select
        region_code,
        month,
        'problems_resolved' as metric,
        problems_resolved::numeric as value,
        'messages' as unit
    from {{ ref('int_work_month') }}
    union all
    select
        region_code,
        month,
        metric,
        value,
        unit
    from ({{ work_done_by('month') }}) as done
),

last_months as (
    select
        night.region_code,
        -- Midnight is the end of the day before it, not the start of a month with nothing in it.
        date_trunc('month', (night.as_of - interval '1 microsecond') at time zone region.time_zone)::date as month
    from {{ ref('int_region_night') }} as night
    inner join {{ ref('stg_raw__region') }} as region on night.region_code = region.region_code
),

first_months as (
    select
        region_code,
        metric,
        unit,
        min(month) as month
    from counted
    group by region_code, metric, unit
),

months as (
    select
        first_months.region_code,
        passed.month::date as month,
        first_months.metric,
        first_months.unit
    from first_months
    inner join last_months on first_months.region_code = last_months.region_code
    cross join
        generate_series(
            first_months.month::timestamp, last_months.month::timestamp, interval '1 month'
        ) as passed (month)
),

counts as (
    select
        months.region_code,
        months.month,
        months.metric,
        coalesce(counted.value, 0) as value,
        months.unit
    from months
    left join counted
        on
            months.region_code = counted.region_code
            and months.month = counted.month
            and months.metric = counted.metric
),

answers as (
    select
        told.region_code,
        told.month,
        figure.metric,
        figure.value,
        figure.unit
    from {{ ref('mart_time_to_respond_month') }} as told
    cross join
        lateral (
            values
            ('mean_time_to_respond', told.mean_minutes, 'minutes'),
            ('median_time_to_respond', told.median_minutes, 'minutes'),
            ('p90_time_to_respond', told.p90_minutes, 'minutes'),
            ('on_time_share', told.on_time_share, 'share')
        ) as figure (metric, value, unit)
    where told.scope = 'region'
),

-- Of a month that is not over, the last day known.
page_days as (
    select
        life.region_code,
        passed.month::date as month,
        least(clock.last_day, (passed.month + interval '1 month - 1 day')::date) as day
    from (
        select
            region_code,
            min(region_first_day) as first_day
        from {{ ref('int_page_life') }}
        where region_first_day is not null
        group by region_code
    ) as life
    inner join {{ ref('int_page_clock') }} as clock on life.region_code = clock.region_code
    cross join
        generate_series(
            date_trunc('month', life.first_day::timestamp), clock.last_day::timestamp, interval '1 month'
        ) as passed (month)
),

pages as (
    {{ page_figures_by('month', 'page_days') }}
),

metrics as (
    select * from counts
    union all
    select * from answers
    union all
    select * from pages
)

select
    region_code,
    month,
    metric,
    value::numeric(20, 6) as value,
    (max(value) over (
        partition by region_code, metric
        order by month range between interval '1 year' preceding and interval '1 year' preceding
    ))::numeric(20, 6) as value_previous_year,
    unit
from metrics
