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
    select
        region_code,
        'surveys_completed' as metric,
        completed_year as year,
        count(*) as value,
        'surveys' as unit
    from {{ ref('mart_survey_summary') }}
    where completed_year is not null
    group by region_code, completed_year
    union all
    select
        region_code,
        'broadcasts_held' as metric,
        extract(year from held_date)::integer as year,
        count(*) as value,
        'broadcasts' as unit
    from {{ ref('fct_broadcast') }}
    where held_date is not null
    group by region_code, year
    union all
    select
        region_code,
        'materials_published' as metric,
        extract(year from published_date)::integer as year,
        count(*) as value,
        'materials' as unit
    from {{ ref('fct_material') }}
    where published_date is not null
    group by region_code, year
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

pages_of_day as (
    select
        last_page_days.region_code,
        last_page_days.year,
        last_page_days.day,
        -- On a day that was watched, nobody's page is no page.
        case when last_page_days.day is not null then coalesce(sum(audience.pages_count), 0) end as pages_count,
        sum(audience.audience_count) as audience_count
    from last_page_days
    left join {{ ref('mart_audience_daily') }} as audience
        on last_page_days.region_code = audience.region_code and last_page_days.day = audience.day
    group by last_page_days.region_code, last_page_days.year, last_page_days.day
),

pages as (
    select
        pages_of_day.region_code,
        pages_of_day.year,
        figure.metric,
        figure.value,
        figure.unit
    from pages_of_day
    left join {{ ref('mart_audience_growth') }} as growth
        on
            pages_of_day.region_code = growth.region_code
            and pages_of_day.day = growth.day
            and growth.network = 'all'
            and growth.period_days = 365
    cross join lateral (
        values
        ('pages_working', pages_of_day.pages_count, 'pages'),
        ('audience', pages_of_day.audience_count, 'people'),
        ('audience_growth_share', growth.growth_share, 'share'),
        ('audience_like_for_like_growth_share', growth.like_for_like_growth_share, 'share')
    ) as figure (metric, value, unit)
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
