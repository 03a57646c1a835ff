-- Grain: one message in its latest version: the greatest (updated_at, interval_to of its batch, batch_id, row_number).
-- A message that its source has no more is gone.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_message'), ['region_code', 'source', 'message_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['message_id', 'source', 'region_code'], 'unique': true},
            {'columns': ['incident_id', 'source', 'region_code']},
            {'columns': ['region_code', 'received_date']},
            {'columns': ['region_code', 'registered_date']},
            {'columns': ['batch_id']},
        ]
    )
}}

with versions as (
    select *
    from {{ ref('stg_raw__incident') }}
    where
        true
        {{ and_touched(ref('int_touched_message'), ['region_code', 'source', 'message_id']) }}
),

latest as (
    {{ latest_version('versions', ['message_id', 'source', 'region_code']) }}
)

select
    latest.region_code,
    latest.source,
    latest.message_id,
    latest.incident_id,
    latest.batch_id,
    latest.row_number,
    latest.author_hash,
    latest.status,
    latest.priority,
    latest.channel,
    latest.topic,
    latest.subtopic,
    latest.municipality_code,
    latest.municipality,
    latest.authority,
    latest.reopened_count,
    latest.updated_at,
    latest.interval_to,
    latest.received_at,
    latest.registered_at,
    latest.assigned_at,
    latest.first_response_at,
    latest.resolved_at,
    latest.closed_at,
    latest.due_at,
    (latest.received_at at time zone clock.time_zone)::date as received_date,
    (latest.registered_at at time zone clock.time_zone)::date as registered_date
from latest
inner join {{ ref('int_region_clock') }} as clock on latest.region_code = clock.region_code
where not latest.is_deleted
