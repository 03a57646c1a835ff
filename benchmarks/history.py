"""Years of incidents made in the database itself: what two regions told night by night, 2,000 messages a day each.

Every message is told of on the day it came, and once more on the day it was resolved if that was a later one. All of it
follows from the number of the message, so a night that is added later is the same night at every size of history.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

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
_CHANCE = """
create or replace function pg_temp.chance(message bigint, use integer) returns double precision
return ((hashint8extended(message, use) & 1048575)::double precision + 0.5) / 1048576
"""

_VERSIONS = Path(__file__).with_name("history.sql").read_text(encoding="utf-8")


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
                "insert into raw.region values (%s, 'Первая область', 'Asia/Yekaterinburg'),"
                " (%s, 'Вторая область', 'Europe/Moscow')",
                REGIONS,
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
        "all_regions": list(REGIONS),
        "epoch": epoch,
        "a_day": a_day,
        "longest_days": _LONGEST_DAYS,
        "from_message": max((first - epoch).days - _LONGEST_DAYS, 0) * a_day,
        "to_message": ((last - epoch).days + 1) * a_day - 1,
    }
    with admin.transaction():
        admin.execute("set local work_mem = '1GB'")
        # The planner takes a series for a thousand rows, whatever its length.
        admin.execute("set local enable_nestloop = off")
        admin.execute(_CHANCE)
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
