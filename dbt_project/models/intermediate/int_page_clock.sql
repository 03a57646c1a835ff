-- Grain: one region with a batch of authorities, pages or snapshots. Who is whose is judged on `as_of_day`, and what a
-- day without a snapshot means is known through `last_day`.
{{ config(post_hook='analyze {{ this }}') }}

with batches as (
    select
        batch.region_code,
        batch.entity,
        batch.interval_to,
        batch.batch_id > batch_window.batches_after as is_new
    from {{ ref('stg_raw__batch') }} as batch
    inner join {{ ref('int_batch_window') }} as batch_window on batch.batch_id <= batch_window.batches_through
    where batch.entity in ('authority', 'page', 'page_snapshot')
),

nights as (
    select
        batches.region_code,
        batches.entity,
        batches.interval_to,
        batches.is_new,
        region.time_zone,
        -- Midnight is the end of the day before it; an evening's night is of the same day.
        ((batches.interval_to - interval '1 microsecond') at time zone region.time_zone)::date as day
    from batches
    inner join {{ ref('stg_raw__region') }} as region on batches.region_code = region.region_code
)

select
    region_code,
    time_zone,
    max(interval_to) as as_of,
    max(day) as as_of_day,
    max(day) filter (where entity = 'page_snapshot') as last_day,
    max(day) filter (where entity = 'page_snapshot' and not is_new) as last_day_before
from nights
group by region_code, time_zone
