-- Grain: one version of one information material.
select
    -- ids
    region_code,
    source,
    material_id,
    batch_id,
    row_number,

    -- text
    title,
    topic,
    authority,
    network,
    format,
    url,

    -- numbers
    views,
    is_deleted,

    -- times
    updated_at,
    published_at
from {{ source('raw', 'material') }}
