{# What the summaries by month and by year tell alike. #}


{# The local month (its first day) or year of a day. #}
{% macro period_of(day, period) -%}
    {%- if period == 'year' -%} extract(year from {{ day }})::integer
    {%- else -%} date_trunc('{{ period }}', {{ day }})::date
    {%- endif -%}
{%- endmacro %}


{# What was done besides answering: region_code, month or year, metric, value, unit. #}
{% macro work_done_by(period) -%}
    {% set works = [
        ('surveys_completed', 'surveys', ref('mart_survey_summary'), 'closed_on', 'is_completed'),
        ('broadcasts_held', 'broadcasts', ref('fct_broadcast'), 'held_date', 'held_date is not null'),
        ('materials_published', 'materials', ref('fct_material'), 'published_date', 'published_date is not null'),
    ] -%}
    {% for metric, unit, relation, day, is_done in works -%}
        select
            region_code,
            {{ period_of(day, period) }} as {{ period }},
            '{{ metric }}' as metric,
            count(*)::numeric as value,
            '{{ unit }}' as unit
        from {{ relation }}
        where {{ is_done }}
        group by region_code, {{ period_of(day, period) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{# The figures of pages as on the last known day of each month or year: region_code, month or year, metric, value, unit.
   `days` has region_code, the period and its day, which is NULL where nothing was counted. #}
{% macro page_figures_by(period, days) -%}
    select
        pages.region_code,
        pages.{{ period }},
        figure.metric,
        figure.value,
        figure.unit
    from (
        select
            days.region_code,
            days.{{ period }},
            days.day,
            -- On a day that was watched, nobody's page is no page.
            case when days.day is not null then coalesce(sum(audience.pages_count), 0) end as pages_count,
            sum(audience.audience_count) as audience_count
        from {{ days }} as days
        left join {{ ref('mart_audience_daily') }} as audience
            on days.region_code = audience.region_code and days.day = audience.day
        group by days.region_code, days.{{ period }}, days.day
    ) as pages
    left join {{ ref('mart_audience_growth') }} as growth
        on
            pages.region_code = growth.region_code
            and pages.day = growth.day
            and growth.network = 'all'
            and growth.period_days = 365
    cross join lateral (
        values
        ('pages_working', pages.pages_count, 'pages'),
        ('audience', pages.audience_count, 'people'),
        ('audience_growth_share', growth.growth_share, 'share'),
        ('audience_like_for_like_growth_share', growth.like_for_like_growth_share, 'share')
    ) as figure (metric, value, unit)
{%- endmacro %}
