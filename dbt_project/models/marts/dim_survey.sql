-- Grain: one survey of a region's register. A few rows, written again whole: the clock alone completes surveys.
{{ config(materialized='table') }}

select
    survey.region_code,
    survey.survey_id,
    survey.title,
    survey.topic,
    survey.municipality_code,
    survey.system,
    survey.opened_on,
    survey.closed_on,
    -- The closing day is the last one on which residents could answer.
    survey.closed_on < clock.as_of_date as is_completed,
    survey.batch_id
from {{ ref('int_survey') }} as survey
inner join {{ ref('int_survey_clock') }} as clock on survey.region_code = clock.region_code
