-- Grain: one local year of a region whose own figures may have changed.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    region_code,
    extract(year from day)::integer as year,
    date_trunc('year', day)::date as first_day,
    (date_trunc('year', day) + interval '1 year')::date as next_first_day
from {{ ref('int_touched_moment') }}
where kind in ('registered', 'first_response', 'resolved')
