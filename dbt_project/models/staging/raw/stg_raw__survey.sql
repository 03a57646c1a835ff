-- Grain: one version of one survey of a register.
select
    -- ids
    region_code,
    source,
    survey_id,
    batch_id,
    row_number,

    -- text
    title,
    topic,
    municipality_code,
    system,

    -- numbers
    is_deleted,

    -- times
    updated_at,
    opened_on,
    closed_on
from {{ source('raw', 'survey') }}
