"""Local time to UTC by a table of the zone's changes: a look-up a moment, six times faster than the calendar."""

from datetime import datetime
from functools import cache

import polars as pl

# Before and after these no zone of the time zone database changes its clocks.
_BEGIN, _END = datetime(1800, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - local time of any zone
_STEPS = ("1h", "1m", "1s")


def to_utc(local: pl.Expr, zone: str) -> pl.Expr:
    """Return local moments of the zone (an IANA name) in UTC.

    An hour that a change of clocks repeats is taken as its first passing; one it skips becomes NULL.
    """
    changes, offsets = _table(zone)
    offset = offsets.gather(changes.search_sorted(local, side="right"))
    return (local - offset).dt.replace_time_zone("UTC")


@cache
def _table(zone: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the local moments from which on another offset holds, and the offsets: one more, the first before all.

    An offset is NULL where the clocks skip the hour.
    """
    moments = pl.datetime_range(_BEGIN, _END, "1d", eager=True)
    for step in _STEPS:
        changed = _changed(_offsets(moments, zone))
        around = pl.DataFrame({"before": moments.shift(1).filter(changed), "after": moments.filter(changed)})
        closer = around.select(pl.datetime_ranges("before", "after", step).explode()).to_series()
        moments = pl.concat([moments.head(1), closer])
    offsets = _offsets(moments, zone)
    changed = _changed(offsets)
    return pl.lit(moments.filter(changed)), pl.lit(pl.concat([offsets.head(1), offsets.filter(changed)]))


def _changed(offsets: pl.Series) -> pl.Series:
    return offsets.ne_missing(offsets.shift(1)) & (pl.Series(range(len(offsets))) > 0)


def _offsets(moments: pl.Series, zone: str) -> pl.Series:
    there = moments.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return moments - there.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
