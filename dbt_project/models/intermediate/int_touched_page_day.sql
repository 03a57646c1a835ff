-- Grain: one page × local day of which this build's batches brought a page_snapshot.
{{ config(post_hook='analyze {{ this }}') }}

with days as (
    select distinct
        page_snapshot.region_code,
        page_snapshot.page_id,
        (page_snapshot.observed_at at time zone clock.time_zone)::date as day,
        clock.time_zone
    from {{ ref('stg_raw__page_snapshot') }} as page_snapshot
    inner join {{ ref('int_page_clock') }} as clock on page_snapshot.region_code = clock.region_code
    where
        page_snapshot.batch_id > (select batch_window.batches_after from {{ ref('int_batch_window') }} as batch_window)
        and page_snapshot.batch_id
        <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
)

select
    region_code,
    page_id,
    day,
    day::timestamp at time zone time_zone as starts_at,
    (day + 1)::timestamp at time zone time_zone as ends_at
from days
