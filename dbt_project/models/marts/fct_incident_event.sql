-- Grain: one incident × event × moment: one change of an incident's status. What can happen once is told by the latest
-- version; what can happen again (interim answers, resolution, closing, opening again) by the latest version of each
-- round: a round begins when the incident is opened again.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['incident_id', 'source', 'region_code']},
            {'columns': ['region_code', 'event_date']},
        ]
    )
}}

with incidents as (
    select *
    from {{ ref('int_incident') }}
    where
        true
        {{ and_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}
),

-- Only versions of messages that are the incident's own: what another incident's message said is not its history.
versions as (
    select
        version.region_code,
        version.source,
        version.incident_id,
        version.reopened_count,
        version.interim_at,
        version.resolved_at,
        version.closed_at,
        version.reopened_at,
        row_number() over (
            partition by
                version.incident_id, version.source, version.region_code,
                -- A source that does not count tells rounds apart by when each began; the first has begun by itself,
                -- and is the same whether it is counted or not.
                coalesce(version.reopened_count, case when version.reopened_at is null then 0 end),
                case when version.reopened_count is null then version.reopened_at end
            order by version.updated_at desc, batch.interval_to desc, version.batch_id desc, version.row_number desc
        ) as lateness
    from incidents
    inner join {{ ref('int_message') }} as message
        on
            incidents.region_code = message.region_code
            and incidents.source = message.source
            and incidents.incident_id = message.incident_id
    inner join {{ ref('stg_raw__incident') }} as version
        on
            message.region_code = version.region_code
            and message.source = version.source
            and message.message_id = version.message_id
            and message.incident_id = version.incident_id
    inner join {{ ref('stg_raw__batch') }} as batch on version.batch_id = batch.batch_id
    where
        version.batch_id <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
        and not version.is_deleted
),

events as (
    select
        incidents.region_code,
        incidents.source,
        incidents.incident_id,
        happened.event,
        happened.event_at
    from incidents
    cross join
        lateral (
            values
            ('received', incidents.received_at),
            ('registered', incidents.registered_at),
            ('assigned', incidents.assigned_at),
            ('first_response', incidents.first_response_at)
        ) as happened (event, event_at)
    where happened.event_at is not null
    union all
    -- Rounds may tell of the same moment.
    select distinct
        versions.region_code,
        versions.source,
        versions.incident_id,
        happened.event,
        happened.event_at
    from versions
    cross join
        lateral (
            values
            ('interim', versions.interim_at),
            ('resolved', versions.resolved_at),
            ('closed', versions.closed_at),
            ('reopened', versions.reopened_at)
        ) as happened (event, event_at)
    where
        versions.lateness = 1
        and happened.event_at is not null
)

select
    events.region_code,
    events.source,
    events.incident_id,
    events.event,
    events.event_at,
    (events.event_at at time zone clock.time_zone)::date as event_date
from events
inner join {{ ref('int_region_clock') }} as clock on events.region_code = clock.region_code
