-- Grain: one survey of a region's registers in its latest version. What a register has no more is gone.
-- Two registers may name the same survey: responses know no register, so the one changed last speaks.
with latest as (
    {{ latest_version(ref('stg_raw__survey'), ['region_code', 'source', 'survey_id']) }}
)

select distinct on (region_code, survey_id)
    region_code,
    survey_id,
    batch_id,
    title,
    topic,
    municipality_code,
    system,
    opened_on,
    closed_on
from latest
where not is_deleted
order by region_code asc, survey_id asc, updated_at desc, batch_id desc, row_number desc
