-- Grain: one version of one question, or of one row of a question, in one language.
select
    -- ids
    region_code,
    source,
    survey_id,
    question_code,
    subquestion_code,
    language,
    batch_id,
    row_number,

    -- text
    kind,
    text as question_text,

    -- numbers
    position,
    is_deleted,

    -- times
    updated_at
from {{ source('raw', 'survey_question') }}
