-- Grain: one authority × span of days, both ends included, whose audience may have changed: a page of its was counted
-- again, or a page was its in one state of the register and not in another. '' stands for nobody known.
{{ config(post_hook='analyze {{ this }}') }}

with held as (
    select
        region_code,
        page_id,
        state,
        coalesce(authority_id, '') as authority_id,
        range_agg(stretch) as held
    from {{ ref('int_page_tenure') }}
    group by region_code, page_id, state, coalesce(authority_id, '')
),

states as (
    select
        region_code,
        page_id,
        count(distinct state) as state_count
    from held
    group by region_code, page_id
),

counted_again as (
    select
        region_code,
        page_id,
        range_agg(span) as spans
    from {{ ref('int_touched_page_span') }}
    group by region_code, page_id
),

tenures as (
    select
        held.region_code,
        held.page_id,
        held.authority_id,
        range_agg(held.held) as ever_held,
        case
            when count(*) = states.state_count then range_intersect_agg(held.held)
            else '{}'
        end as always_held
    from held
    inner join states
        on
            held.region_code = states.region_code
            and held.page_id = states.page_id
    group by held.region_code, held.page_id, held.authority_id, states.state_count
),

touched as (
    select
        tenures.region_code,
        tenures.authority_id,
        tenures.ever_held - tenures.always_held
        + coalesce(counted_again.spans, '{}'::datemultirange) * tenures.ever_held as spans
    from tenures
    left join counted_again
        on
            tenures.region_code = counted_again.region_code
            and tenures.page_id = counted_again.page_id
),

merged as (
    select
        region_code,
        authority_id,
        unnest(range_agg(spans)) as span
    from touched
    group by region_code, authority_id
)

select
    region_code,
    authority_id,
    coalesce(lower(span), '-infinity') as first_day,
    coalesce(upper(span) - 1, 'infinity') as last_day
from merged
