-- Versions of the messages numbered %(from_message)s through %(to_message)s, told in the nights %(first)s through %(last)s.
with messages as (
    select
        message.n,
        -- Every sixth message tells of the incident of the one before it in its region.
        message.n - case when message.n / 2 %% 6 = 5 then 2 else 0 end as incident,
        (%(all_regions)s::text[])[message.n %% 2 + 1] as region_code,
        pg_temp.chance(message.n, 1) as by_day,
        pg_temp.chance(message.n, 2) as by_answer,
        pg_temp.chance(message.n, 3) as by_end,
        pg_temp.chance(message.n, 4) as by_place,
        pg_temp.chance(message.n, 5) as by_topic,
        pg_temp.chance(message.n, 6) as by_author
    from generate_series(%(from_message)s::bigint, %(to_message)s::bigint) as message (n)
    where (%(all_regions)s::text[])[message.n %% 2 + 1] = any(%(regions)s)
),

received as (
    select
        messages.*,
        region.time_zone,
        (%(epoch)s::date + (messages.n / %(a_day)s)::integer)::timestamp at time zone region.time_zone as day_starts_at,
        floor(messages.by_day * 86400) * interval '1 second' as into_day
    from messages
    inner join raw.region on messages.region_code = region.region_code
),

moments as (
    select
        received.*,
        day_starts_at + into_day as received_at,
        day_starts_at + into_day + interval '1 minute' * (1 + floor(30 * by_place)) as registered_at,
        day_starts_at + into_day + interval '1 minute' * (32 + floor(20 * by_topic)) as assigned_at,
        -- Half of all answers come within two hours, one in twenty takes more than a day.
        day_starts_at + into_day + interval '1 second' * floor(3200 + 4000 * (1 / (1 - by_answer) - 1)) as answer_at,
        day_starts_at + into_day
        + interval '1 second' * least(floor(3600 - 100000 * ln(by_end)), (%(longest_days)s - 1) * 86400) as end_at
    from received
),

lives as (
    select
        moments.*,
        least(answer_at, end_at) as first_response_at,
        greatest(assigned_at, end_at) as resolved_at
    from moments
),

-- Worked out once; the planner would rather do it again for each night a message might be of.
days as materialized (
    select
        *,
        (received_at at time zone time_zone)::date as received_day,
        (resolved_at at time zone time_zone)::date as resolved_day
    from lives
),

tellings as (
    select days.*, received_day as day from days
    union all
    select days.*, resolved_day as day from days where resolved_day > received_day
),

nights as materialized (
    select
        batch.batch_id,
        batch.region_code,
        batch.interval_to,
        (batch.interval_from at time zone region.time_zone)::date as day
    from raw.batch
    inner join raw.region on batch.region_code = region.region_code
),

told as (
    select
        tellings.*,
        nights.batch_id,
        nights.interval_to,
        tellings.resolved_at < nights.interval_to as is_resolved,
        tellings.first_response_at < nights.interval_to as is_answered
    from tellings
    inner join nights on tellings.region_code = nights.region_code and tellings.day = nights.day
    where tellings.day between %(first)s and %(last)s
)

insert into raw.incident (
    batch_id, row_number, region_code, source, updated_at, row_hash, message_id, incident_id, author_hash, message_text,
    masked_text, topic, subtopic, municipality_code, municipality, authority, status, channel, priority,
    reopened_count, received_at, registered_at, assigned_at, first_response_at, resolved_at, due_at
)
select
    batch_id,
    row_number() over (partition by batch_id order by n) + 1,
    region_code,
    'benchmark',
    case
        when is_resolved then resolved_at when is_answered then first_response_at
        else least(assigned_at, interval_to - interval '1 second')
    end,
    lpad(hashint8extended(n, is_resolved::integer)::text, 20, '0'),
    'm' || lpad(n::text, 9, '0'),
    'i' || lpad(incident::text, 9, '0'),
    md5((by_author * 300000)::integer::text) || md5(region_code || (by_author * 300000)::integer),
    repeat('Во дворе не вывозят мусор, просим принять меры. ', 2) || n,
    repeat('Во дворе не вывозят мусор, просим принять меры. ', 2) || n,
    'Тема ' || (by_topic * 20)::integer,
    'Подтема ' || (by_topic * 60)::integer,
    '657' || lpad(((by_place * 93)::integer)::text, 5, '0'),
    'Городской округ ' || (by_place * 93)::integer,
    'Администрация ' || (by_place * 93)::integer,
    case when is_resolved then 'resolved' when is_answered then 'answered' else 'registered' end,
    (array['vk', 'ok', 'telegram', 'portal'])[n %% 4 + 1],
    (array['high', 'normal', 'low', null])[(by_author * 3)::integer + 1],
    0,
    received_at,
    registered_at,
    least(assigned_at, interval_to),
    case when is_answered then first_response_at end,
    case when is_resolved then resolved_at end,
    -- Of every other message the source says by when it wants an answer; the rest is told by policy.
    case when n / 4 %% 2 = 0 then received_at + interval '8 hours' end
from told
order by batch_id, n
