-- Grain: one region with a batch of anything: the local year its last night belongs to.
-- Aggregates the ledger, which has a line a file: history weighs nothing here.
with last_nights as (
    select
        batch.region_code,
        max(batch.interval_to) as as_of
    from {{ ref('stg_raw__batch') }} as batch
    inner join {{ ref('int_batch_window') }} as batch_window on batch.batch_id <= batch_window.batches_through
    group by batch.region_code
)

select
    last_nights.region_code,
    last_nights.as_of,
    -- Midnight is the end of the day before it, not the start of a year with nothing in it.
    extract(
        year from (last_nights.as_of - interval '1 microsecond') at time zone region.time_zone
    )::integer as as_of_year
from last_nights
inner join {{ ref('stg_raw__region') }} as region on last_nights.region_code = region.region_code
