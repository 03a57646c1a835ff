-- Grain: one local month of a region whose incidents' shares of resolved may have changed: by a row, or because time
-- went on for those received in the last 30 days.
{{ config(post_hook='analyze {{ this }}') }}

with of_rows as (
    select
        region_code,
        date_trunc('month', day)::date as month
    from {{ ref('int_touched_moment') }}
    where kind = 'received'
),

of_the_clock as (
    select
        clock.region_code,
        passed.month::date as month
    from {{ ref('int_region_clock') }} as clock
    cross join
        generate_series(
            date_trunc('month', (clock.as_of_before at time zone clock.time_zone) - interval '31 days'),
            date_trunc('month', clock.as_of at time zone clock.time_zone),
            interval '1 month'
        ) as passed (month)
    where clock.is_touched
),

months as (
    select
        region_code,
        month
    from of_rows
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
