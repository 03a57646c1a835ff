-- Grain: one local day of a region whose answers may have changed.
{{ config(post_hook='analyze {{ this }}') }}

select
    region_code,
    day
from {{ ref('int_touched_moment') }}
where kind = 'first_response'
