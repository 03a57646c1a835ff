-- Grain: one incident × local day from which it was known in this state; `until_day` is the day of the next state.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['incident_id', 'source', 'region_code', 'known_day'], 'unique': true},
            {'columns': ['region_code', 'open_until_day']},
            {'columns': ['region_code', 'received_date']},
        ]
    )
}}

{% set by_time = 'version.updated_at, version.interval_to, version.batch_id, version.row_number' %}

with messages as (
    select *
    from {{ ref('int_message_span') }}
    where
        true
        {{ and_touched(ref('int_touched_incident'), ['region_code', 'source', 'incident_id']) }}
),

days_of_change as (
    select
        incident_id,
        source,
        region_code,
        known_day as day
    from messages
    union
    select
        incident_id,
        source,
        region_code,
        until_day as day
    from messages
    where until_day is not null
),

states as (
    select distinct on (change.incident_id, change.source, change.region_code, change.day)
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
            partition by change.incident_id, change.source, change.region_code, change.day
        ) as received_at
    from days_of_change as change
    left join messages as span
        on
            change.region_code = span.region_code
            and change.source = span.source
            and change.incident_id = span.incident_id
            and change.day >= span.known_day
            and change.day < coalesce(span.until_day, 'infinity')
            and not span.is_deleted
    order by
        change.incident_id asc, change.source asc, change.region_code asc, change.day asc,
        span.updated_at desc nulls last, span.interval_to desc, span.batch_id desc, span.row_number desc
),

until as (
    select
        states.*,
        lead(states.day) over (
            partition by states.incident_id, states.source, states.region_code order by states.day
        ) as until_day,
        -- A source that says only that it is over gives no moment but that of its saying so.
        coalesce(
            states.resolved_at, states.closed_at,
            case when states.status in ('resolved', 'closed') then states.updated_at end
        ) as ended_at,
        -- Likewise for one that says only that it is open again.
        case
            when
                states.status = 'reopened'
                and (states.reopened_at > greatest(states.resolved_at, states.closed_at)) is not true
                then states.updated_at
            else states.reopened_at
        end as again_at
    from states
),

rounds as (
    select
        *,
        case when again_at > ended_at then again_at end as opened_again_at,
        case
            when again_at > ended_at and closed_at > again_at then closed_at
            when again_at > ended_at and status in ('resolved', 'closed') then updated_at
        end as ended_again_at
    from until
),

-- Left by its last message, or deleted at the source: from that day on there is no such incident.
spans as (
    select *
    from rounds
    where message_id is not null
),

-- What is known of an incident's priority, in the order in which it became known, and on which day each was.
-- Every version tells it, also one that another of the same night has overtaken.
priority_versions as (
    select
        version.region_code,
        version.source,
        version.incident_id,
        array_agg(version.priority order by {{ by_time }}) as priorities,
        array_agg(version.updated_at order by {{ by_time }}) as since,
        array_agg(version.interval_from order by {{ by_time }}) as came_at,
        max(version.interval_from) as all_came_at
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

-- The source's own deadline wins: where it has one, there is none to work out, and no priority is asked for.
priorities as (
    select
        {% for known, versions in [('known', 'priorities'), ('known_since', 'since')] -%}
            case
                when (priority_versions.all_came_at at time zone spans.time_zone)::date <= spans.day
                    then priority_versions.{{ versions }}
                else array(
                    select version.told
                    from
                        unnest(priority_versions.{{ versions }}, priority_versions.came_at)
                        with ordinality as version (told, came_at, place)
                    where (version.came_at at time zone spans.time_zone)::date <= spans.day
                    order by version.place
                )
            end as {{ known }},
        {% endfor -%}
        spans.*
    from spans
    left join priority_versions
        on
            spans.region_code = priority_versions.region_code
            and spans.source = priority_versions.source
            and spans.incident_id = priority_versions.incident_id
            and spans.due_at is null
),

{{ policies() }},

clocks as (
    select
        priorities.*,
        in_force.clock_started_at,
        in_force.limit_minutes,
        in_force.unit
    from priorities
    {{
        left_join_policy_in_force(
            'priorities', 'priorities.received_at', 'priorities', wanted='priorities.due_at is null'
        )
    }}
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
    opened_again_at as reopened_at,
    ended_again_at,
    coalesce(due_at, policy_deadline_at) as deadline_at,
    (received_at at time zone time_zone)::date as received_date,
    (first_response_at at time zone time_zone)::date as first_response_date,
    (ended_at at time zone time_zone)::date as ended_date,
    (opened_again_at at time zone time_zone)::date as reopened_date,
    (ended_again_at at time zone time_zone)::date as ended_again_date,
    (coalesce(due_at, policy_deadline_at) at time zone time_zone)::date as deadline_date,
    coalesce(
        least(
            until_day,
            (case when opened_again_at is null then ended_at else ended_again_at end at time zone time_zone)::date
        ),
        'infinity'
    ) as open_until_day
from deadlines
