-- Grain: one decision whether a build is what people see.
-- Ephemeral, for the reason of stg_quality__check_run.
{{ config(materialized='ephemeral') }}

select
    -- ids
    publication_id,

    -- text
    reason,

    -- numbers
    published,

    -- times
    decided_at
from {{ source('quality', 'publication') }}
