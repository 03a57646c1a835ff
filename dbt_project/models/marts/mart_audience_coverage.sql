-- Grain: region × last day of a month, and the latest day × municipality; NULL: pages of the whole region or of nobody
-- known. Month ends are enough: how many live there is a figure of years, and a month's rows are few.
{{ config(materialized='table') }}

with regions as (
    select
        life.region_code,
        min(life.region_first_day) as first_day,
        clock.last_day
    from {{ ref('int_page_life') }} as life
    inner join {{ ref('int_page_clock') }} as clock on life.region_code = clock.region_code
    group by life.region_code, clock.last_day
),

days as (
    select
        regions.region_code,
        (month.first_day + interval '1 month' - interval '1 day')::date as day
    from regions
    cross join
        generate_series(
            date_trunc('month', regions.first_day::timestamp), regions.last_day::timestamp, interval '1 month'
        ) as month (first_day)
    where month.first_day + interval '1 month' - interval '1 day' <= regions.last_day
    union
    select
        region_code,
        last_day as day
    from regions
    where first_day <= last_day
),

audience as (
    select
        audience.region_code,
        audience.day,
        audience.municipality_code,
        max(audience.municipality) as municipality,
        sum(audience.pages_count)::bigint as pages_count,
        sum(audience.not_observed_count)::bigint as not_observed_count,
        sum(audience.audience_count)::bigint as audience_count
    from {{ ref('mart_audience_daily') }} as audience
    inner join days
        on audience.region_code = days.region_code and audience.day = days.day
    group by audience.region_code, audience.day, audience.municipality_code
),

municipalities as (
    select
        days.region_code,
        days.day,
        municipality.oktmo as municipality_code,
        municipality.name as municipality,
        municipality.residents
    from days
    inner join {{ ref('municipality') }} as municipality on days.region_code = municipality.region_code
)

select
    region_code,
    day,
    municipality_code,
    coalesce(municipalities.municipality, audience.municipality) as municipality,
    coalesce(audience.pages_count, 0) as pages_count,
    coalesce(audience.not_observed_count, 0) as not_observed_count,
    audience.audience_count,
    municipalities.residents,
    (audience.audience_count::numeric / nullif(municipalities.residents, 0))::numeric(20, 6) as coverage_share
from municipalities
full outer join audience using (region_code, day, municipality_code)
