-- Grain: one answer of a response in its latest version.
-- A view: the rows are kept once, in int_survey_answer; who reads here needs no right there.
{{ config(materialized='view') }}

select
    region_code,
    source,
    survey_id,
    response_id,
    question_code,
    subquestion_code,
    option_code,
    number,
    has_text,
    is_counted,
    batch_id
from {{ ref('int_survey_answer') }}
