-- Grain: region × local day of first response × authority × municipality × topic × channel.
-- Counts and sums only, so that any slice of them adds up.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_day'), ['region_code', 'day']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'day']}]
    )
}}

with answered as (
    select
        region_code,
        first_response_date as day,
        authority,
        municipality_code,
        municipality,
        topic,
        channel,
        minutes_to_respond,
        due_at,
        is_on_time
    from {{ ref('int_incident') }}
    where
        first_response_date is not null
        {{ and_touched(ref('int_touched_day'), ['region_code', 'first_response_date'], ['region_code', 'day']) }}
)

select
    region_code,
    day,
    authority,
    municipality_code,
    municipality,
    topic,
    channel,
    count(*) as answered_count,
    sum(minutes_to_respond)::numeric(20, 6) as minutes_sum,
    count(due_at) as with_deadline_count,
    count(*) filter (where is_on_time) as on_time_count
from answered
group by region_code, day, authority, municipality_code, municipality, topic, channel
