-- Grain: one local month or year of a region whose mean time to respond, or the mean it is compared with, may have
-- changed.
{{ config(post_hook='analyze {{ this }}') }}

with answered as (
    select distinct
        region_code,
        date_trunc('month', day)::date as month
    from {{ ref('int_touched_day') }}
)

select distinct
    answered.region_code,
    period.period_kind,
    period.period_start::date as period_start
from answered
cross join lateral (
    values
    ('month', answered.month),
    ('month', answered.month + interval '1 month'),
    ('month', answered.month + interval '1 year'),
    ('year', date_trunc('year', answered.month)),
    ('year', date_trunc('year', answered.month) + interval '1 year')
) as period (period_kind, period_start)
