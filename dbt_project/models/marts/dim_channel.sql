-- Grain: one channel a message can come by.
{{ config(materialized='table') }}

select
    channel,
    label,
    is_social
from {{ ref('channel') }}
