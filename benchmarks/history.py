"""Years of incidents made in the database itself: what two regions told night by night, 2,000 messages a day each.

Every message is told of on the day it came, and once more on the day it was resolved if that was a later one. All of it
follows from the number of the message, so a night that is added later is the same night at every size of history.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from benchmarks.figures import say
from otklik.settings import Settings
from otklik.warehouse.roles import connect_as_admin

REGIONS = ("66", "77")
MESSAGES_A_DAY = 2_000
# The production calendar reaches from 2020 through 2026: ten million messages just fit.
LAST_DAY = date(2026, 10, 31)
# Nothing takes longer to be resolved, so a night looks no further back for what it tells.
_LONGEST_DAYS = 60
_PART_DAYS = 50

_BATCHES = """
insert into raw.batch (
    source, entity, region_code, interval_from, interval_to, file_name, landed_path, content_sha256, mapping_sha256,
    status, started_at, finished_at, otklik_version, known_at
)
select
    'benchmark', 'incident', region.region_code, night.starts_at, night.ends_at,
    region.region_code || '-' || every.day::date || '.csv', '', '', '',
    'loaded', night.ends_at, night.ends_at, 'benchmark', night.ends_at
from generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') as every (day)
cross join raw.region
cross join lateral (
    values (every.day at time zone region.time_zone, (every.day + interval '1 day') at time zone region.time_zone)
) as night (starts_at, ends_at)
where region.region_code = any(%(regions)s)
order by every.day, region.region_code
"""

# A number between 0 and 1 that belongs to the message, another for each use.
_CHANCE = "((hashint8extended(message.n, {use}) & 1048575)::float8 + 0.5) / 1048576"

_VERSIONS = f"""
with messages as (
    select
        message.n,
        -- Every sixth message tells of the incident of the one before it in its region.
        message.n - case when message.n / 2 %% 6 = 5 then 2 else 0 end as incident,
        (array['66', '77'])[message.n %% 2 + 1] as region_code,
        {_CHANCE.format(use=1)} as by_day,
        {_CHANCE.format(use=2)} as by_answer,
        {_CHANCE.format(use=3)} as by_end,
        {_CHANCE.format(use=4)} as by_place,
        {_CHANCE.format(use=5)} as by_topic,
        {_CHANCE.format(use=6)} as by_author
    from generate_series(%(from_message)s::bigint, %(to_message)s::bigint) as message (n)
    where (array['66', '77'])[message.n %% 2 + 1] = any(%(regions)s)
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
        + interval '1 second' * least(floor(3600 - 100000 * ln(by_end)), {_LONGEST_DAYS - 1} * 86400) as end_at
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
"""


@dataclass(frozen=True)
class History:
    """So many days through LAST_DAY; `add_night` goes on from there."""

    settings: Settings
    days: int

    @property
    def messages(self) -> int:
        """Return how many messages were told of in all, without added nights."""
        return self.days * MESSAGES_A_DAY * len(REGIONS)

    def write(self) -> None:
        """Fill `raw` with it, as that many nights of each region."""
        with connect_as_admin(self.settings, self.settings.database("owner")) as admin:
            admin.execute(
                "insert into raw.region values ('66', 'Первая область', 'Asia/Yekaterinburg'),"
                " ('77', 'Вторая область', 'Europe/Moscow')"
            )
            first = LAST_DAY - timedelta(days=self.days - 1)
            while first <= LAST_DAY:
                last = min(first + timedelta(days=_PART_DAYS - 1), LAST_DAY)
                _write(admin, first, last, REGIONS)
                say(f"  through {last}")
                first = last + timedelta(days=1)
            admin.execute("vacuum (analyze) raw.incident")
            admin.execute("analyze raw.batch")
            admin.execute("checkpoint")

    def add_night(self, number: int) -> int:
        """Write the night so many days after the last, of one region: 2,000 new messages, and what became of others.

        Return its number of rows.
        """
        day = LAST_DAY + timedelta(days=number)
        with connect_as_admin(self.settings, self.settings.database("owner")) as admin:
            rows = _write(admin, day, day, REGIONS[:1])
            admin.execute("checkpoint")
        return rows


def _write(admin: psycopg.Connection, first: date, last: date, regions: tuple[str, ...]) -> int:
    """Write the nights of these days; return the number of rows."""
    # Messages are numbered from a day before any history, so a message has one number at every size of it.
    epoch = date(2020, 1, 1)
    a_day = MESSAGES_A_DAY * len(REGIONS)
    values = {
        "first": first,
        "last": last,
        "regions": list(regions),
        "epoch": epoch,
        "a_day": a_day,
        "from_message": max((first - epoch).days - _LONGEST_DAYS, 0) * a_day,
        "to_message": ((last - epoch).days + 1) * a_day - 1,
    }
    with admin.transaction():
        admin.execute("set local work_mem = '1GB'")
        # The planner takes a series for a thousand rows, whatever its length.
        admin.execute("set local enable_nestloop = off")
        admin.execute(_BATCHES, values)
        rows = admin.execute(_VERSIONS, values).rowcount
        admin.execute(
            "update raw.batch set rows_read = counted.rows, rows_loaded = counted.rows"
            " from (select batch_id, count(*) as rows from raw.incident"
            "       where batch_id > (select max(batch_id) - %s from raw.batch) group by batch_id) as counted"
            " where batch.batch_id = counted.batch_id",
            [((last - first).days + 1) * len(regions)],
        )
    return rows
