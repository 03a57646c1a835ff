"""When residents write: seasons, weekdays, hours, holidays and the crises of the made-up region.

Moments are whole seconds of local time since 1970-01-01 00:00 local (Asia/Yekaterinburg has had no
change of offset since 2014, so local seconds are as long as everyone's).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from otklik.demo.places import places
from otklik.demo.topics import SEASONS, SUBTOPICS

DAY = 86_400
HOUR = 3_600
MINUTE = 60


def local_seconds(moment: date | datetime) -> int:
    """Return the local moment (a date: its midnight) in seconds since 1970 local."""
    days = moment.toordinal() - date(1970, 1, 1).toordinal()
    if isinstance(moment, datetime):
        return days * DAY + moment.hour * HOUR + moment.minute * MINUTE + moment.second
    return days * DAY


START = local_seconds(date(2020, 11, 1))  # the centre opens
LAST_NIGHT = local_seconds(date(2022, 12, 31))  # the last day begins: history is what was known then
END = local_seconds(date(2023, 1, 1))  # what is known in the end
YEARS = (2020, 2021, 2022)
YEAR_STARTS = np.array([START, *(local_seconds(date(year, 1, 1)) for year in (2021, 2022, 2023))])

# Days off that are not a Saturday or Sunday, and working days that are (Russian production calendar).
_DAYS_OFF = (
    "2020-11-04 2021-01-01 2021-01-04 2021-01-05 2021-01-06 2021-01-07 2021-01-08 2021-02-22 2021-02-23 "
    "2021-03-08 2021-05-03 2021-05-04 2021-05-05 2021-05-06 2021-05-07 2021-05-10 2021-06-14 2021-11-01 "
    "2021-11-02 2021-11-03 2021-11-04 2021-11-05 2021-12-31 2022-01-03 2022-01-04 2022-01-05 2022-01-06 "
    "2022-01-07 2022-02-23 2022-03-07 2022-03-08 2022-05-02 2022-05-03 2022-05-09 2022-05-10 2022-06-13 "
    "2022-11-04 2023-01-02 2023-01-03 2023-01-04 2023-01-05 2023-01-06"
)
_SATURDAY = 5
_WORKING_WEEKENDS = "2021-02-20 2022-03-05"


def day_off(first: int, last: int) -> np.ndarray:
    """Return for each day number in [first, last) whether it is off."""
    days = np.arange(first, last)
    off = (_weekday(days) >= _SATURDAY) | np.isin(days, _day_numbers(_DAYS_OFF))
    return off & ~np.isin(days, _day_numbers(_WORKING_WEEKENDS))


def _weekday(days: np.ndarray) -> np.ndarray:
    return (days + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday


def _day_numbers(dates: str) -> list[int]:
    return [local_seconds(date.fromisoformat(text)) // DAY for text in dates.split()]


# Share of messages by hour of the day, midnight first: few at night, most towards the evening.
_HOURS = np.array(
    [
        0.9,
        0.5,
        0.3,
        0.2,
        0.2,
        0.4,
        1.2,
        3.0,
        5.0,
        6.0,
        6.5,
        6.5,
        6.2,
        6.0,
        6.0,
        6.0,
        6.2,
        6.8,
        7.2,
        7.0,
        6.4,
        5.0,
        3.2,
        1.7,
    ]
)


@dataclass(frozen=True)
class Crisis:
    """Days when one matter swamps the centre; `slow` multiplies the time to respond to it."""

    first_day: date
    days: int
    subtopics: tuple[str, ...]
    oktmo: str | None  # None: the whole region, by residents
    incidents: int
    slow: float


CRISES = (
    Crisis(date(2020, 12, 4), 4, ("Нечищеные дороги", "Нечищеные тротуары и дворы"), None, 170, 1.4),
    Crisis(date(2021, 1, 19), 5, ("Отопление",), "65728000", 150, 1.8),
    Crisis(date(2021, 8, 16), 5, ("Холодное водоснабжение",), "65751000", 330, 2.0),
    Crisis(date(2021, 12, 8), 5, ("Нечищеные дороги", "Нечищеные тротуары и дворы", "Гололёд"), None, 520, 2.0),
    Crisis(date(2022, 6, 20), 5, ("Холодное водоснабжение",), "65740000", 420, 2.2),
    Crisis(date(2022, 11, 22), 5, ("Нечищеные дороги", "Нечищеные тротуары и дворы", "Гололёд"), None, 620, 1.9),
    Crisis(date(2022, 12, 6), 5, ("Отопление", "Горячее водоснабжение"), "65756000", 400, 2.4),
)


@dataclass
class Arrivals:
    """Incidents as they come in, in no order; all arrays have one value per incident."""

    received_at: np.ndarray
    subtopic: np.ndarray
    place: np.ndarray
    slow: np.ndarray
    in_crisis: np.ndarray


def _day_weights(first: int, last: int) -> np.ndarray:
    """Return how many messages a day brings, apart from its topics: trend, week, holidays."""
    days = np.arange(first, last)
    trend = 1 + 0.25 * (days - first) / 365
    week = np.where(day_off(first, last), 0.62, 1.0)
    monday = np.where(_weekday(days) == 0, 1.12, 1.0)
    weights: np.ndarray = trend * week * monday
    return weights


def month_number(days: np.ndarray) -> np.ndarray:
    """Return the number of each day's month since January 1970."""
    months: np.ndarray = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months


def _time_of_day(rng: np.random.Generator, count: int) -> np.ndarray:
    hour = rng.choice(24, count, p=_HOURS / _HOURS.sum())
    seconds: np.ndarray = hour * HOUR + rng.integers(0, HOUR, count)
    return seconds


def ordinary_arrivals(rng: np.random.Generator, start: int, end: int, count: int) -> Arrivals:
    """Draw `count` incidents of everyday life received in [start, end)."""
    first, last = start // DAY, end // DAY
    seasons = np.array([SEASONS[each.season] for each in SUBTOPICS]) * [[each.weight] for each in SUBTOPICS]
    weights = seasons[:, month_number(np.arange(first, last)) % 12] * _day_weights(first, last)
    cell = rng.choice(weights.size, count, p=weights.ravel() / weights.sum())
    subtopic, day = np.divmod(cell, last - first)
    # Large cities write less often per resident than their size suggests, small places more.
    share = np.array([each.weight for each in places()], dtype=float) ** 0.93
    place = rng.choice(len(share), count, p=share / share.sum())
    return Arrivals(
        received_at=(first + day) * DAY + _time_of_day(rng, count),
        subtopic=subtopic,
        place=place,
        slow=np.ones(count),
        in_crisis=np.zeros(count, dtype=bool),
    )


def crisis_arrivals(rng: np.random.Generator, crisis: Crisis) -> Arrivals:
    """Draw the incidents of one crisis: most on its first days."""
    count = crisis.incidents
    fading = 0.65 ** np.arange(crisis.days)
    day = rng.choice(crisis.days, count, p=fading / fading.sum())
    numbers = [n for n, each in enumerate(SUBTOPICS) if each.name in crisis.subtopics]
    weight = np.array([each.weight if crisis.oktmo in (None, each.oktmo) else 0.0 for each in places()])
    return Arrivals(
        received_at=local_seconds(crisis.first_day) + day * DAY + _time_of_day(rng, count),
        subtopic=rng.choice(numbers, count),
        place=rng.choice(len(weight), count, p=weight / weight.sum()),
        slow=np.full(count, crisis.slow),
        in_crisis=np.ones(count, dtype=bool),
    )


def joined(parts: list[Arrivals]) -> Arrivals:
    """Put arrivals together in the order of their time."""
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Arrivals.__annotations__}
    order = np.argsort(whole["received_at"], kind="stable")
    return Arrivals(**{name: values[order] for name, values in whole.items()})


def taken(arrivals: Arrivals, keep: np.ndarray) -> Arrivals:
    """Return only the incidents of the mask `keep`."""
    return Arrivals(**{name: getattr(arrivals, name)[keep] for name in Arrivals.__annotations__})
