-- Grain: one version of one message with the state of its incident. Who wrote it and what stays in raw.
select
    -- ids
    region_code,
    source,
    message_id,
    incident_id,
    batch_id,
    row_number,
    author_hash,

    -- text
    status,
    priority,
    channel,
    topic,
    subtopic,
    municipality_code,
    municipality,
    authority,

    -- numbers
    reopened_count,
    is_deleted,

    -- times
    updated_at,
    received_at,
    registered_at,
    assigned_at,
    first_response_at,
    interim_at,
    resolved_at,
    closed_at,
    reopened_at,
    due_at
from {{ source('raw', 'incident') }}
