-- Grain: region × local day × network, and 'all' × period. Days that have the day a period earlier behind them.
-- A page counts as it was at both ends; the parts of growth add up to it exactly.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_growth_day'), ['region_code', 'day']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'day']}]
    )
}}

with regions as (
    select distinct
        life.region_code,
        life.region_first_day as first_day,
        clock.last_day
    from {{ ref('int_page_life') }} as life
    inner join {{ ref('int_page_clock') }} as clock on life.region_code = clock.region_code
),

days as (
    select
        regions.region_code,
        regions.first_day,
        regions.first_day + passed.days as day
    from regions
    cross join lateral generate_series(1, regions.last_day - regions.first_day) as passed (days)
),

compared as (
    select
        days.region_code,
        days.day,
        period.days as period_days,
        days.day - period.days as day_then
    from days
    cross join (values (1), (7), (28), (365)) as period (days)
    where
        days.day - period.days >= days.first_day
        {{ and_touched(ref('int_touched_growth_day'), ['days.region_code', 'days.day'], ['region_code', 'day']) }}
),

pages_now as (
    select
        compared.region_code,
        compared.day,
        compared.period_days,
        page_day.page_id,
        page_day.network,
        page_day.audience_count
    from compared
    inner join {{ ref('int_page_day') }} as page_day
        on compared.region_code = page_day.region_code and compared.day = page_day.day
),

pages_then as (
    select
        compared.region_code,
        compared.day,
        compared.period_days,
        page_day.page_id,
        page_day.network,
        page_day.audience_count
    from compared
    inner join {{ ref('int_page_day') }} as page_day
        on compared.region_code = page_day.region_code and compared.day_then = page_day.day
),

pages as (
    select
        region_code,
        day,
        period_days,
        network,
        pages_now.audience_count as count_now,
        pages_then.audience_count as count_then,
        case
            when pages_then.page_id is null then 'new'
            when pages_now.page_id is null then 'closed'
            when pages_then.audience_count is null then 'newly_known'
            when pages_now.audience_count is null then 'no_longer_known'
            else 'like_for_like'
        end as part
    from pages_now
    full outer join pages_then using (region_code, day, period_days, network, page_id)
),

totals as (
    select
        region_code,
        day,
        coalesce(network, 'all') as network,
        period_days,
        sum(count_now)::bigint as audience_now,
        sum(count_then)::bigint as audience_then,
        count(*) filter (where part = 'like_for_like') as like_for_like_pages_count,
        coalesce(sum(count_now) filter (where part = 'like_for_like'), 0)::bigint as like_for_like_now,
        coalesce(sum(count_then) filter (where part = 'like_for_like'), 0)::bigint as like_for_like_then,
        count(*) filter (where part = 'new') as new_pages_count,
        coalesce(sum(count_now) filter (where part = 'new'), 0)::bigint as new_pages_audience,
        count(*) filter (where part = 'closed') as closed_pages_count,
        coalesce(sum(count_then) filter (where part = 'closed'), 0)::bigint as closed_pages_audience,
        coalesce(sum(count_now) filter (where part = 'newly_known'), 0)::bigint as newly_known_audience,
        coalesce(sum(count_then) filter (where part = 'no_longer_known'), 0)::bigint as no_longer_known_audience
    from pages
    group by grouping sets ((region_code, day, period_days), (region_code, day, period_days, network))
)

select
    region_code,
    day,
    network,
    period_days,
    audience_now,
    audience_then,
    audience_now - audience_then as growth_count,
    ((audience_now - audience_then)::numeric / nullif(audience_then, 0))::numeric(20, 6) as growth_share,
    like_for_like_pages_count,
    like_for_like_now,
    like_for_like_then,
    like_for_like_now - like_for_like_then as like_for_like_growth_count,
    ((like_for_like_now - like_for_like_then)::numeric / nullif(like_for_like_then, 0))::numeric(20, 6)
        as like_for_like_growth_share,
    new_pages_count,
    new_pages_audience,
    closed_pages_count,
    closed_pages_audience,
    newly_known_audience,
    no_longer_known_audience
from totals
