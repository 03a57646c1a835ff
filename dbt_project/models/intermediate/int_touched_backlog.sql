-- Grain: one region whose backlog this build counts again, from `first_day` on: the first day its new batches tell
-- of, and the days since the clock stood where it did.
{{ config(post_hook='analyze {{ this }}') }}

with new_batches as (
    select
        batch.region_code,
        min(batch.interval_from) as tell_from
    from {{ ref('stg_raw__batch') }} as batch
    inner join {{ ref('int_batch_window') }} as batch_window
        on
            batch.batch_id > batch_window.batches_after
            and batch.batch_id <= batch_window.batches_through
    where batch.entity = 'incident'
    group by batch.region_code
)

select
    clock.region_code,
    least(
        (new_batches.tell_from at time zone clock.time_zone)::date,
        (clock.as_of_before at time zone clock.time_zone)::date
    ) as first_day
from {{ ref('int_region_clock') }} as clock
inner join new_batches on clock.region_code = new_batches.region_code
