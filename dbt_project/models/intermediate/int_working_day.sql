-- Grain: one region × date of the production calendar, working or not.
{{
    config(
        post_hook='analyze {{ this }}',
        indexes=[{'columns': ['region_code', 'day'], 'unique': true}]
    )
}}

with days as (
    select
        region.region_code,
        calendar.day,
        hours.starts as work_starts,
        case
            when calendar.is_working_day
                then
                    extract(epoch from hours.ends - hours.starts) / 60
                    - case when calendar.is_shortened then hours.shortened_by_minutes else 0 end
            else 0
        end::integer as work_minutes
    from {{ ref('stg_raw__region') }} as region
    cross join {{ ref('int_calendar_day') }} as calendar
    left join lateral (
        select
            working_hours.starts,
            working_hours.ends,
            working_hours.shortened_by_minutes
        from {{ ref('working_hours') }} as working_hours
        where
            coalesce(working_hours.region_code, region.region_code) = region.region_code
            and calendar.day between working_hours.valid_from and coalesce(working_hours.valid_to, 'infinity')
        order by working_hours.region_code asc nulls last
        limit 1
    ) as hours on true
)

select
    region_code,
    day,
    work_starts,
    work_minutes,
    -- Numeric, as what is added to it.
    (sum(work_minutes) over (partition by region_code order by day) - work_minutes)::numeric as minutes_before
from days
