-- Grain: one local month of a region in which messages were received that this build's batches tell of, one whose
-- figures look back at such a month, or one the clock was in since the last build.
{{ config(post_hook='analyze {{ this }}') }}

with received as (
    select distinct
        region_code,
        date_trunc('month', day)::date as month
    from {{ ref('int_touched_moment') }}
    where kind = 'received'
),

reached as (
    select
        received.region_code,
        (received.month + reach.months * interval '1 month')::date as month,
        reach.is_of_repeats,
        reach.is_of_trends
    from received
    -- A repeat is told by the thirty days before it, and two months lie in thirty days from the end of January on;
    -- a trend by the month before and by the same month a year ago.
    cross join (
        values
        (0, true, true),
        (1, true, true),
        (2, true, false),
        (12, false, true)
    ) as reach (months, is_of_repeats, is_of_trends)
    union all
    -- Time alone ends a month.
    select
        clock.region_code,
        passed.month::date as month,
        false as is_of_repeats,
        true as is_of_trends
    from {{ ref('int_region_clock') }} as clock
    cross join
        generate_series(
            clock.as_of_month_before::timestamp, clock.as_of_month::timestamp, interval '1 month'
        ) as passed (month)
    where clock.is_touched
)

select
    region_code,
    month,
    (month + interval '1 month')::date as next_month,
    bool_or(is_of_repeats) as is_of_repeats,
    bool_or(is_of_trends) as is_of_trends
from reached
group by region_code, month
