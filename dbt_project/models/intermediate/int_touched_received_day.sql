-- Grain: one local day of a region on which messages were received that this build's batches tell of.
{{ config(post_hook='analyze {{ this }}') }}

select
    region_code,
    day
from {{ ref('int_touched_moment') }}
where kind = 'received'
