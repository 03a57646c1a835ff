-- Grain: one ready answer of a question, in the words to be shown: Russian where there are any, else those of the
-- first language by its code.
with latest as (
    {{
        latest_version(
            ref('stg_raw__survey_option'),
            ['region_code', 'source', 'survey_id', 'question_code', 'option_code', 'language']
        )
    }}
)

select distinct on (region_code, survey_id, question_code, option_code)
    region_code,
    survey_id,
    question_code,
    option_code,
    batch_id,
    language,
    -- Survey systems add «other» by themselves, under these codes and without words.
    coalesce(option_text, case when option_code in ('-oth-', 'other') then 'Другое' end) as option_text,
    position
from latest
where not is_deleted
order by
    region_code asc, survey_id asc, question_code asc, option_code asc,
    option_text is null asc, language = 'ru' desc, language asc, source asc
