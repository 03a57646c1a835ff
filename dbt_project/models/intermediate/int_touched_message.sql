-- Grain: one message of which this build's batches brought a version.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    incident.region_code,
    incident.source,
    incident.message_id
from {{ ref('stg_raw__incident') }} as incident
where
    {{ is_of_this_build('incident') }}
