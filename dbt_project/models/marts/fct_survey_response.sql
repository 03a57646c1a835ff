-- Grain: one response in its latest version.
-- A view: the rows are kept once, in int_survey_response; who reads here needs no right there.
{{ config(materialized='view') }}

select
    region_code,
    source,
    survey_id,
    response_id,
    language,
    is_complete,
    is_counted,
    started_at,
    submitted_at,
    response_date,
    batch_id
from {{ ref('int_survey_response') }}
