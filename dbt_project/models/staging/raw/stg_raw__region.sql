-- Grain: one region.
select
    -- ids
    region_code,

    -- text
    name as region_name,
    time_zone
from {{ source('raw', 'region') }}
