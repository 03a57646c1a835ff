-- Grain: one page × local day.
-- A view: the rows are kept once, in int_page_day; who reads here needs no right there.
{{ config(materialized='view') }}

select
    region_code,
    page_id,
    day,
    network,
    members_count,
    audience_count,
    is_carried,
    days_carried,
    counted_by,
    not_observed_reason,
    has_avatar,
    has_description,
    has_cover,
    has_government_mark,
    is_verified,
    posts_7_days,
    reach_7_days,
    batch_id
from {{ ref('int_page_day') }}
