-- Grain: one incident, in the state that the latest version among its messages carries.
-- An incident that its last message left is gone: forget_touched takes it out and nothing comes back.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['incident_id', 'source', 'region_code'], 'unique': true},
            {'columns': ['region_code', 'received_date']},
            {'columns': ['region_code', 'first_response_date']},
            {'columns': ['region_code', 'resolved_date']},
            {'columns': ['region_code', 'deadline_date']},
            {'columns': ['batch_id']},
        ]
    )
}}

{% set by_time = 'version.updated_at, version.interval_to, version.batch_id, version.row_number' %}

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
    window incident_messages as (partition by incident_id, source, region_code)
),

incidents as (
    select
        ranked.*,
        clock.time_zone
    from ranked
    inner join {{ ref('int_region_clock') }} as clock on ranked.region_code = clock.region_code
    where ranked.lateness = 1
),

-- What is known of an incident's priority, in the order in which it became known.
priorities as (
    select
        version.region_code,
        version.source,
        version.incident_id,
        array_agg(version.priority order by {{ by_time }}) as known,
        array_agg(version.updated_at order by {{ by_time }}) as known_since
    from {{ ref('int_priority_version') }} as version
    where
        true
        {{
            and_touched(
                ref('int_touched_incident'),
                ['version.region_code', 'version.source', 'version.incident_id'],
                ['region_code', 'source', 'incident_id']
            )
        }}
    group by version.incident_id, version.source, version.region_code
),

{{ policies() }},

clocks as (
    select
        incidents.*,
        in_force.clock_started_at,
        in_force.limit_minutes,
        -- The source's own deadline wins: there is none to work out.
        case when incidents.due_at is null then in_force.unit end as unit
    from incidents
    left join priorities
        on
            incidents.region_code = priorities.region_code
            and incidents.source = priorities.source
            and incidents.incident_id = priorities.incident_id
    {{ left_join_policy_in_force('incidents', 'incidents.first_received_at', 'priorities') }}
),

{{ policy_deadlines('clocks') }},

local_times as (
    select
        *,
        coalesce(due_at, policy_deadline_at) as deadline_at,
        case
            when due_at is not null then 'source'
            when policy_deadline_at is not null then 'policy'
        end as deadline_basis,
        first_received_at at time zone time_zone as received_local,
        first_response_at at time zone time_zone as first_response_local
    from deadlines
)

select
    incident.region_code,
    incident.source,
    incident.incident_id,
    incident.batch_id,
    incident.status,
    incident.priority,
    incident.channel,
    incident.topic,
    incident.subtopic,
    incident.municipality_code,
    incident.municipality,
    incident.authority,
    incident.message_count,
    incident.reopened_count,
    round(extract(epoch from incident.first_response_at - incident.first_received_at) / 60, 6)::numeric(20, 6)
        as minutes_to_respond,
    round(
        {{ working_minutes_until('incident.first_response_local', 'response_day') }}
        - ({{ working_minutes_until('incident.received_local', 'received_day') }}),
        6
    )::numeric(20, 6) as working_minutes_to_respond,
    incident.first_response_at <= incident.deadline_at as is_on_time,
    incident.first_received_at as received_at,
    incident.registered_at,
    incident.assigned_at,
    incident.first_response_at,
    incident.resolved_at,
    incident.closed_at,
    incident.due_at,
    incident.clock_started_at,
    incident.deadline_at,
    incident.deadline_basis,
    incident.received_local::date as received_date,
    incident.first_response_local::date as first_response_date,
    (incident.resolved_at at time zone incident.time_zone)::date as resolved_date,
    (incident.deadline_at at time zone incident.time_zone)::date as deadline_date
from local_times as incident
left join {{ ref('int_working_day') }} as received_day
    on incident.region_code = received_day.region_code and incident.received_local::date = received_day.day
left join {{ ref('int_working_day') }} as response_day
    on
        incident.region_code = response_day.region_code
        and incident.first_response_local::date = response_day.day
