-- Grain: one incident × local day from which it was known in this state; `until_day` is the day of the next state.
-- What was known on a day is what the batches of that day's night and of earlier nights had told, so a correction
-- that came later changes no earlier day. A batch that tells of many nights (history) counts from the first of them.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'source', 'incident_id', 'known_day'], 'unique': true},
            {'columns': ['region_code', 'until_day']},
        ]
    )
}}

{% set by_time = 'version.updated_at, version.interval_to, version.batch_id, version.row_number' %}

with messages as (
    select distinct
        version.region_code,
        version.source,
        version.message_id
    from {{ ref('stg_raw__incident') }} as version
    where
        version.batch_id <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
        {{
            and_touched(
                ref('int_touched_incident'),
                ['version.region_code', 'version.source', 'version.incident_id'],
                ['region_code', 'source', 'incident_id']
            )
        }}
),

versions as (
    select
        version.*,
        batch.interval_to,
        clock.time_zone,
        (batch.interval_from at time zone clock.time_zone)::date as known_day,
        row_number() over (
            partition by version.region_code, version.source, version.message_id
            order by version.updated_at, batch.interval_to, version.batch_id, version.row_number
        ) as lateness
    from messages
    inner join {{ ref('stg_raw__incident') }} as version
        on
            messages.region_code = version.region_code
            and messages.source = version.source
            and messages.message_id = version.message_id
    inner join {{ ref('stg_raw__batch') }} as batch on version.batch_id = batch.batch_id
    inner join {{ ref('int_region_clock') }} as clock on version.region_code = clock.region_code
    where
        version.batch_id <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
),

-- On each day on which a version came: the latest of those that had come by then.
latest_by_day as (
    select distinct
        region_code,
        source,
        message_id,
        known_day,
        max(lateness) over (partition by region_code, source, message_id order by known_day) as lateness
    from versions
),

message_spans as (
    select
        versions.*,
        latest.known_day as span_day,
        lead(latest.known_day) over (
            partition by latest.region_code, latest.source, latest.message_id order by latest.known_day
        ) as span_until
    from latest_by_day as latest
    inner join versions using (region_code, source, message_id, lateness)
),

days_of_change as (
    select
        region_code,
        source,
        incident_id,
        span_day as day
    from message_spans
    union
    select
        region_code,
        source,
        incident_id,
        span_until as day
    from message_spans
    where span_until is not null
),

states as (
    select distinct on (change.region_code, change.source, change.incident_id, change.day)
        change.region_code,
        change.source,
        change.incident_id,
        change.day,
        span.message_id,
        span.status,
        span.priority,
        span.channel,
        span.topic,
        span.subtopic,
        span.municipality_code,
        span.municipality,
        span.authority,
        span.updated_at,
        span.registered_at,
        span.assigned_at,
        span.first_response_at,
        span.resolved_at,
        span.closed_at,
        span.reopened_at,
        span.due_at,
        span.time_zone,
        min(span.received_at) over (
            partition by change.region_code, change.source, change.incident_id, change.day
        ) as received_at
    from days_of_change as change
    left join message_spans as span
        on
            change.region_code = span.region_code
            and change.source = span.source
            and change.incident_id = span.incident_id
            and change.day >= span.span_day
            and change.day < coalesce(span.span_until, 'infinity')
            and not span.is_deleted
    order by
        change.region_code asc, change.source asc, change.incident_id asc, change.day asc,
        span.updated_at desc nulls last, span.interval_to desc, span.batch_id desc, span.row_number desc
),

until as (
    select
        *,
        lead(day) over (partition by region_code, source, incident_id order by day) as until_day,
        -- A source that says only that it is over gives no moment but that of its saying so.
        coalesce(
            resolved_at, closed_at, case when status in ('resolved', 'closed') then updated_at end
        ) as ended_at
    from states
),

-- Left by its last message, or deleted at the source: from that day on there is no such incident.
spans as (
    select *
    from until
    where message_id is not null
),

priorities as (
    select
        spans.region_code,
        spans.source,
        spans.incident_id,
        spans.day,
        array_agg(version.priority order by {{ by_time }}) as known,
        array_agg(version.updated_at order by {{ by_time }}) as known_since
    from spans
    inner join versions as version
        on
            spans.region_code = version.region_code
            and spans.source = version.source
            and spans.incident_id = version.incident_id
            and spans.day >= version.known_day
    where version.priority is not null
    group by spans.region_code, spans.source, spans.incident_id, spans.day
),

clocks as (
    select
        spans.*,
        in_force.clock_started_at,
        in_force.limit_minutes,
        -- The source's own deadline wins: there is none to work out.
        case when spans.due_at is null then in_force.unit end as unit
    from spans
    left join priorities
        on
            spans.region_code = priorities.region_code
            and spans.source = priorities.source
            and spans.incident_id = priorities.incident_id
            and spans.day = priorities.day
    {{ left_join_policy_in_force('spans', 'spans.received_at', 'priorities') }}
),

{{ policy_deadlines('clocks') }}

select
    region_code,
    source,
    incident_id,
    day as known_day,
    until_day,
    status,
    priority,
    channel,
    topic,
    subtopic,
    municipality_code,
    municipality,
    authority,
    received_at,
    registered_at,
    assigned_at,
    first_response_at,
    ended_at,
    case when reopened_at > ended_at then reopened_at end as reopened_at,
    coalesce(due_at, policy_deadline_at) as deadline_at,
    (received_at at time zone time_zone)::date as received_date,
    (first_response_at at time zone time_zone)::date as first_response_date,
    (ended_at at time zone time_zone)::date as ended_date,
    (case when reopened_at > ended_at then reopened_at end at time zone time_zone)::date as reopened_date,
    (coalesce(due_at, policy_deadline_at) at time zone time_zone)::date as deadline_date
from deadlines
