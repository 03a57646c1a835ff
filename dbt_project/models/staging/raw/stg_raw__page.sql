-- Grain: one version of one row of the register of pages.
select
    -- ids
    region_code,
    source,
    page_id,
    external_id,
    authority_id,
    batch_id,
    row_number,

    -- text
    network,
    name,
    url,

    -- numbers
    is_deleted,

    -- times
    opened_on,
    closed_on,
    valid_from,
    valid_to,
    updated_at
from {{ source('raw', 'page') }}
