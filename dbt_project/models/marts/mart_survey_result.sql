-- Grain: region × survey × question × row of the question (NULL: none) × option (NULL: answers that choose none).
-- Every option offered has its row, also one that nobody chose. A touched survey is counted again whole.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_survey'), ['region_code', 'survey_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'survey_id']}]
    )
}}

with answers as (
    select *
    from {{ ref('int_survey_answer') }}
    where
        is_counted
        {{ and_touched(ref('int_touched_survey'), ['region_code', 'survey_id']) }}
),

questions as (
    select *
    from {{ ref('int_survey_question') }}
    where
        true
        {{ and_touched(ref('int_touched_survey'), ['region_code', 'survey_id']) }}
),

-- Who chose something, and who only wrote or named a number, are counted apart.
answered as (
    select
        region_code,
        survey_id,
        question_code,
        subquestion_code,
        option_code is not null as has_option,
        count(distinct row(source, response_id)) as answered_count,
        count(number) as number_count,
        avg(number::numeric)::numeric(20, 6) as mean,
        (percentile_cont(0.5) within group (order by number))::numeric(20, 6) as median
    from answers
    group by region_code, survey_id, question_code, subquestion_code, option_code is not null
),

chosen as (
    select
        region_code,
        survey_id,
        question_code,
        subquestion_code,
        option_code,
        count(*) as chosen_count
    from answers
    where option_code is not null
    group by region_code, survey_id, question_code, subquestion_code, option_code
),

asked_by_rows as (
    select
        region_code,
        survey_id,
        question_code
    from questions
    where subquestion_code is not null
    union
    select
        region_code,
        survey_id,
        question_code
    from answered
    where subquestion_code is not null
),

answered_whole as (
    select distinct
        region_code,
        survey_id,
        question_code
    from answered
    where subquestion_code is null
),

-- The text above the rows of a matrix is a heading that nobody answers.
asked as (
    select
        questions.region_code,
        questions.survey_id,
        questions.question_code,
        questions.subquestion_code
    from questions
    left join asked_by_rows using (region_code, survey_id, question_code)
    left join answered_whole using (region_code, survey_id, question_code)
    where
        questions.subquestion_code is not null
        or asked_by_rows.question_code is null
        or answered_whole.question_code is not null
),

-- A question without ready answers has one row, without an option.
offered as (
    select
        asked.region_code,
        asked.survey_id,
        asked.question_code,
        asked.subquestion_code,
        answer_option.option_code
    from asked
    left join {{ ref('int_survey_option') }} as answer_option using (region_code, survey_id, question_code)
    left join answered
        on
            asked.region_code = answered.region_code
            and asked.survey_id = answered.survey_id
            and asked.question_code = answered.question_code
            and asked.subquestion_code is not distinct from answered.subquestion_code
            and answered.has_option
    where answer_option.option_code is not null or answered.question_code is null
),

keys as (
    select
        region_code,
        survey_id,
        question_code,
        subquestion_code,
        option_code
    from offered
    union
    select
        region_code,
        survey_id,
        question_code,
        subquestion_code,
        option_code
    from answers
),

counted as (
    select
        keys.region_code,
        keys.survey_id,
        keys.question_code,
        keys.subquestion_code,
        keys.option_code,
        coalesce(answered.answered_count, 0) as answered_count,
        case when keys.option_code is not null then coalesce(chosen.chosen_count, 0) end as chosen_count,
        coalesce(answered.number_count, 0) as number_count,
        answered.mean,
        answered.median
    from keys
    left join answered
        on
            keys.region_code = answered.region_code
            and keys.survey_id = answered.survey_id
            and keys.question_code = answered.question_code
            and keys.subquestion_code is not distinct from answered.subquestion_code
            and (keys.option_code is not null) = answered.has_option
    left join chosen
        on
            keys.region_code = chosen.region_code
            and keys.survey_id = chosen.survey_id
            and keys.question_code = chosen.question_code
            and keys.subquestion_code is not distinct from chosen.subquestion_code
            and keys.option_code = chosen.option_code
)

select
    counted.region_code,
    counted.survey_id,
    counted.question_code,
    counted.subquestion_code,
    counted.option_code,
    survey.title,
    question.position as question_position,
    question_row.position as subquestion_position,
    answer_option.position as option_position,
    coalesce(question_row.kind, question.kind) as kind,
    question.question_text,
    question_row.question_text as subquestion_text,
    answer_option.option_text,
    counted.answered_count,
    counted.chosen_count,
    (counted.chosen_count::numeric / nullif(counted.answered_count, 0))::numeric(9, 6) as chosen_share,
    {{ wilson_bound('counted.chosen_count', 'counted.answered_count', '-') }} as share_low,
    {{ wilson_bound('counted.chosen_count', 'counted.answered_count', '+') }} as share_high,
    counted.number_count,
    counted.mean,
    counted.median
from counted
left join {{ ref('int_survey') }} as survey
    on
        counted.region_code = survey.region_code
        and counted.survey_id = survey.survey_id
left join questions as question
    on
        counted.region_code = question.region_code
        and counted.survey_id = question.survey_id
        and counted.question_code = question.question_code
        and question.subquestion_code is null
left join questions as question_row
    on
        counted.region_code = question_row.region_code
        and counted.survey_id = question_row.survey_id
        and counted.question_code = question_row.question_code
        and counted.subquestion_code = question_row.subquestion_code
left join {{ ref('int_survey_option') }} as answer_option
    on
        counted.region_code = answer_option.region_code
        and counted.survey_id = answer_option.survey_id
        and counted.question_code = answer_option.question_code
        and counted.option_code = answer_option.option_code
