-- Grain: region × survey × local day on which a response came. A response without any moment is of no day.
{{ config(materialized='table') }}

select
    region_code,
    survey_id,
    day,
    response_count,
    partial_count,
    (sum(response_count) over so_far)::bigint as response_count_so_far,
    (sum(partial_count) over so_far)::bigint as partial_count_so_far
from {{ ref('int_survey_day') }}
where day is not null
window so_far as (partition by region_code, survey_id order by day)
