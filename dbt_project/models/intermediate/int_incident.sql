-- Grain: one incident, in the state that the latest version among its messages carries.
-- An incident that its last message left is gone: forget_touched takes it out and nothing comes back.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'source', 'incident_id'], 'unique': true},
            {'columns': ['region_code', 'received_date']},
            {'columns': ['region_code', 'first_response_date']},
            {'columns': ['region_code', 'resolved_date']},
            {'columns': ['region_code', 'due_date']},
            {'columns': ['batch_id']},
        ]
    )
}}

with messages as (
    select *
    from {{ ref('int_message') }}
    where
        true
        {{ and_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}
),

ranked as (
    select
        *,
        count(*) over incident_messages as message_count,
        min(received_at) over incident_messages as first_received_at,
        row_number() over (
            incident_messages order by updated_at desc, interval_to desc, batch_id desc, row_number desc
        ) as lateness
    from messages
    window incident_messages as (partition by region_code, source, incident_id)
)

select
    ranked.region_code,
    ranked.source,
    ranked.incident_id,
    ranked.batch_id,
    ranked.status,
    ranked.priority,
    ranked.channel,
    ranked.topic,
    ranked.subtopic,
    ranked.municipality_code,
    ranked.municipality,
    ranked.authority,
    ranked.message_count,
    ranked.reopened_count,
    round(extract(epoch from ranked.first_response_at - ranked.first_received_at) / 60, 6)::numeric(20, 6)
        as minutes_to_respond,
    ranked.first_response_at <= ranked.due_at as is_on_time,
    ranked.first_received_at as received_at,
    ranked.registered_at,
    ranked.assigned_at,
    ranked.first_response_at,
    ranked.resolved_at,
    ranked.closed_at,
    ranked.due_at,
    (ranked.first_received_at at time zone clock.time_zone)::date as received_date,
    (ranked.first_response_at at time zone clock.time_zone)::date as first_response_date,
    (ranked.resolved_at at time zone clock.time_zone)::date as resolved_date,
    (ranked.due_at at time zone clock.time_zone)::date as due_date
from ranked
inner join {{ ref('int_region_clock') }} as clock on ranked.region_code = clock.region_code
where ranked.lateness = 1
