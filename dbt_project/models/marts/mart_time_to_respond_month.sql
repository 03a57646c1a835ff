-- Grain: region × local month × scope; in scope 'authority' one authority, NULL where unknown.
-- Months with an answer, or with something overdue and unanswered at their end.
-- What is overdue is carried forward, so a region is counted again from its first touched month on.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="
            {% if is_incremental() %}
            delete from {{ this }} as kept
            using {{ ref('int_touched_span') }} as touched
            where kept.region_code = touched.region_code and kept.month >= touched.first_month
            {% endif %}
        ",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month']}, {'columns': ['region_code', 'scope', 'month']}],
        grants={'+select': ['otklik_publisher']}
    )
}}

with spans as (
    select
        clock.region_code,
        clock.as_of_month as last_month,
        {{ 'touched.first_month' if is_incremental() else "'-infinity'::date" }} as span_start
    from {{ ref('int_region_clock') }} as clock
    left join {{ ref('int_touched_span') }} as touched on clock.region_code = touched.region_code
    where
        true
        {{ and_touched(ref('int_touched_span'), ['clock.region_code'], ['region_code']) }}
),

changes as (
    select
        overdue.region_code,
        overdue.authority,
        -- All that happened before the span is its opening balance.
        greatest(overdue.month, spans.span_start) as month,
        overdue.entered_count - overdue.left_count as change,
        spans.last_month
    from {{ ref('int_overdue_month') }} as overdue
    inner join spans on overdue.region_code = spans.region_code
    where overdue.month <= spans.last_month
),

balances as (
    select
        region_code,
        month,
        authority,
        sum(sum(change)) over so_far as overdue_count,
        -- A balance stands until the next change of it.
        coalesce(
            lead(month) over so_far - interval '1 month', max(last_month)
        )::date as last_month
    from changes
    group by region_code, month, authority
    window so_far as (partition by region_code, authority order by month)
),

overdue as (
    select
        balances.region_code,
        every.month::date as month,
        case grouping(balances.authority) when 1 then 'region' else 'authority' end as scope,
        balances.authority,
        sum(balances.overdue_count)::bigint as overdue_unanswered_count
    from balances
    cross join
        generate_series(
            balances.month::timestamp, balances.last_month::timestamp, interval '1 month'
        ) as every (month)
    where balances.overdue_count > 0
    group by
        grouping sets (
            (balances.region_code, every.month), (balances.region_code, every.month, balances.authority)
        )
),

responses as (
    select response.*
    from {{ ref('int_response_month') }} as response
    inner join spans
        on
            response.region_code = spans.region_code
            and response.month >= spans.span_start
),

responses_a_year_earlier as (
    select
        response.region_code,
        (response.month + interval '1 year')::date as month,
        response.scope,
        response.authority,
        response.mean_minutes
    from {{ ref('int_response_month') }} as response
    inner join spans
        on
            response.region_code = spans.region_code
            and response.month + interval '1 year' >= spans.span_start
),

keys as (
    select
        region_code,
        month,
        scope,
        authority
    from responses
    union
    select
        region_code,
        month,
        scope,
        authority
    from overdue
)

select
    keys.region_code,
    keys.month,
    keys.scope,
    keys.authority,
    coalesce(responses.answered_count, 0) as answered_count,
    responses.mean_minutes,
    responses.median_minutes,
    responses.p90_minutes,
    responses.mean_working_minutes,
    responses.median_working_minutes,
    responses.p90_working_minutes,
    year_earlier.mean_minutes as mean_minutes_previous_year,
    coalesce(responses.on_time_count, 0) as on_time_count,
    coalesce(overdue.overdue_unanswered_count, 0) as overdue_unanswered_count,
    (
        coalesce(responses.on_time_count, 0)::numeric
        / nullif(
            coalesce(responses.with_deadline_count, 0) + coalesce(overdue.overdue_unanswered_count, 0), 0
        )
    )::numeric(9, 6) as on_time_share
from keys
left join responses
    on
        keys.region_code = responses.region_code
        and keys.month = responses.month
        and keys.scope = responses.scope
        and keys.authority is not distinct from responses.authority
left join overdue
    on
        keys.region_code = overdue.region_code
        and keys.month = overdue.month
        and keys.scope = overdue.scope
        and keys.authority is not distinct from overdue.authority
left join responses_a_year_earlier as year_earlier
    on
        keys.region_code = year_earlier.region_code
        and keys.month = year_earlier.month
        and keys.scope = year_earlier.scope
        and keys.authority is not distinct from year_earlier.authority
