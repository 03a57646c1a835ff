-- Grain: one topic × subtopic: those of the vocabulary, and those that a source calls otherwise, under its own name.
{{ config(materialized='table') }}

with vocabulary as (
    select
        topic,
        subtopic,
        true as is_in_vocabulary
    from {{ ref('topic') }}
),

of_sources as (
    select
        used.topic,
        used.subtopic,
        false as is_in_vocabulary
    from {{ ref('int_topic_used') }} as used
    left join vocabulary on used.topic = vocabulary.topic and used.subtopic = vocabulary.subtopic
    where vocabulary.topic is null
)

select
    topic,
    subtopic,
    is_in_vocabulary
from vocabulary
union all
select
    topic,
    subtopic,
    is_in_vocabulary
from of_sources
