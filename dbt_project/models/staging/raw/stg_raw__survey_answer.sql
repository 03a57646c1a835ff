-- Grain: one version of one answer. What a resident wrote stays in raw; that something was written is known.
select
    -- ids
    region_code,
    source,
    survey_id,
    response_id,
    question_code,
    subquestion_code,
    option_code,
    batch_id,
    row_number,

    -- numbers
    number,
    has_text,
    is_deleted,

    -- times
    updated_at
from {{ source('raw', 'survey_answer') }}
