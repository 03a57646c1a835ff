-- Grain: one version of what was seen of one page at one moment in one way.
select
    -- ids
    region_code,
    source,
    page_id,
    external_id,
    batch_id,
    row_number,

    -- text
    network,
    method,
    not_read,

    -- numbers
    members_count,
    is_verified,
    has_description,
    has_avatar,
    has_cover,
    has_government_mark,
    posts_7_days,
    reach_7_days,
    is_deleted,

    -- times
    observed_at,
    updated_at
from {{ source('raw', 'page_snapshot') }}
