-- Grain: one row. The batches this build takes in: after the last one these marts were built through, through the
-- last one committed when the build began. Fixed here once, so that a file loaded meanwhile is left whole for the next.
{{ config(grants={'select': ['otklik_publisher', 'otklik_engineer']}) }}

select
    '{{ invocation_id }}'::uuid as build_id,
    {{ built_through() }}::bigint as batches_after,
    coalesce(max(batch_id), 0) as batches_through
from {{ ref('stg_raw__batch') }}
