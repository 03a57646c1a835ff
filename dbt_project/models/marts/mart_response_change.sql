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

answers as (
    select
        comparison.region_code,
        comparison.period_kind,
        comparison.period_start,
        comparison.compared_with,
        comparison.compared_start,
        answered.day >= comparison.period_start as is_now,
        answered.authority,
        answered.topic,
        answered.municipality,
        answered.answered_count,
        answered.minutes_sum
    from comparisons as comparison
    inner join {{ ref('mart_time_to_respond') }} as answered on comparison.region_code = answered.region_code
    where
        (answered.day >= comparison.period_start and answered.day < comparison.period_end)
        or (answered.day >= comparison.compared_start and answered.day < comparison.compared_end)
),

members as (
    select
        answers.region_code,
        answers.period_kind,
        answers.period_start,
        answers.compared_with,
        answers.compared_start,
        part.dimension,
        part.member,
        coalesce(sum(answers.answered_count) filter (where answers.is_now), 0) as now_count,
        sum(answers.minutes_sum) filter (where answers.is_now) as now_sum,
        coalesce(sum(answers.answered_count) filter (where not answers.is_now), 0) as then_count,
        sum(answers.minutes_sum) filter (where not answers.is_now) as then_sum
    from answers
    cross join
        lateral (
            values
            ('authority', answers.authority),
            ('topic', answers.topic),
            ('municipality', answers.municipality)
        ) as part (dimension, member)
    group by
        answers.region_code, answers.period_kind, answers.period_start, answers.compared_with,
        answers.compared_start, part.dimension, part.member
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
