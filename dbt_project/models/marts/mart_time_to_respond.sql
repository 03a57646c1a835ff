-- Grain: region × local day of first response × authority × municipality × topic × channel.
-- Only what adds up: counts, sums, and histograms that merge, so that the mean and percentiles of any slice are right.
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
        working_minutes_to_respond,
        {{ minutes_bucket('minutes_to_respond') }} as bucket,
        deadline_at,
        is_on_time
    from {{ ref('int_incident') }}
    where
        first_response_date is not null
        {{ and_touched(ref('int_touched_day'), ['region_code', 'first_response_date'], ['region_code', 'day']) }}
),

buckets as (
    select
        region_code,
        day,
        authority,
        municipality_code,
        municipality,
        topic,
        channel,
        bucket,
        count(*) as answered_count,
        sum(minutes_to_respond) as minutes_sum,
        sum(working_minutes_to_respond) as working_minutes_sum,
        count(working_minutes_to_respond) as with_working_minutes_count,
        count(deadline_at) as with_deadline_count,
        count(*) filter (where is_on_time) as on_time_count
    from answered
    group by region_code, day, authority, municipality_code, municipality, topic, channel, bucket
)

select
    region_code,
    day,
    authority,
    municipality_code,
    municipality,
    topic,
    channel,
    sum(answered_count)::bigint as answered_count,
    sum(minutes_sum)::numeric(20, 6) as minutes_sum,
    sum(working_minutes_sum)::numeric(20, 6) as working_minutes_sum,
    sum(with_working_minutes_count)::bigint as with_working_minutes_count,
    sum(with_deadline_count)::bigint as with_deadline_count,
    sum(on_time_count)::bigint as on_time_count,
    string_agg(bucket || ':' || answered_count, ' ' order by bucket) as histogram
from buckets
group by region_code, day, authority, municipality_code, municipality, topic, channel
