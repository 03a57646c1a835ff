-- Grain: one page × span of days, both ends included, whose figures may have changed. A page's spans do not meet.
{{ config(post_hook='analyze {{ this }}') }}

with observed_days as (
    select
        region_code,
        page_id,
        daterange(day, day + {{ var('audience_carried_days') }}, '[]') as span
    from {{ ref('int_touched_page_day') }}
),

-- The days the clock went through since the last build, without a snapshot too.
passed_days as (
    select
        life.region_code,
        life.page_id,
        daterange(clock.last_day_before + 1, clock.last_day, '[]') as span
    from {{ ref('int_page_life') }} as life
    inner join {{ ref('int_page_clock') }} as clock on life.region_code = clock.region_code
    where
        life.is_latest
        and clock.last_day is distinct from clock.last_day_before
),

changed_lives as (
    select
        life.region_code,
        life.page_id,
        '(,)'::daterange as span
    from {{ ref('int_page_life') }} as life
    cross join {{ ref('int_batch_window') }} as batch_window
    group by life.region_code, life.page_id, batch_window.batches_after
    having
        min(life.state) > batch_window.batches_after
        or count(distinct row(life.network, life.starts_on, life.ends_on)) > 1
),

-- A snapshot at or before the first one known, of the page or of its region, may have moved where counting starts.
first_days as (
    select
        region_code,
        page_id,
        min(day) as day
    from {{ ref('int_touched_page_day') }}
    group by region_code, page_id
),

moved_starts as (
    select
        life.region_code,
        life.page_id,
        '(,)'::daterange as span
    from {{ ref('int_page_life') }} as life
    inner join first_days on life.region_code = first_days.region_code and life.page_id = first_days.page_id
    where
        life.is_latest
        and first_days.day <= coalesce(life.first_seen_on, 'infinity')
),

first_days_of_regions as (
    select
        region_code,
        min(day) as day
    from first_days
    group by region_code
),

moved_regions as (
    select
        life.region_code,
        life.page_id,
        '(,)'::daterange as span
    from {{ ref('int_page_life') }} as life
    inner join first_days_of_regions as first_days on life.region_code = first_days.region_code
    where
        life.is_latest
        and first_days.day <= coalesce(life.region_first_day, 'infinity')
),

spans as (
    select * from observed_days
    union all
    select * from passed_days
    union all
    select * from changed_lives
    union all
    select * from moved_starts
    union all
    select * from moved_regions
),

merged as (
    select
        region_code,
        page_id,
        unnest(range_agg(span)) as span
    from spans
    group by region_code, page_id
)

select
    region_code,
    page_id,
    coalesce(lower(span), '-infinity') as first_day,
    coalesce(upper(span) - 1, 'infinity') as last_day,
    span
from merged
