-- Grain: one file read whole, or one member of a zip; files that failed brought no rows and are left out.
select
    -- ids
    batch_id,
    region_code,
    source,

    -- numbers
    rows_read,
    rows_loaded,
    rows_rejected,

    -- times
    interval_to,
    finished_at
from {{ source('raw', 'batch') }}
where
    entity = 'incident'
    and status = 'loaded'
