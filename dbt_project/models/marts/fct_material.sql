-- Grain: one information material in its latest version. A few thousand rows, written again whole.
{{ config(materialized='table') }}

with latest as (
    {{ latest_version(ref('stg_raw__material'), ['region_code', 'source', 'material_id']) }}
)

select
    latest.region_code,
    latest.source,
    latest.material_id,
    latest.title,
    latest.topic,
    latest.authority,
    latest.network,
    latest.format,
    latest.url,
    latest.published_at,
    (latest.published_at at time zone region.time_zone)::date as published_date,
    latest.views,
    latest.batch_id
from latest
inner join {{ ref('stg_raw__region') }} as region on latest.region_code = region.region_code
where not latest.is_deleted
