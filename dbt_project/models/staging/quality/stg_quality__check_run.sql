-- Grain: one run of one suite of checks.
-- Ephemeral: a view made anew each night would take mart_as_of, which reads it live, down with it.
{{ config(materialized='ephemeral') }}

select
    -- ids
    run_id,
    build_id,

    -- text
    suite,

    -- numbers
    success,
    failed_critical,
    failed_warning,

    -- times
    finished_at
from {{ source('quality', 'check_run') }}
