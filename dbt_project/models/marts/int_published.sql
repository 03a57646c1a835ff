-- Grain: one region with a batch: what these marts hold, and as of when.
-- Written when every mart is built and tested, and never rebuilt: a build that failed half-way leaves it as it was.
-- Depends on what it vouches for:
-- {{ ref('dim_authority') }}, {{ ref('dim_channel') }}, {{ ref('dim_date') }}, {{ ref('dim_municipality') }},
-- {{ ref('dim_page') }}, {{ ref('dim_survey') }}, {{ ref('dim_topic') }}, {{ ref('fct_broadcast') }},
-- {{ ref('fct_first_response') }}, {{ ref('fct_incident') }}, {{ ref('fct_incident_event') }},
-- {{ ref('fct_material') }}, {{ ref('fct_message') }}, {{ ref('fct_page_day') }}, {{ ref('fct_survey_answer') }},
-- {{ ref('fct_survey_response') }},
-- {{ ref('mart_audience_coverage') }}, {{ ref('mart_audience_daily') }}, {{ ref('mart_audience_growth') }},
-- {{ ref('mart_authority_ranking') }}, {{ ref('mart_backlog_daily') }}, {{ ref('mart_early_warning') }},
-- {{ ref('mart_month_summary') }}, {{ ref('mart_page_compliance') }}, {{ ref('mart_page_health') }},
-- {{ ref('mart_repeat_and_reopened') }}, {{ ref('mart_resolution_cohort') }}, {{ ref('mart_response_change') }},
-- {{ ref('mart_survey_response_daily') }}, {{ ref('mart_survey_result') }}, {{ ref('mart_survey_summary') }},
-- {{ ref('mart_time_to_respond') }}, {{ ref('mart_time_to_respond_month') }}, {{ ref('mart_topic_trend') }},
-- {{ ref('mart_year_summary') }}
{{
    config(
        schema='intermediate',
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=false,
        on_schema_change='append_new_columns',
        pre_hook="{% if is_incremental() %}delete from {{ this }}{% endif %}",
        grants={'select': ['otklik_engineer']}
    )
}}

with latest_night as (
    select
        clock.region_code,
        clock.as_of,
        clock.time_zone,
        max(batch.finished_at) as loaded_at,
        sum(batch.rows_read) as rows_read,
        sum(batch.rows_loaded) as rows_loaded,
        sum(batch.rows_rejected) as rows_rejected
    from {{ ref('int_region_clock') }} as clock
    cross join {{ ref('int_batch_window') }} as batch_window
    inner join {{ ref('stg_raw__batch') }} as batch
        on
            clock.region_code = batch.region_code
            and clock.as_of = batch.interval_to
            and batch_window.batches_through >= batch.batch_id
            and batch.entity = 'incident'
    group by clock.region_code, clock.as_of, clock.time_zone
)

select
    latest_night.region_code,
    region.region_name,
    latest_night.as_of,
    latest_night.as_of at time zone latest_night.time_zone as as_of_local,
    latest_night.loaded_at,
    latest_night.rows_read::bigint as rows_read,
    latest_night.rows_loaded::bigint as rows_loaded,
    latest_night.rows_rejected::bigint as rows_rejected,
    batch_window.batches_through
from latest_night
cross join {{ ref('int_batch_window') }} as batch_window
inner join {{ ref('stg_raw__region') }} as region on latest_night.region_code = region.region_code
