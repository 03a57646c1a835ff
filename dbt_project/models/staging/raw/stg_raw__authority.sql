-- Grain: one version of one row of the register of authorities.
select
    -- ids
    region_code,
    source,
    authority_id,
    batch_id,
    row_number,

    -- text
    name,
    level,
    founder,
    municipality_code,
    municipality,

    -- numbers
    is_deleted,

    -- times
    valid_from,
    valid_to,
    updated_at
from {{ source('raw', 'authority') }}
