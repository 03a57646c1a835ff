-- Grain: region × local month received × topic × municipality. For months in which the region received anything.
-- What had messages a month or a year before and has none now is there too, with 0. A month in which the region
-- received nothing at all is not known, and nothing is compared with it.
-- depends_on: {{ ref('int_touched_received_month') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="
            {% if is_incremental() %}
            delete from {{ this }} as kept
            using {{ ref('int_touched_received_month') }} as touched
            where kept.region_code = touched.region_code and kept.month = touched.month and touched.is_of_trends
            {% endif %}
        ",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'month']}]
    )
}}

with months as (
    {% if is_incremental() -%}
        select
            region_code,
            month
        from {{ ref('int_touched_received_month') }}
        where is_of_trends
    {%- else -%}
        select distinct
            region_code,
            date_trunc('month', day)::date as month
        from {{ ref('int_received_day') }}
    {%- endif %}
),

-- Each month beside the two it is compared with.
compared as (
    select
        months.region_code,
        months.month,
        part.part,
        (months.month - part.back)::date as part_month
    from months
    cross join (
        values
        ('now', interval '0'),
        ('previous_month', interval '1 month'),
        ('year_ago', interval '1 year')
    ) as part (part, back)
),

wanted_months as (
    select distinct
        region_code,
        part_month as month,
        (part_month + interval '1 month')::date as next_month
    from compared
),

-- Each month is summed up once, although it is compared three times.
received_months as (
    select
        received_day.region_code,
        date_trunc('month', received_day.day)::date as month,
        received_day.topic,
        received_day.municipality_key,
        max(received_day.municipality_code) as municipality_code,
        max(received_day.municipality) as municipality,
        sum(received_day.message_count) as message_count
    from
        {{
            of_touched_periods(
                ref('int_received_day'), 'wanted_months', 'day', 'month', 'next_month'
            )
        }} as received_day
    group by
        received_day.region_code, date_trunc('month', received_day.day), received_day.topic,
        received_day.municipality_key
),

received as (
    select
        compared.region_code,
        compared.month,
        compared.part,
        received_month.topic,
        received_month.municipality_key,
        received_month.municipality_code,
        received_month.municipality,
        received_month.message_count
    from compared
    inner join received_months as received_month
        on
            compared.region_code = received_month.region_code
            and compared.part_month = received_month.month
),

known as (
    select
        region_code,
        month,
        bool_or(part = 'now') as has_now,
        bool_or(part = 'previous_month') as has_previous_month,
        bool_or(part = 'year_ago') as has_year_ago
    from received
    group by region_code, month
),

counted as (
    select
        region_code,
        month,
        topic,
        max(municipality_code) as municipality_code,
        max(municipality) as municipality,
        coalesce(sum(message_count) filter (where part = 'now'), 0) as message_count,
        coalesce(sum(message_count) filter (where part = 'previous_month'), 0) as previous_month_count,
        coalesce(sum(message_count) filter (where part = 'year_ago'), 0) as year_ago_count
    from received
    group by region_code, month, topic, municipality_key
),

trends as (
    select
        counted.region_code,
        counted.month,
        counted.topic,
        counted.municipality_code,
        counted.municipality,
        counted.message_count,
        case when known.has_previous_month then counted.previous_month_count end as previous_month_count,
        case when known.has_year_ago then counted.year_ago_count end as year_ago_count
    from counted
    inner join known on counted.region_code = known.region_code and counted.month = known.month
    where known.has_now
)

select
    trends.region_code,
    trends.month,
    trends.topic,
    trends.municipality_code,
    trends.municipality,
    trends.message_count::bigint as message_count,
    trends.previous_month_count::bigint as previous_month_count,
    (trends.message_count - trends.previous_month_count)::bigint as change_count,
    (trends.message_count / nullif(trends.previous_month_count, 0) - 1)::numeric(20, 6) as change_share,
    trends.year_ago_count::bigint as year_ago_count,
    (trends.message_count - trends.year_ago_count)::bigint as year_change_count,
    (trends.message_count / nullif(trends.year_ago_count, 0) - 1)::numeric(20, 6) as year_change_share,
    trends.month + interval '1 month' <= clock.as_of at time zone clock.time_zone as is_complete
from trends
inner join {{ ref('int_region_clock') }} as clock on trends.region_code = clock.region_code
