"""The half-open stretch of time a load is asked for."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Interval:
    """From `start` (inclusive) to `end` (exclusive), both with a time zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"an interval needs a time zone at both ends: {self.start} … {self.end}")
        if self.start >= self.end:
            raise ValueError(f"an interval must not be empty: {self.start} … {self.end}")

    @classmethod
    def of_day(cls, day: date, zone: ZoneInfo) -> "Interval":
        """Return the local day as an interval."""
        return cls.of_days(day, day, zone)

    @classmethod
    def of_days(cls, first: date, last: date, zone: ZoneInfo) -> "Interval":
        """Return the local days from `first` to `last`, both included."""
        after = last + timedelta(days=1)
        return cls(
            datetime(first.year, first.month, first.day, tzinfo=zone),
            datetime(after.year, after.month, after.day, tzinfo=zone),
        )

    @property
    def last_day(self) -> date:
        """Return the local day on which the interval ends; midnight ends the day before."""
        return (self.end - timedelta(microseconds=1)).date()

    def contains_day(self, day: date) -> bool:
        """Tell whether the local day begins within the interval."""
        begins = datetime(day.year, day.month, day.day, tzinfo=self.start.tzinfo)
        return self.start <= begins < self.end

    def is_now(self, clock: datetime) -> bool:
        """Tell whether a clock shows this night: within the interval, or after it and before the next one ends."""
        return self.start <= clock < self.end + (self.end - self.start)
