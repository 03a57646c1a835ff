-- Grain: region × local day × network × authority that answers for the pages on that day, NULL where unknown.
-- A view: the figures are kept once, in int_audience_day; an authority is named as it was named on the day, and a new
-- name rewrites no figure.
{{ config(materialized='view') }}

select
    audience.region_code,
    audience.day,
    audience.network,
    nullif(audience.authority_id, '') as authority_id,
    authority.name as authority,
    authority.level,
    authority.municipality_code,
    authority.municipality,
    audience.pages_count,
    audience.observed_count,
    audience.carried_count,
    audience.not_observed_count,
    audience.audience_count
from {{ ref('int_audience_day') }} as audience
left join {{ ref('dim_authority') }} as authority
    on
        audience.region_code = authority.region_code
        and audience.authority_id = authority.authority_id
        and (authority.valid_from is null or audience.day >= authority.valid_from)
        and (authority.valid_to is null or audience.day <= authority.valid_to)
