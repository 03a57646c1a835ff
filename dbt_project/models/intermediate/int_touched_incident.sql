-- Grain: one incident that a touched message belongs to, or belonged to in any earlier version.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    incident.region_code,
    incident.source,
    incident.incident_id
from {{ ref('int_touched_message') }} as touched
inner join {{ ref('stg_raw__incident') }} as incident
    on
        touched.region_code = incident.region_code
        and touched.source = incident.source
        and touched.message_id = incident.message_id
where
    incident.batch_id
    <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
