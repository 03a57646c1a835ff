-- Grain: one survey × local day of its responses, NULL where no moment of them is known.
-- A touched survey is counted again from its responses.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_survey'), ['region_code', 'survey_id']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'survey_id']}]
    )
}}

select
    region_code,
    survey_id,
    response_date as day,
    count(*) filter (where is_counted) as response_count,
    count(*) filter (where not is_counted) as partial_count,
    count(*) filter (where is_complete is null) as untold_count
from {{ ref('int_survey_response') }}
where
    true
    {{ and_touched(ref('int_touched_survey'), ['region_code', 'survey_id']) }}
group by region_code, survey_id, response_date
