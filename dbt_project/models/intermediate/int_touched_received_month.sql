-- Grain: one local month of a region in which messages were received that this build's batches tell of, or one whose
-- figures look back at such a month.
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
        reach.months
    from received
    -- A repeat is told by the thirty days before it; a trend by the month before and by the same month a year ago.
    cross join (values (0), (1), (12)) as reach (months)
)

select
    region_code,
    month,
    (month + interval '1 month')::date as next_month,
    bool_or(months < 12) as is_of_repeats
from reached
group by region_code, month
