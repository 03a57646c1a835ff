-- Grain: one local month of a region in which messages were registered, or incidents resolved, that this build's
-- batches tell of.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    region_code,
    date_trunc('month', day)::date as month,
    (date_trunc('month', day) + interval '1 month')::date as next_month
from {{ ref('int_touched_moment') }}
where kind in ('registered', 'resolved')
