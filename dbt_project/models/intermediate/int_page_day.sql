-- Grain: one page × local day from its first through its last (int_page_life).
-- A night writes the days its snapshots reach, and those they are carried to, again; and the days that have passed.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched_span(ref('int_touched_page_span'), 'page_id') }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'page_id', 'day'], 'unique': true},
            {'columns': ['region_code', 'day']},
        ]
    )
}}

with lives as (
    select
        region_code,
        page_id,
        network,
        starts_on,
        ends_on
    from {{ ref('int_page_life') }}
    where
        is_latest
        and starts_on <= ends_on
),

spans as (
    select
        lives.region_code,
        lives.page_id,
        lives.network,
        {% if is_incremental() %}
            greatest(lives.starts_on, touched.first_day) as first_day,
            least(lives.ends_on, touched.last_day) as last_day
        {% else %}
            lives.starts_on as first_day,
            lives.ends_on as last_day
        {% endif %}
    from lives
    {% if is_incremental() %}
        inner join {{ ref('int_touched_page_span') }} as touched
            on
                lives.region_code = touched.region_code
                and lives.page_id = touched.page_id
                and lives.starts_on <= touched.last_day
                and lives.ends_on >= touched.first_day
    {% endif %}
),

days as (
    select
        spans.region_code,
        spans.page_id,
        spans.network,
        spans.first_day + passed.days as day
    from spans
    cross join lateral generate_series(0, spans.last_day - spans.first_day) as passed (days)
),

counted as (
    select
        spans.region_code,
        spans.page_id,
        spans.first_day,
        spans.last_day,
        observation.day,
        observation.members_count,
        lead(observation.day, 1, 'infinity') over (
            partition by spans.region_code, spans.page_id, spans.first_day order by observation.day
        ) as next_day
    from spans
    inner join {{ ref('int_page_observation') }} as observation
        on
            spans.region_code = observation.region_code
            and spans.page_id = observation.page_id
            and observation.day >= spans.first_day - {{ var('audience_carried_days') }}
            and spans.last_day >= observation.day
    where observation.members_count is not null
),

carried as (
    select
        counted.region_code,
        counted.page_id,
        counted.day + passed.days as day,
        counted.members_count as audience_count,
        passed.days as days_carried
    from counted
    cross join generate_series(0, {{ var('audience_carried_days') }}) as passed (days)
    where
        counted.day + passed.days < counted.next_day
        and counted.day + passed.days between counted.first_day and counted.last_day
)

select
    days.region_code,
    days.page_id,
    days.day,
    days.network,
    observation.members_count,
    carried.audience_count,
    coalesce(carried.days_carried > 0, false) as is_carried,
    carried.days_carried,
    observation.counted_by,
    case
        when observation.members_count is null then coalesce(observation.not_read, 'not_asked')
    end as not_observed_reason,
    observation.has_avatar,
    observation.has_description,
    observation.has_cover,
    observation.has_government_mark,
    observation.is_verified,
    observation.posts_7_days,
    observation.reach_7_days,
    observation.batch_id
from days
left join carried
    on
        days.region_code = carried.region_code
        and days.page_id = carried.page_id
        and days.day = carried.day
left join {{ ref('int_page_observation') }} as observation
    on
        days.region_code = observation.region_code
        and days.page_id = observation.page_id
        and days.day = observation.day
