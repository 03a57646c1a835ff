-- Grain: region × local year × metric, for years in which something was registered, answered or resolved.
-- A region's few rows are written again whenever it had a batch: each compares with other years.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_region'), ['region_code']) }}",
        indexes=[{'columns': ['region_code', 'year']}]
    )
}}

with years as (
    select *
    from {{ ref('int_region_year') }}
    where
        true
        {{ and_touched(ref('int_touched_region'), ['region_code']) }}
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
    group by years.region_code, years.year
),

metrics as (
    select
        years.region_code,
        years.year,
        metric.metric,
        metric.value,
        metric.unit
    from years
    left join overdue on years.region_code = overdue.region_code and years.year = overdue.year
    cross join lateral (
        values
        ('messages_processed', years.messages_processed::numeric, 'messages'),
        ('problems_resolved', years.problems_resolved::numeric, 'messages'),
        ('mean_time_to_respond', years.mean_minutes, 'minutes'),
        ('median_time_to_respond', years.median_minutes, 'minutes'),
        ('p90_time_to_respond', years.p90_minutes, 'minutes'),
        (
            'on_time_share',
            years.on_time_count::numeric
            / nullif(years.with_deadline_count + coalesce(overdue.overdue_unanswered_count, 0), 0),
            'share'
        )
    ) as metric (metric, value, unit)
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
