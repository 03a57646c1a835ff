-- Grain: one message of which this build's batches brought a version. None when all is built anew: then nobody asks
-- what was touched, and to tell it of all history takes longer than to build any mart.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    incident.region_code,
    incident.source,
    incident.message_id
from {{ ref('stg_raw__incident') }} as incident
where
    {{ was_built_before() }}
    and {{ is_of_this_build('incident') }}
