-- Grain: one message of which this build's batches brought a version.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    incident.region_code,
    incident.source,
    incident.message_id
from {{ ref('stg_raw__incident') }} as incident
where
    incident.batch_id > (select batch_window.batches_after from {{ ref('int_batch_window') }} as batch_window)
    and incident.batch_id
    <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
