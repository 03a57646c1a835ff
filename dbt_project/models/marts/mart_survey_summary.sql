-- Grain: region × survey, of the register or known only by what was read of it.
{{ config(materialized='table', indexes=[{'columns': ['region_code', 'completed_year']}]) }}

with responses as (
    select
        region_code,
        survey_id,
        sum(response_count)::bigint as response_count,
        sum(partial_count)::bigint as partial_count,
        sum(untold_count)::bigint as untold_count,
        min(day) as first_response_date,
        max(day) as last_response_date
    from {{ ref('int_survey_day') }}
    group by region_code, survey_id
),

built as (
    select distinct
        region_code,
        survey_id
    from {{ ref('int_survey_question') }}
),

-- Of a survey that was never read nothing is known; one that was read and has no responses has none.
read_surveys as (
    select
        region_code,
        survey_id,
        coalesce(responses.response_count, 0) as response_count,
        coalesce(responses.partial_count, 0) as partial_count,
        coalesce(responses.untold_count, 0) as untold_count,
        responses.first_response_date,
        responses.last_response_date
    from built
    full outer join responses using (region_code, survey_id)
)

select
    region_code,
    survey_id,
    survey.title,
    coalesce(survey.title, 'без названия')
    || case
        when survey.title is null or count(*) over (partition by region_code, survey.title) > 1
            then ' · ' || survey_id
        else ''
    end as survey_label,
    survey.topic,
    survey.municipality_code,
    survey.system,
    survey.opened_on,
    survey.closed_on,
    survey.is_completed,
    case when survey.is_completed then extract(year from survey.closed_on)::integer end as completed_year,
    read_surveys.response_count,
    read_surveys.partial_count,
    read_surveys.untold_count,
    read_surveys.first_response_date,
    read_surveys.last_response_date
from {{ ref('dim_survey') }} as survey
full outer join read_surveys using (region_code, survey_id)
