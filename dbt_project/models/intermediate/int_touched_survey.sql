-- Grain: one survey whose figures or words this build's batches may have changed.
{{ config(post_hook='analyze {{ this }}') }}

select
    response.region_code,
    response.survey_id
from {{ ref('int_touched_survey_response') }} as response
union
select
    survey.region_code,
    survey.survey_id
from {{ ref('stg_raw__survey') }} as survey
where {{ is_of_this_build('survey') }}
union
select
    question.region_code,
    question.survey_id
from {{ ref('stg_raw__survey_question') }} as question
where {{ is_of_this_build('question') }}
union
select
    answer_option.region_code,
    answer_option.survey_id
from {{ ref('stg_raw__survey_option') }} as answer_option
where {{ is_of_this_build('answer_option') }}
