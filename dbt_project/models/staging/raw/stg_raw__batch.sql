-- Grain: one entity of one file, member of a zip or answer; what failed brought no rows and is left out.
select
    -- ids
    batch_id,
    region_code,
    source,
    entity,

    -- numbers
    rows_read,
    rows_loaded,
    rows_rejected,

    -- times
    interval_from,
    interval_to,
    finished_at
from {{ source('raw', 'batch') }}
where status = 'loaded'
