-- Grain: one region with a batch of incidents. «As of» is the clock by which what is open is judged overdue.
-- Aggregates the ledger, which has a line a file: history weighs nothing here.
{{ config(post_hook='analyze {{ this }}') }}

with batches as (
    select
        batch.region_code,
        batch.interval_to,
        batch.batch_id > batch_window.batches_after as is_new
    from {{ ref('stg_raw__batch') }} as batch
    inner join {{ ref('int_batch_window') }} as batch_window on batch.batch_id <= batch_window.batches_through
    where batch.entity = 'incident'
),

clock as (
    select
        region_code,
        max(interval_to) as as_of,
        max(interval_to) filter (where not is_new) as as_of_before,
        bool_or(is_new) as is_touched
    from batches
    group by region_code
)

select
    clock.region_code,
    region.time_zone,
    clock.as_of,
    coalesce(clock.as_of_before, clock.as_of) as as_of_before,
    clock.is_touched,
    -- Midnight is the end of the day before it, not the start of a month with nothing in it.
    date_trunc('month', (clock.as_of - interval '1 microsecond') at time zone region.time_zone)::date
        as as_of_month,
    date_trunc(
        'month',
        (coalesce(clock.as_of_before, clock.as_of) - interval '1 microsecond') at time zone region.time_zone
    )::date as as_of_month_before
from clock
inner join {{ ref('stg_raw__region') }} as region on clock.region_code = region.region_code
