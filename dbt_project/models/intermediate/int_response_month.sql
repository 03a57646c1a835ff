-- Grain: one region × local month of first response × scope; in scope 'authority' one authority, NULL where unknown.
-- Percentiles cannot be added up from days, so a touched month is counted again from its incidents.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_month'), ['region_code', 'month']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month']}]
    )
}}

with answered as (
    select
        incident.region_code,
        date_trunc('month', incident.first_response_date)::date as month,
        incident.authority,
        incident.minutes_to_respond,
        incident.working_minutes_to_respond,
        incident.deadline_at,
        incident.is_on_time
    from
        {{
            of_touched_periods(
                ref('int_incident'), ref('int_touched_month'), 'first_response_date', 'month', 'next_month'
            )
        }} as incident
    where incident.first_response_date is not null
)

select
    region_code,
    month,
    case grouping(authority) when 1 then 'region' else 'authority' end as scope,
    authority,
    count(*) as answered_count,
    avg(minutes_to_respond)::numeric(20, 6) as mean_minutes,
    (percentile_cont(0.5) within group (order by minutes_to_respond))::numeric(20, 6) as median_minutes,
    (percentile_cont(0.9) within group (order by minutes_to_respond))::numeric(20, 6) as p90_minutes,
    avg(working_minutes_to_respond)::numeric(20, 6) as mean_working_minutes,
    (percentile_cont(0.5) within group (order by working_minutes_to_respond))::numeric(20, 6)
        as median_working_minutes,
    (percentile_cont(0.9) within group (order by working_minutes_to_respond))::numeric(20, 6) as p90_working_minutes,
    count(deadline_at) as with_deadline_count,
    count(*) filter (where is_on_time) as on_time_count
from answered
group by grouping sets ((region_code, month), (region_code, month, authority))
