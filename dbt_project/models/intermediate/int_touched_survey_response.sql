-- Grain: one response of which this build's batches brought a version, or a version of one of its answers.
{{ config(post_hook='analyze {{ this }}') }}

select
    response.region_code,
    response.source,
    response.survey_id,
    response.response_id
from {{ ref('stg_raw__survey_response') }} as response
where {{ is_of_this_build('response') }}
union
select
    answer.region_code,
    answer.source,
    answer.survey_id,
    answer.response_id
from {{ ref('stg_raw__survey_answer') }} as answer
where {{ is_of_this_build('answer') }}
