"""Local time becomes UTC as the calendar of its zone has it, by a look-up instead of a calculation."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from otklik.sources.local_time import to_utc

ZONES = ("Asia/Yekaterinburg", "Europe/Moscow", "America/New_York", "Pacific/Apia", "UTC")


def utc(zone: str, *moments: str | None) -> list[datetime | None]:
    return converted(zone, [moment and datetime.fromisoformat(moment) for moment in moments])


def converted(zone: str, moments: list[datetime | None]) -> list[datetime | None]:
    frame = pl.DataFrame({"local": pl.Series(moments, dtype=pl.Datetime("us"))})
    return frame.select(to_utc(pl.col("local"), zone)).to_series().to_list()


def test_an_hour_that_comes_twice_is_its_first_passing() -> None:
    # On 26 October 2014 Moscow put its clocks from UTC+4 to UTC+3 at two in the morning.
    assert utc("Europe/Moscow", "2014-10-26 00:59:59", "2014-10-26 01:30", "2014-10-26 02:00") == [
        datetime(2014, 10, 25, 20, 59, 59, tzinfo=UTC),
        datetime(2014, 10, 25, 21, 30, tzinfo=UTC),
        datetime(2014, 10, 25, 23, tzinfo=UTC),
    ]


def test_an_hour_that_never_was_is_unknown_to_the_microsecond() -> None:
    # On 28 March 2010 Yekaterinburg went from 2:00 (UTC+5) straight to 3:00 (UTC+6).
    moments = ["2010-03-28 01:59:59.999999", "2010-03-28 02:00", "2010-03-28 03:00", None]
    assert utc("Asia/Yekaterinburg", *moments) == [
        datetime(2010, 3, 27, 20, 59, 59, 999_999, tzinfo=UTC),
        None,
        datetime(2010, 3, 27, 21, tzinfo=UTC),
        None,
    ]


@pytest.mark.parametrize("name", ZONES)
def test_any_hour_of_two_centuries_is_as_the_standard_library_has_it(name: str) -> None:
    zone = ZoneInfo(name)
    first = datetime.fromisoformat("1900-01-01")
    moments = [first + timedelta(hours=25 * n, seconds=n) for n in range(60_000)]
    aware = [moment.replace(tzinfo=zone).astimezone(UTC) for moment in moments]
    # What does not come back from UTC is an hour that never was.
    expected = [
        there if there.astimezone(zone).replace(tzinfo=None) == moment else None
        for there, moment in zip(aware, moments, strict=True)
    ]
    assert converted(name, moments) == expected


def test_the_first_and_the_last_year_are_read_too() -> None:
    assert utc("Asia/Yekaterinburg", "9999-12-31", "0001-01-02") == [
        datetime(9999, 12, 30, 19, tzinfo=UTC),
        # Before there was standard time, the sun of the place: 4:02:33 ahead.
        datetime(1, 1, 1, 19, 57, 27, tzinfo=UTC),
    ]
