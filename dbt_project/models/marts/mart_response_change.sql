-- Grain: region × month or year × what it is compared with × dimension × member: why the mean time to respond changed.
-- Mix: whose work there was more of. Rate: how fast each was. Weights are the mean of both periods', so nothing is left
-- over: over the members of one dimension mix and rate add up to the change of the mean, to the last digit.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_period'), ['region_code', 'period_kind', 'period_start']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[{'columns': ['region_code', 'period_kind', 'period_start']}]
    )
}}

with periods as (
    {% if is_incremental() -%}
        select
            region_code,
            period_kind,
            period_start
        from {{ ref('int_touched_period') }}
    {%- else -%}
        select distinct
            answered.region_code,
            period.period_kind,
            period.period_start::date as period_start
        from {{ ref('mart_time_to_respond') }} as answered
        cross join lateral (
            values
            ('month', date_trunc('month', answered.day)),
            ('year', date_trunc('year', answered.day))
        ) as period (period_kind, period_start)
    {%- endif %}
),

comparisons as (
    select
        periods.region_code,
        periods.period_kind,
        periods.period_start,
        (periods.period_start + ('1 ' || periods.period_kind)::interval)::date as period_end,
        compared.compared_with,
        (periods.period_start - compared.back)::date as compared_start,
        (periods.period_start - compared.back + ('1 ' || periods.period_kind)::interval)::date as compared_end
    from periods
    inner join (
        values
        ('month', 'previous_month', interval '1 month'),
        ('month', 'previous_year', interval '1 year'),
        ('year', 'previous_year', interval '1 year')
    ) as compared (period_kind, compared_with, back)
        on periods.period_kind = compared.period_kind
),

-- Months, not days, are compared: a year is its months, and far fewer of them than days.
wanted_months as (
    select distinct
        comparison.region_code,
        every.month::date as month,
        (every.month + interval '1 month')::date as next_month
    from comparisons as comparison
    cross join
        lateral (
            values
            (comparison.period_start, comparison.period_end),
            (comparison.compared_start, comparison.compared_end)
        ) as period (starts, ends)
    cross join
        generate_series(period.starts::timestamp, period.ends - interval '1 month', interval '1 month') as every (month)
),

answers as (
    select
        answered.region_code,
        date_trunc('month', answered.day)::date as month,
        answered.authority,
        answered.topic,
        answered.municipality,
        answered.answered_count,
        answered.minutes_sum
    from
        {{
            of_touched_periods(
                ref('mart_time_to_respond'), 'wanted_months', 'day', 'month', 'next_month'
            )
        }} as answered
),

months as (
    select
        region_code,
        month,
        case
            when grouping(authority) = 0 then 'authority'
            when grouping(topic) = 0 then 'topic'
            else 'municipality'
        end as dimension,
        coalesce(authority, topic, municipality) as member,
        sum(answered_count) as answered_count,
        sum(minutes_sum) as minutes_sum
    from answers
    group by
        grouping sets ((region_code, month, authority), (region_code, month, topic), (region_code, month, municipality))
),

members as (
    select
        comparison.region_code,
        comparison.period_kind,
        comparison.period_start,
        comparison.compared_with,
        comparison.compared_start,
        months.dimension,
        months.member,
        coalesce(sum(months.answered_count) filter (where months.month >= comparison.period_start), 0) as now_count,
        sum(months.minutes_sum) filter (where months.month >= comparison.period_start) as now_sum,
        coalesce(sum(months.answered_count) filter (where months.month < comparison.period_start), 0) as then_count,
        sum(months.minutes_sum) filter (where months.month < comparison.period_start) as then_sum
    from comparisons as comparison
    inner join months on comparison.region_code = months.region_code
    where
        (months.month >= comparison.period_start and months.month < comparison.period_end)
        or (months.month >= comparison.compared_start and months.month < comparison.compared_end)
    group by
        comparison.region_code, comparison.period_kind, comparison.period_start, comparison.compared_with,
        comparison.compared_start, months.dimension, months.member
),

wholes as (
    select
        *,
        sum(now_count) over whole as whole_now_count,
        sum(then_count) over whole as whole_then_count,
        sum(now_sum) over whole / nullif(sum(now_count) over whole, 0) as whole_now_mean,
        sum(then_sum) over whole / nullif(sum(then_count) over whole, 0) as whole_then_mean,
        now_sum / nullif(now_count, 0) as now_mean,
        then_sum / nullif(then_count, 0) as then_mean
    from members
    window whole as (partition by region_code, period_kind, period_start, compared_with, dimension)
),

parts as (
    select
        *,
        whole_now_mean::numeric(20, 6) - whole_then_mean::numeric(20, 6) as whole_change,
        -- Who answered nobody in one of the periods was as fast then as in the other: all of the change is mix.
        round(
            (now_count / whole_now_count - then_count / whole_then_count)
            * (
                (coalesce(now_mean, then_mean) + coalesce(then_mean, now_mean)) / 2
                - (whole_now_mean + whole_then_mean) / 2
            ),
            6
        ) as mix,
        round(
            (now_count / whole_now_count + then_count / whole_then_count) / 2
            * (coalesce(now_mean, then_mean) - coalesce(then_mean, now_mean)),
            6
        ) as rate
    from wholes
    where whole_now_count > 0 and whole_then_count > 0
),

-- What rounding left over, some millionths of a minute, goes to the largest member.
exact as (
    select
        *,
        rate + case
            when row_number() over (whole order by now_count + then_count desc, member nulls last) = 1
                then whole_change - sum(mix + rate) over whole
            else 0
        end as exact_rate
    from parts
    window whole as (partition by region_code, period_kind, period_start, compared_with, dimension)
)

select
    region_code,
    period_kind,
    period_start,
    compared_with,
    compared_start,
    dimension,
    member,
    now_count::bigint as answered_count,
    then_count::bigint as answered_count_before,
    now_mean::numeric(20, 6) as mean_minutes,
    then_mean::numeric(20, 6) as mean_minutes_before,
    mix::numeric(20, 6) as mix_minutes,
    exact_rate::numeric(20, 6) as rate_minutes,
    (mix + exact_rate)::numeric(20, 6) as change_minutes,
    whole_change::numeric(20, 6) as whole_change_minutes
from exact
