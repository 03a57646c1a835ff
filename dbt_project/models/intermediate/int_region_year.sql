-- Grain: one region × local year in which a message was registered or an incident answered or resolved.
-- Each event is counted in its own year; a touched year is counted again from its rows.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_year'), ['region_code', 'year']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'year'], 'unique': true}]
    )
}}

with work as (
    select
        told.region_code,
        extract(year from told.month)::integer as year,
        sum(told.messages_processed) as messages_processed,
        sum(told.problems_resolved) as problems_resolved
    from
        {{
            of_touched_periods(
                ref('int_work_month'), ref('int_touched_year'), 'month', 'first_day', 'next_first_day'
            )
        }} as told
    group by 1, 2
),

answered as (
    select
        happened.region_code,
        extract(year from happened.first_response_date)::integer as year,
        avg(happened.minutes_to_respond)::numeric(20, 6) as mean_minutes,
        (percentile_cont(0.5) within group (order by happened.minutes_to_respond))::numeric(20, 6)
            as median_minutes,
        (percentile_cont(0.9) within group (order by happened.minutes_to_respond))::numeric(20, 6)
            as p90_minutes,
        count(happened.deadline_at) as with_deadline_count,
        count(*) filter (where happened.is_on_time) as on_time_count
    from
        {{
            of_touched_periods(
                ref('int_incident'), ref('int_touched_year'), 'first_response_date', 'first_day', 'next_first_day'
            )
        }} as happened
    where happened.first_response_date is not null
    group by 1, 2
)

select
    region_code,
    year,
    coalesce(work.messages_processed, 0)::bigint as messages_processed,
    coalesce(work.problems_resolved, 0)::bigint as problems_resolved,
    answered.mean_minutes,
    answered.median_minutes,
    answered.p90_minutes,
    coalesce(answered.with_deadline_count, 0) as with_deadline_count,
    coalesce(answered.on_time_count, 0) as on_time_count
from work
full outer join answered using (region_code, year)
