-- Grain: one question of a survey, or one row of a question (subquestion_code), in the words to be shown:
-- Russian where there are any, else those of the first language by its code.
with latest as (
    {{
        latest_version(
            ref('stg_raw__survey_question'),
            ['region_code', 'source', 'survey_id', 'question_code', 'subquestion_code', 'language']
        )
    }}
)

select distinct on (region_code, survey_id, question_code, subquestion_code)
    region_code,
    survey_id,
    question_code,
    subquestion_code,
    batch_id,
    language,
    kind,
    question_text,
    position
from latest
where not is_deleted
order by
    region_code asc, survey_id asc, question_code asc, subquestion_code asc,
    question_text is null asc, language = 'ru' desc, language asc, source asc
