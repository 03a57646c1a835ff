-- Grain: one message in its latest version.
-- A view: the rows are kept once, in int_message; who reads here needs no right there.
{{ config(materialized='view') }}

select
    region_code,
    source,
    message_id,
    incident_id,
    channel,
    author_hash,
    received_at,
    registered_at,
    received_date,
    registered_date,
    updated_at,
    batch_id
from {{ ref('int_message') }}
