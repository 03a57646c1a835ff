-- Grain: region × local day × authority × municipality × topic × age band: what was open at the end of the day, as it
-- was known that night. Only counts, so that any slice of a day adds up; days do not add up, each is a state.
-- depends_on: {{ ref('int_touched_backlog') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="
            {% if is_incremental() %}
            delete from {{ this }} as kept
            using {{ ref('int_touched_backlog') }} as touched
            where kept.region_code = touched.region_code and kept.day >= touched.first_day
            {% endif %}
        ",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'day']}]
    )
}}

with days as (
    select
        clock.region_code,
        {{ 'touched.first_day' if is_incremental() else "'-infinity'::date" }} as counted_from,
        -- Midnight is the end of the day before it.
        ((clock.as_of - interval '1 microsecond') at time zone clock.time_zone)::date as last_day
    from {{ ref('int_region_clock') }} as clock
    {% if is_incremental() -%}
        inner join {{ ref('int_touched_backlog') }} as touched on clock.region_code = touched.region_code
    {%- endif %}
),

-- From which day to which it was open at midnight: at first, and after it was opened again.
open_spans as (
    select
        span.*,
        greatest(span.known_day, days.counted_from, stretch.from_day) as from_day,
        least(span.until_day - 1, days.last_day, stretch.through_day) as through_day
    from days
    -- Of a range with two ends the planner expects a small part of history, of one with one end a third.
    cross join
        lateral (
            select known.*
            from {{ ref('int_incident_span') }} as known
            where
                known.region_code = days.region_code
                and known.open_until_day > days.counted_from
                and known.open_until_day <= 'infinity'
            {% if is_incremental() -%}
                order by known.open_until_day
                offset 0
            {%- endif %}
        ) as span
    cross join
        lateral (
            values
            (span.received_date, span.ended_date - 1),
            (span.reopened_date, span.ended_again_date - 1)
        ) as stretch (from_day, through_day)
    where stretch.from_day is not null
),

open_incidents as (
    select
        open_spans.region_code,
        every.day::date as day,
        open_spans.authority,
        open_spans.municipality_code,
        open_spans.municipality,
        open_spans.topic,
        every.day::date - open_spans.received_date as age_days,
        coalesce(open_spans.first_response_date > every.day::date, true) as is_unanswered,
        coalesce(open_spans.deadline_date <= every.day::date, false) as is_past_deadline
    from open_spans
    cross join
        generate_series(
            open_spans.from_day::timestamp, open_spans.through_day::timestamp, interval '1 day'
        ) as every (day)
)

select
    region_code,
    day,
    authority,
    municipality_code,
    municipality,
    topic,
    case
        when age_days = 0 then '0'
        when age_days < 3 then '1-2'
        when age_days < 7 then '3-6'
        when age_days < 30 then '7-29'
        else '30+'
    end as age_band,
    count(*) as open_count,
    count(*) filter (where is_unanswered) as unanswered_count,
    count(*) filter (where is_unanswered and is_past_deadline) as overdue_count,
    sum(age_days)::bigint as age_days_sum
from open_incidents
group by region_code, day, authority, municipality_code, municipality, topic, age_band
