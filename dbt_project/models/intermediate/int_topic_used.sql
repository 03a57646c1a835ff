-- Grain: one topic × subtopic, NULL where unknown, that any version of any message ever had, in the source's words.
-- Nothing is ever taken out, so a night adds what its own batches brought and reads no more.
{{ config(materialized='incremental', incremental_strategy='append') }}

select distinct
    version.topic,
    version.subtopic
from {{ ref('stg_raw__incident') }} as version
where
    version.topic is not null
    and version.batch_id
    <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
    {% if is_incremental() -%}
        and version.batch_id
        > (select batch_window.batches_after from {{ ref('int_batch_window') }} as batch_window)
        and not exists (
            select
            from {{ this }} as known
            where version.topic = known.topic and version.subtopic is not distinct from known.subtopic
        )
    {%- endif %}
