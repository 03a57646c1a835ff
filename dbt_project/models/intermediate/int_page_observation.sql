-- Grain: one page × local day with a snapshot. Of several the surest way of counting tells (live, trend, file), and
-- of those the last; what else was seen of the page is each the first known in that order.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(ref('int_touched_page_day'), ['region_code', 'page_id', 'day']) }}",
        post_hook="{{ analyze_when_rebuilt() }}",
        indexes=[
            {'columns': ['region_code', 'page_id', 'day'], 'unique': true},
            {'columns': ['region_code', 'day']},
            {'columns': ['batch_id']},
        ]
    )
}}
with versions as materialized (
    select page_snapshot.*
    {% if is_incremental() %}
        from {{ ref('int_touched_page_day') }} as touched
        -- `order by` keeps the planner to looking each day up in the index of the key: a join reads all of history.
        cross join lateral (
            select version.*
            from {{ ref('stg_raw__page_snapshot') }} as version
            where
                touched.region_code = version.region_code
                and touched.page_id = version.page_id
                and touched.starts_at <= version.observed_at
                and touched.ends_at > version.observed_at
            order by version.observed_at
        ) as page_snapshot
    {% else %}
        from {{ ref('stg_raw__page_snapshot') }} as page_snapshot
    {% endif %}
),

latest as (
    {{ latest_version('versions', ['region_code', 'source', 'page_id', 'method', 'observed_at']) }}
),

observations as (
    select
        latest.*,
        (latest.observed_at at time zone clock.time_zone)::date as day
    from latest
    inner join {{ ref('int_page_clock') }} as clock on latest.region_code = clock.region_code
    where not latest.is_deleted
),

ranked as (
    select
        *,
        row_number() over (
            partition by region_code, page_id, day
            order by
                members_count is null, array_position(array['live', 'trend', 'file'], method), observed_at desc,
                updated_at desc, batch_id desc, row_number desc
        ) as place
    from observations
)

select
    region_code,
    page_id,
    day,
    max(batch_id) filter (where place = 1) as batch_id,
    max(method) filter (where place = 1) as counted_by,
    max(members_count) filter (where place = 1) as members_count,
    max(not_read) filter (where place = 1) as not_read,
    (array_agg(has_avatar order by place) filter (where has_avatar is not null))[1] as has_avatar,
    (array_agg(has_description order by place) filter (where has_description is not null))[1] as has_description,
    (array_agg(has_cover order by place) filter (where has_cover is not null))[1] as has_cover,
    (array_agg(has_government_mark order by place) filter (where has_government_mark is not null))[1]
        as has_government_mark,
    (array_agg(is_verified order by place) filter (where is_verified is not null))[1] as is_verified,
    (array_agg(posts_7_days order by place) filter (where posts_7_days is not null))[1] as posts_7_days,
    (array_agg(reach_7_days order by place) filter (where reach_7_days is not null))[1] as reach_7_days
from ranked
group by region_code, page_id, day
