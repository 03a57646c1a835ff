-- Grain: region × local day received × topic × municipality (its code, or its name where it has none).
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_received_day'), ['region_code', 'day']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'day', 'topic', 'municipality_key']}]
    )
}}

select
    message.region_code,
    message.received_date as day,
    message.topic,
    coalesce(message.municipality_code, message.municipality) as municipality_key,
    max(message.municipality_code) as municipality_code,
    max(message.municipality) as municipality,
    count(*) as message_count
from {{ ref('int_message') }} as message
{% if is_incremental() -%}
    inner join {{ ref('int_touched_received_day') }} as touched
        on message.region_code = touched.region_code and message.received_date = touched.day
{%- endif %}
group by
    message.region_code, message.received_date, message.topic, coalesce(message.municipality_code, message.municipality)
