-- Grain: one version of one filled-in form.
select
    -- ids
    region_code,
    source,
    survey_id,
    response_id,
    batch_id,
    row_number,

    -- text
    language,

    -- numbers
    is_complete,
    is_deleted,

    -- times
    updated_at,
    started_at,
    submitted_at
from {{ source('raw', 'survey_response') }}
