-- Grain: one live broadcast in its latest version. A few hundred rows, written again whole.
{{ config(materialized='table') }}

with latest as (
    {{ latest_version(ref('stg_raw__broadcast'), ['region_code', 'source', 'broadcast_id']) }}
)

select
    latest.region_code,
    latest.source,
    latest.broadcast_id,
    latest.title,
    latest.guest_post,
    latest.authority,
    latest.municipality_code,
    latest.municipality,
    latest.network,
    latest.url,
    latest.held_at,
    (latest.held_at at time zone region.time_zone)::date as held_date,
    latest.duration_minutes,
    latest.views,
    latest.batch_id
from latest
inner join {{ ref('stg_raw__region') }} as region on latest.region_code = region.region_code
where not latest.is_deleted
