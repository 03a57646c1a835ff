-- Grain: one version of one ready answer in one language.
select
    -- ids
    region_code,
    source,
    survey_id,
    question_code,
    option_code,
    language,
    batch_id,
    row_number,

    -- text
    text as option_text,

    -- numbers
    position,
    is_deleted,

    -- times
    updated_at
from {{ source('raw', 'survey_option') }}
