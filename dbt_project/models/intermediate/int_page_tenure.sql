-- Grain: one page × state of its register × stretch of days. Every day of a page belongs to exactly one stretch; where
-- the register says nothing of it, and after a row was deleted, the stretch is nobody's (authority NULL).
-- The states are the one published last and one after each batch of this build with a row of the page: a build that
-- stopped half-way may have shown any of them, so what differs between them is what has to be counted again.
{{ config(post_hook='analyze {{ this }}') }}

with states as (
    select distinct
        page.region_code,
        page.page_id,
        greatest(page.batch_id, batch_window.batches_after) as state
    from {{ ref('stg_raw__page') }} as page
    inner join {{ ref('int_batch_window') }} as batch_window on page.batch_id <= batch_window.batches_through
),

versions as (
    select distinct on (states.region_code, states.page_id, states.state, page.source, page.valid_from)
        states.state,
        page.*
    from states
    inner join {{ ref('stg_raw__page') }} as page
        on
            states.region_code = page.region_code
            and states.page_id = page.page_id
            and states.state >= page.batch_id
    inner join {{ ref('stg_raw__batch') }} as batch on page.batch_id = batch.batch_id
    order by
        states.region_code asc, states.page_id asc, states.state asc, page.source asc, page.valid_from asc,
        page.updated_at desc, batch.interval_to desc, page.batch_id desc, page.row_number desc
),

-- Of two registers that tell of the same start the one changed later is right.
told as (
    select distinct on (region_code, page_id, state, valid_from)
        *,
        daterange(valid_from, valid_to, '[]') as validity
    from versions
    where not is_deleted
    order by region_code asc, page_id asc, state asc, valid_from asc, updated_at desc, source asc
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
            partition by region_code, page_id, state
            order by valid_from asc nulls first
            rows between 1 following and unbounded following
        )
),

gaps as (
    select
        states.region_code,
        states.page_id,
        states.state,
        unnest('{(,)}'::datemultirange - coalesce(range_agg(held.stretch), '{}'::datemultirange)) as stretch
    from states
    left join held
        on
            states.region_code = held.region_code
            and states.page_id = held.page_id
            and states.state = held.state
    group by states.region_code, states.page_id, states.state
),

stretches as (
    select
        region_code,
        page_id,
        state,
        source,
        network,
        external_id,
        authority_id,
        name,
        url,
        opened_on,
        closed_on,
        stretch
    from held
    union all
    select
        gaps.region_code,
        gaps.page_id,
        gaps.state,
        nobody.source,
        nobody.network,
        nobody.external_id,
        nobody.authority_id,
        nobody.name,
        nobody.url,
        nobody.opened_on,
        nobody.closed_on,
        gaps.stretch
    from gaps
    left join held as nobody on false
)

select
    region_code,
    page_id,
    state,
    state = max(state) over (partition by region_code, page_id) as is_latest,
    source,
    network,
    external_id,
    authority_id,
    name,
    url,
    opened_on,
    closed_on,
    lower(stretch) as valid_from,
    upper(stretch) - 1 as valid_to,
    stretch
from stretches
