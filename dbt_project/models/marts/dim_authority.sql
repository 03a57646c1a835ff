-- Grain: one authority × stretch of days on which one row of the register is true. Its stretches do not meet.
-- Emptied and filled in one transaction, not made anew: mart_audience_daily, a view, reads it.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{% if is_incremental() %}delete from {{ this }}{% endif %}",
        post_hook='analyze {{ this }}',
        indexes=[{'columns': ['region_code', 'authority_id']}]
    )
}}

with versions as (
    select distinct on (
        authority.region_code, authority.source, authority.authority_id, authority.valid_from
    )
        authority.*,
        daterange(authority.valid_from, authority.valid_to, '[]') as validity
    from {{ ref('stg_raw__authority') }} as authority
    inner join {{ ref('stg_raw__batch') }} as batch on authority.batch_id = batch.batch_id
    where
        authority.batch_id
        <= (select batch_window.batches_through from {{ ref('int_batch_window') }} as batch_window)
    order by
        authority.region_code asc, authority.source asc, authority.authority_id asc, authority.valid_from asc,
        authority.updated_at desc, batch.interval_to desc, authority.batch_id desc, authority.row_number desc
),

-- Of two registers that tell of the same start the one changed later is right.
told as (
    select distinct on (region_code, authority_id, valid_from) *
    from versions
    where not is_deleted
    order by region_code asc, authority_id asc, valid_from asc, updated_at desc, source asc
),

-- Of rows that overlap the one that starts later is right.
held as (
    select
        *,
        unnest(
            datemultirange(validity) - coalesce(range_agg(validity) over later_starts, '{}'::datemultirange)
        ) as stretch
    from told
    window
        later_starts as (
            partition by region_code, authority_id
            order by valid_from asc nulls first
            rows between 1 following and unbounded following
        )
)

select
    held.region_code,
    held.source,
    held.authority_id,
    held.name,
    held.level,
    held.founder,
    held.municipality_code,
    held.municipality,
    lower(held.stretch) as valid_from,
    upper(held.stretch) - 1 as valid_to,
    held.stretch @> clock.as_of_day as is_current
from held
inner join {{ ref('int_page_clock') }} as clock on held.region_code = clock.region_code
