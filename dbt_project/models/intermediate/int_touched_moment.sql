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
        version.received_at,
        version.registered_at,
        version.first_response_at,
        version.resolved_at,
        version.due_at
    from messages
    inner join {{ ref('stg_raw__incident') }} as version
        on
            messages.region_code = version.region_code
            and messages.source = version.source
            and messages.message_id = version.message_id
)

select distinct
    versions.region_code,
    moment.kind,
    (moment.moment_at at time zone clock.time_zone)::date as day
from versions
inner join {{ ref('int_region_clock') }} as clock on versions.region_code = clock.region_code
cross join
    lateral (
        values
        ('received', versions.received_at),
        ('registered', versions.registered_at),
        ('first_response', versions.first_response_at),
        ('resolved', versions.resolved_at),
        ('due', versions.due_at)
    ) as moment (kind, moment_at)
where moment.moment_at is not null
