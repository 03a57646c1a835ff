-- Grain: one current authority × network that is mandatory on the day of the data.
{{ config(materialized='table') }}

with mandatory as (
    select
        authority.region_code,
        authority.authority_id,
        authority.name as authority,
        authority.level,
        authority.municipality_code,
        authority.municipality,
        clock.as_of_day as day,
        mandatory_network.network,
        mandatory_network.valid_from as mandatory_since
    from {{ ref('dim_authority') }} as authority
    inner join {{ ref('int_page_clock') }} as clock on authority.region_code = clock.region_code
    inner join {{ ref('mandatory_network') }} as mandatory_network
        on
            clock.as_of_day >= mandatory_network.valid_from
            and (mandatory_network.valid_to is null or clock.as_of_day <= mandatory_network.valid_to)
    where authority.is_current
),

-- A new name is not a new authority: it had its duty from its first day on.
beginnings as (
    select
        region_code,
        authority_id,
        case when bool_and(valid_from is not null) then min(valid_from) end as first_day
    from {{ ref('dim_authority') }}
    group by region_code, authority_id
),

pages as (
    select
        region_code,
        authority_id,
        network,
        page_id,
        greatest(opened_on, valid_from) as first_day,
        least(closed_on, valid_to) as last_day
    from {{ ref('dim_page') }}
),

held as (
    select
        mandatory.region_code,
        mandatory.authority_id,
        mandatory.network,
        array_agg(pages.page_id order by pages.first_day asc nulls first, pages.page_id asc) filter (
            where pages.last_day is null or pages.last_day >= mandatory.day
        ) as page_ids,
        max(pages.last_day) as last_day
    from mandatory
    inner join pages
        on
            mandatory.region_code = pages.region_code
            and mandatory.authority_id = pages.authority_id
            and mandatory.network = pages.network
    where
        (pages.first_day is null or pages.first_day <= mandatory.day)
        and (pages.last_day is null or pages.first_day is null or pages.last_day >= pages.first_day)
    group by mandatory.region_code, mandatory.authority_id, mandatory.network
)

select
    mandatory.region_code,
    mandatory.authority_id,
    mandatory.network,
    mandatory.day,
    mandatory.authority,
    mandatory.level,
    mandatory.municipality_code,
    mandatory.municipality,
    mandatory.mandatory_since,
    held.page_ids is not null as has_page,
    held.page_ids[1] as page_id,
    coalesce(cardinality(held.page_ids), 0) as pages_count,
    case
        when held.page_ids is null
            then greatest(mandatory.mandatory_since, beginnings.first_day, held.last_day + 1)
    end as lacking_since
from mandatory
inner join beginnings
    on mandatory.region_code = beginnings.region_code and mandatory.authority_id = beginnings.authority_id
left join held
    on
        mandatory.region_code = held.region_code
        and mandatory.authority_id = held.authority_id
        and mandatory.network = held.network
