-- Grain: region × local month received × authority × municipality × topic. Counts add up over any slice; shares are
-- the row's own. Messages are counted by their own month and authority, incidents by theirs.
-- depends_on: {{ ref('int_touched_received_month') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="
            {% if is_incremental() %}
            delete from {{ this }} as kept
            using {{ ref('int_touched_received_month') }} as touched
            where kept.region_code = touched.region_code and kept.month = touched.month and touched.is_of_repeats
            {% endif %}
        ",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month']}]
    )
}}

with counted_months as (
    select
        region_code,
        month,
        next_month,
        -- The thirty days before it are read too: a repeat is told by what came earlier.
        (month - interval '31 days')::date as read_from
    from {{ ref('int_touched_received_month') }}
    where is_of_repeats
),

-- Months that follow each other read a day once.
read_days as (
    select distinct
        counted_months.region_code,
        passed.day::date as day,
        (passed.day + interval '1 day')::date as next_day
    from counted_months
    cross join
        generate_series(
            counted_months.read_from::timestamp, counted_months.next_month - interval '1 day', interval '1 day'
        ) as passed (day)
),

messages as (
    select
        message.region_code,
        date_trunc('month', message.received_date)::date as month,
        message.authority,
        message.municipality_code,
        message.municipality,
        message.topic,
        message.author_hash is not null
        and message.topic is not null
        and coalesce(message.municipality_code, message.municipality) is not null as is_judged,
        message.received_at - lag(message.received_at) over (
            partition by
                message.region_code, message.author_hash, message.topic,
                coalesce(message.municipality_code, message.municipality)
            order by message.received_at, message.source, message.message_id
        ) <= interval '30 days' as is_soon_after
    from {{ of_touched_periods(ref('int_message'), 'read_days', 'received_date', 'day', 'next_day') }} as message
),

message_counts as (
    select
        messages.region_code,
        messages.month,
        messages.authority,
        messages.municipality_code,
        messages.municipality,
        messages.topic,
        count(*) as message_count,
        count(*) filter (where messages.is_judged) as judged_message_count,
        count(*) filter (where messages.is_judged and messages.is_soon_after) as repeat_count
    from messages
    {% if is_incremental() -%}
        inner join counted_months
            on messages.region_code = counted_months.region_code and messages.month = counted_months.month
    {%- endif %}
    group by
        messages.region_code, messages.month, messages.authority, messages.municipality_code, messages.municipality,
        messages.topic
),

incident_counts as (
    select
        incident.region_code,
        date_trunc('month', incident.received_date)::date as month,
        incident.authority,
        incident.municipality_code,
        incident.municipality,
        incident.topic,
        count(*) as incident_count,
        count(incident.reopened_count) filter (
            where incident.resolved_at is not null or incident.reopened_count > 0
        ) as judged_incident_count,
        count(*) filter (where incident.reopened_count > 0) as reopened_count
    from
        {{
            of_touched_periods(
                ref('int_incident'), 'counted_months', 'received_date', 'month', 'next_month'
            )
        }} as incident
    group by
        incident.region_code, date_trunc('month', incident.received_date), incident.authority,
        incident.municipality_code, incident.municipality, incident.topic
),

both_counts as (
    select
        region_code,
        month,
        authority,
        municipality_code,
        municipality,
        topic,
        message_count,
        judged_message_count,
        repeat_count,
        0 as incident_count,
        0 as judged_incident_count,
        0 as reopened_count
    from message_counts
    union all
    select
        region_code,
        month,
        authority,
        municipality_code,
        municipality,
        topic,
        0 as message_count,
        0 as judged_message_count,
        0 as repeat_count,
        incident_count,
        judged_incident_count,
        reopened_count
    from incident_counts
)

select
    region_code,
    month,
    authority,
    municipality_code,
    municipality,
    topic,
    sum(message_count)::bigint as message_count,
    sum(judged_message_count)::bigint as judged_message_count,
    sum(repeat_count)::bigint as repeat_count,
    (sum(repeat_count) / nullif(sum(judged_message_count), 0))::numeric(9, 6) as repeat_share,
    sum(incident_count)::bigint as incident_count,
    sum(judged_incident_count)::bigint as judged_incident_count,
    sum(reopened_count)::bigint as reopened_count,
    (sum(reopened_count) / nullif(sum(judged_incident_count), 0))::numeric(9, 6) as reopened_share
from both_counts
group by region_code, month, authority, municipality_code, municipality, topic
