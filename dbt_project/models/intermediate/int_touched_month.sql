-- Grain: one local month of a region whose response figures may have changed.
{{ config(post_hook='analyze {{ this }}') }}

with of_moments as (
    select
        region_code,
        kind,
        date_trunc('month', day)::date as month
    from {{ ref('int_touched_moment') }}
    where kind in ('first_response', 'due')
),

-- The same month of the next year shows this one's mean beside its own.
compared_with_them as (
    select
        region_code,
        (month + interval '1 year')::date as month
    from of_moments
    where kind = 'first_response'
),

-- Time alone makes deadlines pass: the months the clock was in since the last build.
of_the_clock as (
    select
        clock.region_code,
        passed.month::date as month
    from {{ ref('int_region_clock') }} as clock
    cross join
        generate_series(
            clock.as_of_month_before::timestamp, clock.as_of_month::timestamp, interval '1 month'
        ) as passed (month)
    where clock.is_touched
),

months as (
    select
        region_code,
        month
    from of_moments
    union
    select
        region_code,
        month
    from compared_with_them
    union
    select
        region_code,
        month
    from of_the_clock
)

select
    region_code,
    month,
    (month + interval '1 month')::date as next_month
from months
