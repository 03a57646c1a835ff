-- Grain: one version of one live broadcast.
select
    -- ids
    region_code,
    source,
    broadcast_id,
    batch_id,
    row_number,

    -- text
    title,
    guest_post,
    authority,
    municipality_code,
    municipality,
    network,
    url,

    -- numbers
    duration_minutes,
    views,
    is_deleted,

    -- times
    updated_at,
    held_at
from {{ source('raw', 'broadcast') }}
