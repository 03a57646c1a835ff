-- Grain: one region × local month × authority, NULL where unknown: how many incidents became overdue in the month
-- and were not answered by its end, and how many such of earlier months were answered in it.
-- Overdue at the end of a month = all that entered so far − all that left so far; so an answer to an old incident
-- touches two rows here and not every month it was waiting. The month of «as of» ends at «as of».
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_month'), ['region_code', 'month']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month']}]
    )
}}

with entered as (
    select
        incident.region_code,
        date_trunc('month', incident.deadline_date)::date as month,
        incident.authority,
        1 as entered,
        0 as left_it
    from
        {{
            of_touched_periods(
                ref('int_incident'), ref('int_touched_month'), 'deadline_date', 'month', 'next_month'
            )
        }} as incident
    inner join {{ ref('int_region_clock') }} as clock on incident.region_code = clock.region_code
    where
        incident.deadline_at < clock.as_of
        and (
            incident.first_response_date is null
            or date_trunc('month', incident.first_response_date) > date_trunc('month', incident.deadline_date)
        )
),

answered_later as (
    select
        incident.region_code,
        date_trunc('month', incident.first_response_date)::date as month,
        incident.authority,
        0 as entered,
        1 as left_it
    from
        {{
            of_touched_periods(
                ref('int_incident'), ref('int_touched_month'), 'first_response_date', 'month', 'next_month'
            )
        }} as incident
    inner join {{ ref('int_region_clock') }} as clock on incident.region_code = clock.region_code
    where
        incident.deadline_at < clock.as_of
        and date_trunc('month', incident.first_response_date) > date_trunc('month', incident.deadline_date)
),

changes as (
    select
        region_code,
        month,
        authority,
        entered,
        left_it
    from entered
    union all
    select
        region_code,
        month,
        authority,
        entered,
        left_it
    from answered_later
)

select
    region_code,
    month,
    authority,
    sum(entered) as entered_count,
    sum(left_it) as left_count
from changes
group by region_code, month, authority
