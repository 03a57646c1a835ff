-- Grain: one incident in its current state.
-- A view: the rows are kept once, in int_incident; who reads here needs no right there.
{{ config(materialized='view') }}

select
    region_code,
    source,
    incident_id,
    message_count,
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
    due_at,
    clock_started_at,
    deadline_at,
    deadline_basis,
    reopened_count,
    received_date,
    first_response_date,
    resolved_date,
    minutes_to_respond,
    working_minutes_to_respond,
    is_on_time,
    batch_id
from {{ ref('int_incident') }}
