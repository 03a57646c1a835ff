-- Grain: one page × state of its register (see int_page_tenure): the days the page is counted on.
-- From the day it opened, but not before the region's first snapshot, when nothing could be known of it; where that day
-- is not told, from the first sign of it. Through the last day the register has it open.
{{ config(post_hook='analyze {{ this }}') }}

with pages as (
    select
        region_code,
        page_id,
        state,
        is_latest,
        (array_agg(network order by valid_from desc nulls last) filter (where authority_id is not null))[1] as network,
        min(opened_on) as opened_on,
        -- What the register's last row says: a page that opened again has no closing day there.
        (array_agg(closed_on order by valid_from desc nulls last) filter (where authority_id is not null))[1]
            as closed_on,
        range_merge(range_agg(stretch) filter (where authority_id is not null)) as registered
    from {{ ref('int_page_tenure') }}
    group by region_code, page_id, state, is_latest
),

watched_regions as (
    select
        clock.region_code,
        clock.last_day,
        first_observation.day as first_day
    from {{ ref('int_page_clock') }} as clock
    cross join lateral (
        select min(observation.day) as day
        from {{ ref('int_page_observation') }} as observation
        where clock.region_code = observation.region_code
    ) as first_observation
),

seen as (
    select
        pages.*,
        region.first_day,
        region.last_day,
        first_observation.day as first_seen_on
    from pages
    inner join watched_regions as region on pages.region_code = region.region_code
    cross join lateral (
        select min(observation.day) as day
        from {{ ref('int_page_observation') }} as observation
        where
            pages.region_code = observation.region_code
            and pages.page_id = observation.page_id
    ) as first_observation
)

select
    region_code,
    page_id,
    state,
    is_latest,
    network,
    first_day as region_first_day,
    first_seen_on,
    case
        when network is not null and first_day is not null
            then
                least(
                    first_seen_on,
                    greatest(coalesce(opened_on, least(lower(registered), first_seen_on)), first_day)
                )
    end as starts_on,
    case
        when network is not null and first_day is not null
            then least(closed_on, upper(registered) - 1, last_day)
    end as ends_on
from seen
