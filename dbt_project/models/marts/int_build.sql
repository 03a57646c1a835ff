-- Grain: one row: the build that these marts are of.
-- Written after everything else, when every mart is built and tested, and never rebuilt: the next build starts after it
-- (int_batch_window), and a build that failed half-way leaves it as it was.
-- depends_on: {{ ref('int_published') }}
{{
    config(
        schema='intermediate',
        materialized='incremental',
        incremental_strategy='append',
        full_refresh=false,
        on_schema_change='append_new_columns',
        pre_hook="{% if is_incremental() %}delete from {{ this }}{% endif %}",
        grants={'select': ['otklik_publisher', 'otklik_engineer']}
    )
}}

select
    build_id,
    batches_after,
    batches_through
from {{ ref('int_batch_window') }}
