-- Grain: one date of the years that the production calendar tells of.
with years as (
    select
        date_trunc('year', min(day)) as first_day,
        date_trunc('year', max(day)) + interval '1 year - 1 day' as last_day
    from {{ ref('production_calendar') }}
),

days as (
    select (years.first_day + interval '1 day' * number)::date as day
    from years
    cross join generate_series(0, years.last_day::date - years.first_day::date) as number
),

kinds as (
    select
        days.day,
        coalesce(
            calendar.kind, case when extract(isodow from days.day) < 6 then 'workday' else 'weekend' end
        ) as kind,
        calendar.holiday,
        calendar.moved_from
    from days
    left join {{ ref('production_calendar') }} as calendar on days.day = calendar.day
)

select
    kinds.day,
    kinds.kind,
    day_kind.label as kind_label,
    kinds.holiday,
    kinds.moved_from,
    day_kind.is_working_day,
    day_kind.is_shortened
from kinds
left join {{ ref('day_kind') }} as day_kind on kinds.kind = day_kind.kind
