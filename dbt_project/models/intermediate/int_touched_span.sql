-- Grain: one region with a touched month. What is overdue is carried from month to month, so all months
-- from the first touched one through the last are the region's to count again.
{{ config(post_hook='analyze {{ this }}') }}

select
    touched.region_code,
    min(touched.month) as first_month
from {{ ref('int_touched_month') }} as touched
group by touched.region_code
