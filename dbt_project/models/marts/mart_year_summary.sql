-- Grain: region × local year × metric, from the first year that tells anything of the metric's kind through the year of
-- the region's last night. What a region never had has no row; a year without it counts 0.
-- Some dozens of rows, written again whole: each compares with other years.
{{
    config(
        materialized='table',
        indexes=[{'columns': ['region_code', 'year']}],
        grants={'+select': ['otklik_publisher']}
    )
}}

with counted as (
    {{ work_done_by('year') }}
),

beginnings as (
    select
        region_code,
        metric as kind,
        min(year) as year
    from counted
    group by region_code, metric
    union all
    select
        region_code,
        'messages' as kind,
        min(year) as year
    from {{ ref('int_region_year') }}
    group by region_code
    union all
    select
        region_code,
        'pages' as kind,
        extract(year from min(region_first_day))::integer as year
    from {{ ref('int_page_life') }}
    where region_first_day is not null
    group by region_code
),

years as (
    select
        beginnings.region_code,
        beginnings.kind,
        passed.year
    from beginnings
    inner join {{ ref('int_region_night') }} as night on beginnings.region_code = night.region_code
    cross join lateral generate_series(beginnings.year, night.as_of_year) as passed (year)
),

overdue as (
    select
        years.region_code,
        years.year,
        sum(change.entered_count - change.left_count) as overdue_unanswered_count
    from years
    inner join {{ ref('int_region_clock') }} as clock on years.region_code = clock.region_code
    inner join {{ ref('int_overdue_month') }} as change
        on
            years.region_code = change.region_code
            and change.month < make_date(years.year + 1, 1, 1)
            and clock.as_of_month >= change.month
    where years.kind = 'messages'
    group by years.region_code, years.year
),

messages as (
    select
        years.region_code,
        years.year,
        figure.metric,
        figure.value,
        figure.unit
    from years
    left join {{ ref('int_region_year') }} as told
        on years.region_code = told.region_code and years.year = told.year
    left join overdue on years.region_code = overdue.region_code and years.year = overdue.year
    cross join
        lateral (
            values
            ('messages_processed', coalesce(told.messages_processed, 0)::numeric, 'messages'),
            ('problems_resolved', coalesce(told.problems_resolved, 0)::numeric, 'messages'),
            ('mean_time_to_respond', told.mean_minutes, 'minutes'),
            ('median_time_to_respond', told.median_minutes, 'minutes'),
            ('p90_time_to_respond', told.p90_minutes, 'minutes'),
            (
                'on_time_share',
                coalesce(told.on_time_count, 0)::numeric
                / nullif(coalesce(told.with_deadline_count, 0) + coalesce(overdue.overdue_unanswered_count, 0), 0),
                'share'
            )
        ) as figure (metric, value, unit)
    where years.kind = 'messages'
),

-- Of a year that is not over, the last day known; of one in which nothing was counted, none.
last_page_days as (
    select
        years.region_code,
        years.year,
        case
            when clock.last_day >= make_date(years.year, 1, 1) then least(clock.last_day, make_date(years.year, 12, 31))
        end as day
    from years
    inner join {{ ref('int_page_clock') }} as clock on years.region_code = clock.region_code
    where years.kind = 'pages'
),

pages as (
    {{ page_figures_by('year', 'last_page_days') }}
),

counted_kinds as (
    select distinct
        metric,
        unit
    from counted
),

counts as (
    select
        years.region_code,
        years.year,
        years.kind as metric,
        coalesce(counted.value, 0)::numeric as value,
        counted_kinds.unit
    from years
    inner join counted_kinds on years.kind = counted_kinds.metric
    left join counted
        on years.region_code = counted.region_code and years.kind = counted.metric and years.year = counted.year
),

metrics as (
    select * from messages
    union all
    select * from pages
    union all
    select * from counts
)

select
    region_code,
    year,
    metric,
    value::numeric(20, 6) as value,
    (max(value) over (
        partition by region_code, metric order by year range between 1 preceding and 1 preceding
    ))::numeric(20, 6) as value_previous_year,
    -- The first year that has the figure: a centre answers nobody before it opens.
    (first_value(value) over (
        partition by region_code, metric order by value is null, year
    ))::numeric(20, 6) as value_first_year,
    unit
from metrics
