-- Grain: one page × stretch of days on which one row of the register is true. Its stretches do not meet.
{{ config(materialized='table') }}

select
    tenure.region_code,
    tenure.source,
    tenure.page_id,
    tenure.network,
    tenure.external_id,
    tenure.authority_id,
    tenure.name,
    tenure.url,
    tenure.opened_on,
    tenure.closed_on,
    tenure.valid_from,
    tenure.valid_to,
    tenure.stretch @> clock.as_of_day as is_current
from {{ ref('int_page_tenure') }} as tenure
inner join {{ ref('int_page_clock') }} as clock on tenure.region_code = clock.region_code
where
    tenure.is_latest
    and tenure.authority_id is not null
