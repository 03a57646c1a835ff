-- Grain: one version of a message that tells the priority of its incident, in a few bytes: what was known of it when,
-- is asked of every touched incident, and raw is not ordered by incidents.
-- A version never changes, so a build only adds those of its batches; what a build left unpublished goes first.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="
            {% if is_incremental() %}
            delete from {{ this }}
            where batch_id > (select batch_window.batches_after from {{ ref('int_batch_window') }} as batch_window)
            {% endif %}
        ",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['incident_id', 'source', 'region_code']},
            {'columns': ['batch_id'], 'type': 'brin'},
        ]
    )
}}

select
    version.region_code,
    version.source,
    version.incident_id,
    version.batch_id,
    version.row_number,
    version.priority,
    version.updated_at,
    batch.interval_from,
    batch.interval_to
from {{ ref('stg_raw__incident') }} as version
inner join {{ ref('stg_raw__batch') }} as batch on version.batch_id = batch.batch_id
where
    version.priority is not null
    and version.batch_id <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
    {% if is_incremental() -%}
        and version.batch_id > (select batch_window.batches_after from {{ ref('int_batch_window') }} as batch_window)
    {%- endif %}
