-- Grain: region × month or year × authority that answered in it. A place is given from a minimum of answers on
-- (var ranking_minimum); below it there are too few data, never a first place.
-- What is overdue is carried forward, so a region is ranked again from the year of its first touched month on.
-- depends_on: {{ ref('int_touched_span') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="
            {% if is_incremental() %}
            delete from {{ this }} as kept
            using {{ ref('int_touched_span') }} as touched
            where
                kept.region_code = touched.region_code
                and kept.period_start >= date_trunc('year', touched.first_month)
            {% endif %}
        ",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'period_kind', 'period_start']}]
    )
}}

with answered as (
    select
        answered.region_code,
        answered.day,
        answered.authority,
        answered.answered_count,
        answered.minutes_sum,
        answered.with_deadline_count,
        answered.on_time_count,
        answered.histogram
    from {{ ref('mart_time_to_respond') }} as answered
    {% if is_incremental() -%}
        inner join {{ ref('int_touched_span') }} as touched
            on
                answered.region_code = touched.region_code
                and answered.day >= date_trunc('year', touched.first_month)
    {%- endif %}
    where answered.authority is not null
),

periods as (
    select
        answered.region_code,
        period.period_kind,
        period.period_start::date as period_start,
        (period.period_start + ('1 ' || period.period_kind)::interval - interval '1 month')::date as last_month,
        answered.authority,
        sum(answered.answered_count) as answered_count,
        sum(answered.minutes_sum) / sum(answered.answered_count) as mean_minutes,
        {{ schema_of('marts') }}.histogram_percentile(string_agg(answered.histogram, ' '), 0.5) as median_minutes,
        {{ schema_of('marts') }}.histogram_percentile(string_agg(answered.histogram, ' '), 0.9) as p90_minutes,
        sum(answered.with_deadline_count) as with_deadline_count,
        sum(answered.on_time_count) as on_time_count
    from answered
    cross join
        lateral (
            values
            ('month', date_trunc('month', answered.day::timestamp)),
            ('year', date_trunc('year', answered.day::timestamp))
        ) as period (period_kind, period_start)
    group by answered.region_code, period.period_kind, period.period_start, answered.authority
),

-- Overdue at the end of the period: of a year that has not ended, at the end of what is known of it.
judged as (
    select
        periods.*,
        coalesce(overdue.overdue_unanswered_count, 0) as overdue_unanswered_count,
        periods.answered_count >= {{ var('ranking_minimum') }} as is_ranked
    from periods
    inner join {{ ref('int_region_clock') }} as clock on periods.region_code = clock.region_code
    left join {{ ref('mart_time_to_respond_month') }} as overdue
        on
            periods.region_code = overdue.region_code
            and periods.authority = overdue.authority
            and least(periods.last_month, clock.as_of_month) = overdue.month
            and overdue.scope = 'authority'
)

select
    region_code,
    period_kind,
    period_start,
    authority,
    answered_count::bigint as answered_count,
    mean_minutes::numeric(20, 6) as mean_minutes,
    median_minutes::numeric(20, 6) as median_minutes,
    p90_minutes::numeric(20, 6) as p90_minutes,
    (on_time_count / nullif(with_deadline_count + overdue_unanswered_count, 0))::numeric(9, 6) as on_time_share,
    is_ranked,
    case when is_ranked then rank() over (
        partition by region_code, period_kind, period_start, is_ranked order by mean_minutes
    ) end as place,
    case when is_ranked then (rank() over (
        partition by region_code, period_kind, period_start, is_ranked order by mean_minutes
    ))::text else 'мало данных' end as place_label
from judged
