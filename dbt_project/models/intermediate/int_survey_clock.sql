-- Grain: one region with a batch about surveys. «As of» is the clock by which a survey is judged completed.
with clock as (
    select
        batch.region_code,
        max(batch.interval_to) as as_of
    from {{ ref('stg_raw__batch') }} as batch
    inner join {{ ref('int_batch_window') }} as batch_window on batch.batch_id <= batch_window.batches_through
    where batch.entity in ('survey', 'survey_question', 'survey_option', 'survey_response', 'survey_answer')
    group by batch.region_code
)

select
    clock.region_code,
    region.time_zone,
    clock.as_of,
    (clock.as_of at time zone region.time_zone)::date as as_of_date
from clock
inner join {{ ref('stg_raw__region') }} as region on clock.region_code = region.region_code
