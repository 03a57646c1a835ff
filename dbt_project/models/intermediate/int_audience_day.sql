-- Grain: region × local day × network × authority that answers for the page on that day, '' where unknown: a
-- key that is deleted by has to be comparable. Counts and sums only, so that any slice of them adds up.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched_span(ref('int_touched_authority_span'), 'authority_id') }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'day']},
            {'columns': ['region_code', 'authority_id', 'day', 'network'], 'unique': true},
        ]
    )
}}

with tenures as (
    select
        tenure.region_code,
        tenure.page_id,
        coalesce(tenure.authority_id, '') as authority_id,
        {% if is_incremental() %}
            greatest(tenure.valid_from, touched.first_day) as first_day,
            least(tenure.valid_to, touched.last_day) as last_day
        {% else %}
            coalesce(tenure.valid_from, '-infinity') as first_day,
            coalesce(tenure.valid_to, 'infinity') as last_day
        {% endif %}
    from {{ ref('int_page_tenure') }} as tenure
    {% if is_incremental() %}
        inner join {{ ref('int_touched_authority_span') }} as touched
            on
                tenure.region_code = touched.region_code
                and coalesce(tenure.authority_id, '') = touched.authority_id
    {% endif %}
    where tenure.is_latest
)

select
    page_day.region_code,
    page_day.day,
    page_day.network,
    tenures.authority_id,
    count(*) as pages_count,
    count(page_day.members_count) as observed_count,
    count(*) filter (where page_day.is_carried) as carried_count,
    count(*) filter (where page_day.audience_count is null) as not_observed_count,
    sum(page_day.audience_count)::bigint as audience_count
from tenures
inner join {{ ref('int_page_day') }} as page_day
    on
        tenures.region_code = page_day.region_code
        and tenures.page_id = page_day.page_id
        and page_day.day between tenures.first_day and tenures.last_day
group by page_day.region_code, page_day.day, page_day.network, tenures.authority_id
