-- Grain: one response in its latest version. A response that its system has no more is gone.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(
            ref('int_touched_survey_response'), ['region_code', 'source', 'survey_id', 'response_id']
        ) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'survey_id', 'source', 'response_id'], 'unique': true},
            {'columns': ['batch_id']},
        ]
    )
}}

with versions as (
    select *
    from {{ ref('stg_raw__survey_response') }}
    where
        true
        {{
            and_touched(
                ref('int_touched_survey_response'), ['region_code', 'source', 'survey_id', 'response_id']
            )
        }}
),

latest as (
    {{ latest_version('versions', ['region_code', 'source', 'survey_id', 'response_id']) }}
),

judged as (
    select
        *,
        -- Where it is not told, a moment of submission tells it.
        coalesce(is_complete, case when submitted_at is not null then true end) as is_whole
    from latest
    where not is_deleted
)

select
    judged.region_code,
    judged.source,
    judged.survey_id,
    judged.response_id,
    judged.batch_id,
    judged.language,
    judged.is_whole as is_complete,
    -- A system that does not tell gives no reason to throw an answer away.
    coalesce(judged.is_whole, true) as is_counted,
    judged.started_at,
    judged.submitted_at,
    (coalesce(judged.submitted_at, judged.started_at) at time zone clock.time_zone)::date as response_date
from judged
inner join {{ ref('int_survey_clock') }} as clock on judged.region_code = clock.region_code
