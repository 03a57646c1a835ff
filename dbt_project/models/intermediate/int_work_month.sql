-- Grain: one region × local month in which a message was registered or an incident resolved.
-- Each event is counted in its own month; a touched month is counted again from its rows.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_work_month'), ['region_code', 'month']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month'], 'unique': true}]
    )
}}

with registered as (
    select
        happened.region_code,
        date_trunc('month', happened.registered_date)::date as month,
        count(*) as message_count
    from
        {{
            of_touched_periods(
                ref('int_message'), ref('int_touched_work_month'), 'registered_date', 'month', 'next_month'
            )
        }} as happened
    where happened.registered_date is not null
    group by 1, 2
),

resolved as (
    select
        happened.region_code,
        date_trunc('month', happened.resolved_date)::date as month,
        sum(happened.message_count) as message_count
    from
        {{
            of_touched_periods(
                ref('int_incident'), ref('int_touched_work_month'), 'resolved_date', 'month', 'next_month'
            )
        }} as happened
    where happened.resolved_date is not null
    group by 1, 2
)

select
    region_code,
    month,
    coalesce(registered.message_count, 0) as messages_processed,
    coalesce(resolved.message_count, 0)::bigint as problems_resolved
from registered
full outer join resolved using (region_code, month)
