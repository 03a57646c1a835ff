-- Grain: one region that this build's batches brought rows of.
{{ config(post_hook='analyze {{ this }}') }}

select region_code
from {{ ref('int_region_clock') }}
where is_touched
