-- Grain: one local day of a region × kind of moment that a touched incident has there, or had in an earlier version.
-- An incident's former state was carried by a version of a message that was its own then: either that message is
-- touched, or it is still the incident's own. All versions of both cover every day the incident can have left.
{{ config(post_hook='analyze {{ this }}') }}

with messages as (
    select
        region_code,
        source,
        message_id
    from {{ ref('int_touched_message') }}
    union
    select
        message.region_code,
        message.source,
        message.message_id
    from {{ ref('int_touched_incident') }} as touched
    inner join {{ ref('int_message') }} as message
        on
            touched.region_code = message.region_code
            and touched.source = message.source
            and touched.incident_id = message.incident_id
),

versions as (
    select
        version.region_code,
        clock.time_zone,
        version.received_at,
        version.registered_at,
        version.assigned_at,
        version.first_response_at,
        version.resolved_at,
        version.due_at
    from messages
    inner join {{ ref('stg_raw__incident') }} as version
        on
            messages.region_code = version.region_code
            and messages.source = version.source
            and messages.message_id = version.message_id
    inner join {{ ref('int_region_clock') }} as clock on version.region_code = clock.region_code
),

clock_starts as (
    select distinct
        versions.region_code,
        versions.time_zone,
        clock.clock_start,
        clock.clock_started_at
    from versions
    cross join
        lateral (
            values
            ('received', versions.received_at),
            ('registered', versions.registered_at),
            ('assigned', versions.assigned_at)
        ) as clock (clock_start, clock_started_at)
    where clock.clock_start in (select sla_policy.clock_start from {{ ref('sla_policy') }} as sla_policy)
),

{{ policies() }},

-- A deadline by policy may have come of one version's clock and another's priority: every policy counts that was in
-- force when one of these clocks started.
clocks as (
    select
        clock_starts.region_code,
        clock_starts.time_zone,
        clock_starts.clock_started_at,
        policies.limit_minutes,
        policies.unit
    from clock_starts
    inner join policies
        on
            clock_starts.region_code = policies.region_code
            and clock_starts.clock_start = policies.clock_start
            and clock_starts.clock_started_at >= policies.starts_at
            and clock_starts.clock_started_at < policies.ends_at
),

{{ policy_deadlines('clocks') }},

moments as (
    select
        versions.region_code,
        versions.time_zone,
        moment.kind,
        moment.moment_at
    from versions
    cross join
        lateral (
            values
            ('received', versions.received_at),
            ('registered', versions.registered_at),
            ('first_response', versions.first_response_at),
            ('resolved', versions.resolved_at),
            ('due', versions.due_at)
        ) as moment (kind, moment_at)
    union all
    select
        region_code,
        time_zone,
        'due' as kind,
        policy_deadline_at as moment_at
    from deadlines
)

select distinct
    region_code,
    kind,
    (moment_at at time zone time_zone)::date as day
from moments
where moment_at is not null
