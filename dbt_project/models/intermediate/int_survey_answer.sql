-- Grain: one answer in its latest version, of a response that is still there; rebuilt response by response.
-- An answer taken back, and every answer of a response that its system has no more, is gone.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(
            ref('int_touched_survey_response'), ['region_code', 'source', 'survey_id', 'response_id']
        ) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'survey_id', 'source', 'response_id']},
            {'columns': ['batch_id']},
        ]
    )
}}

with versions as (
    select *
    from {{ ref('stg_raw__survey_answer') }}
    where
        true
        {{
            and_touched(
                ref('int_touched_survey_response'), ['region_code', 'source', 'survey_id', 'response_id']
            )
        }}
),

latest as (
    {{
        latest_version(
            'versions',
            [
                'region_code', 'source', 'survey_id', 'response_id',
                'question_code', 'subquestion_code', 'option_code'
            ]
        )
    }}
)

select
    latest.region_code,
    latest.source,
    latest.survey_id,
    latest.response_id,
    latest.question_code,
    latest.subquestion_code,
    latest.option_code,
    latest.batch_id,
    latest.number,
    latest.has_text,
    response.is_counted
from latest
inner join {{ ref('int_survey_response') }} as response
    on
        latest.region_code = response.region_code
        and latest.source = response.source
        and latest.survey_id = response.survey_id
        and latest.response_id = response.response_id
where not latest.is_deleted
