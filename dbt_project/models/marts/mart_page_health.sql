-- Grain: one page that is open on the latest day, on the day on which something beside its members was told last.
{{ config(materialized='table') }}

with open_pages as (
    select
        page_day.region_code,
        page_day.page_id,
        page_day.network
    from {{ ref('int_page_day') }} as page_day
    inner join {{ ref('int_page_clock') }} as clock
        on page_day.region_code = clock.region_code and page_day.day = clock.last_day
),

last_told as (
    select
        open_pages.region_code,
        open_pages.page_id,
        observation.*
    from open_pages
    cross join lateral (
        select
            latest.day,
            latest.members_count,
            latest.posts_7_days,
            latest.reach_7_days,
            latest.is_verified,
            latest.has_avatar,
            latest.has_description,
            latest.has_cover,
            latest.has_government_mark
        from {{ ref('int_page_observation') }} as latest
        where
            open_pages.region_code = latest.region_code
            and open_pages.page_id = latest.page_id
            and num_nonnulls(
                latest.has_avatar, latest.has_description, latest.has_cover, latest.has_government_mark,
                latest.is_verified, latest.posts_7_days, latest.reach_7_days
            ) > 0
        order by latest.day desc
        limit 1
    ) as observation
),

seen as (
    select
        open_pages.region_code,
        open_pages.page_id,
        open_pages.network,
        last_told.day,
        last_told.members_count,
        last_told.posts_7_days,
        last_told.reach_7_days,
        last_told.is_verified,
        last_told.posts_7_days >= {{ var('posts_7_days_goal') }} as has_enough_posts,
        last_told.has_avatar,
        last_told.has_description,
        last_told.has_cover,
        last_told.has_government_mark
    from open_pages
    left join last_told
        on open_pages.region_code = last_told.region_code and open_pages.page_id = last_told.page_id
),

scored as (
    select
        seen.region_code,
        seen.page_id,
        count(*) filter (where goal.is_reached) as passed_count,
        count(goal.is_reached) as known_count
    from seen
    cross join
        lateral (
            values
            (seen.has_enough_posts),
            (seen.has_avatar),
            (seen.has_description),
            (seen.has_cover),
            (seen.has_government_mark)
        ) as goal (is_reached)
    group by seen.region_code, seen.page_id
)

select
    seen.region_code,
    seen.page_id,
    seen.day,
    seen.network,
    page.name,
    page.url,
    page.authority_id,
    authority.name as authority,
    authority.level,
    authority.municipality_code,
    authority.municipality,
    seen.members_count,
    seen.posts_7_days,
    seen.reach_7_days,
    (seen.reach_7_days::numeric / nullif(seen.members_count, 0))::numeric(20, 6) as reach_share,
    seen.has_enough_posts,
    seen.has_avatar,
    seen.has_description,
    seen.has_cover,
    seen.has_government_mark,
    seen.is_verified,
    scored.passed_count,
    scored.known_count,
    (scored.passed_count::numeric / nullif(scored.known_count, 0))::numeric(20, 6) as score
from seen
inner join scored on seen.region_code = scored.region_code and seen.page_id = scored.page_id
left join {{ ref('dim_page') }} as page
    on seen.region_code = page.region_code and seen.page_id = page.page_id and page.is_current
left join {{ ref('dim_authority') }} as authority
    on page.region_code = authority.region_code and page.authority_id = authority.authority_id and authority.is_current
