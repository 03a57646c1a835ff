-- Grain: one message × local day from which this version of it was the latest known; until `until_day`.
-- What was known on a day is what the batches of that day's night and of earlier nights had told, so a correction
-- that came later changes no earlier day. A batch that tells of many nights (history) counts from the first of them.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_message'), ['region_code', 'source', 'message_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['message_id', 'source', 'region_code', 'known_day'], 'unique': true},
            {'columns': ['incident_id', 'source', 'region_code']},
        ]
    )
}}

with versions as (
    select *
    from {{ ref('stg_raw__incident') }}
    where
        batch_id <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
        {{ and_touched(ref('int_touched_message'), ['region_code', 'source', 'message_id']) }}
),

known as (
    select
        versions.*,
        batch.interval_to,
        clock.time_zone,
        (batch.interval_from at time zone clock.time_zone)::date as known_day,
        row_number() over (
            partition by versions.message_id, versions.source, versions.region_code
            order by versions.updated_at, batch.interval_to, versions.batch_id, versions.row_number
        ) as lateness
    from versions
    inner join {{ ref('stg_raw__batch') }} as batch on versions.batch_id = batch.batch_id
    inner join {{ ref('int_region_clock') }} as clock on versions.region_code = clock.region_code
),

-- A version counts from the day it came, if it was the latest of those that had come by then.
ranked as (
    select
        *,
        max(lateness) over (partition by message_id, source, region_code order by known_day) as latest
    from known
)

select
    region_code,
    source,
    message_id,
    incident_id,
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
    resolved_at,
    closed_at,
    reopened_at,
    due_at,
    is_deleted,
    updated_at,
    interval_to,
    batch_id,
    row_number,
    time_zone,
    known_day,
    lead(known_day) over (partition by message_id, source, region_code order by known_day) as until_day
from ranked
where lateness = latest
