-- Grain: one local day of a region whose warnings may have changed: one on which messages were received that this
-- build's batches tell of, or the same weekday of one of the eight weeks after it.
{{ config(post_hook='analyze {{ this }}') }}

select distinct
    touched.region_code,
    touched.day + 7 * later.weeks as day
from {{ ref('int_touched_received_day') }} as touched
cross join generate_series(0, {{ var('early_warning_weeks') }}) as later (weeks)
