-- Grain: region × local day × topic × municipality, from a floor of messages on (var early_warning_minimum).
-- The day stands against the same weekday of the eight weeks before it: the hours are the same, and so is the weekday.
-- A day on which the region received nothing at all is not known, and is left out of them.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_warning_day'), ['region_code', 'day']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'day']}]
    )
}}

with candidates as (
    select *
    from {{ ref('int_received_day') }}
    where
        message_count >= {{ var('early_warning_minimum') }}
        and topic is not null
        and municipality_key is not null
        {{ and_touched(ref('int_touched_warning_day'), ['region_code', 'day']) }}
),

weeks as (
    select distinct
        candidates.region_code,
        candidates.day,
        candidates.day - 7 * back.weeks as compared_day
    from candidates
    cross join generate_series(1, {{ var('early_warning_weeks') }}) as back (weeks)
),

known_weeks as (
    select
        region_code,
        day,
        compared_day
    from weeks
    where exists (
        select 1 from {{ ref('int_received_day') }} as received
        where weeks.region_code = received.region_code and weeks.compared_day = received.day
    )
),

past as (
    select
        candidates.region_code,
        candidates.day,
        candidates.topic,
        candidates.municipality_key,
        known_weeks.compared_day,
        coalesce(received.message_count, 0) as message_count
    from candidates
    inner join known_weeks on candidates.region_code = known_weeks.region_code and candidates.day = known_weeks.day
    left join {{ ref('int_received_day') }} as received
        on
            known_weeks.region_code = received.region_code
            and known_weeks.compared_day = received.day
            and candidates.topic = received.topic
            and candidates.municipality_key = received.municipality_key
),

medians as (
    select
        region_code,
        day,
        topic,
        municipality_key,
        count(*) as weeks_count,
        array_agg(message_count order by compared_day desc) as counts_before,
        percentile_cont(0.5) within group (order by message_count)::numeric as median_count
    from past
    group by region_code, day, topic, municipality_key
),

-- Median absolute deviation: one bad week among eight moves it little.
deviations as (
    select
        medians.*,
        deviation.mad
    from medians
    cross join lateral (
        select
            percentile_cont(0.5) within group (order by abs(had.message_count - medians.median_count))::numeric
                as mad
        from unnest(medians.counts_before) as had (message_count)
    ) as deviation
),

-- 1.4826 makes a standard deviation of it. Where all weeks were alike it is 0, and a single message more would warn:
-- one message is the least that counts as usual.
thresholds as (
    select
        candidates.region_code,
        candidates.day,
        candidates.topic,
        candidates.municipality_code,
        candidates.municipality,
        candidates.message_count,
        coalesce(deviations.weeks_count, 0) as weeks_count,
        deviations.counts_before,
        deviations.median_count,
        deviations.mad,
        case
            when deviations.weeks_count >= {{ var('early_warning_weeks_known') }}
                then deviations.median_count + 3 * greatest(1.4826 * deviations.mad, 1)
        end as threshold_count
    from candidates
    left join deviations
        on
            candidates.region_code = deviations.region_code
            and candidates.day = deviations.day
            and candidates.topic = deviations.topic
            and candidates.municipality_key = deviations.municipality_key
)

select
    region_code,
    day,
    topic,
    municipality_code,
    municipality,
    message_count,
    weeks_count,
    counts_before,
    median_count::numeric(20, 6) as median_count,
    mad::numeric(20, 6) as mad,
    threshold_count::numeric(20, 6) as threshold_count,
    message_count > threshold_count as is_warning
from thresholds
