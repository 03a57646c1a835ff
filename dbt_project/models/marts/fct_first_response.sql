-- Grain: one incident that was answered, by the local day of its first response.
-- What fct_incident tells of it, narrow and in floating point: a percentile of any slice sorts all its rows, and of
-- decimal numbers in rows of thirty columns that takes four times as long.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_day'), ['region_code', 'first_response_date'],
            ['region_code', 'day']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'first_response_date']}]
    )
}}

select
    region_code,
    first_response_date,
    minutes_to_respond::double precision as minutes_to_respond,
    working_minutes_to_respond::double precision as working_minutes_to_respond,
    is_on_time,
    authority,
    municipality,
    topic,
    channel,
    source,
    incident_id
from {{ ref('int_incident') }}
where
    first_response_date is not null
    {{ and_touched(ref('int_touched_day'), ['region_code', 'first_response_date'], ['region_code', 'day']) }}
