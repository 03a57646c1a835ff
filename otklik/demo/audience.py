"""How many members the made-up region's pages have by day, and the centre's own record of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl

from otklik.demo.pages import DemoPage, pages, working
from otklik.demo.places import places

TOTAL = 2_047_318
"""Members of all working pages on LAST_DAY, those that do not answer that night by their last count."""

LAST_DAY = date(2022, 12, 31)
HISTORY_FROM, DAILY_FROM, HISTORY_TO = date(2021, 12, 31), date(2022, 12, 1), date(2022, 12, 30)
"""The record is weekly, then daily in December; the last day is read from the networks."""

Knots = tuple[tuple[date, int], ...]

_SEED = 662
# Between these days a page grows evenly.
_KNOT_DAYS = (
    date(2020, 12, 31),
    date(2021, 12, 31),
    date(2022, 3, 31),
    date(2022, 6, 30),
    date(2022, 8, 31),
    date(2022, 10, 31),
    date(2022, 11, 30),
    LAST_DAY,
)
# A silent page stands still from here, so that its last count is what it has.
_STILL_FROM = date(2022, 12, 23)
# Members of a usual page of each kind: for all, and for a hundred residents of its municipality.
_SIZES = {
    "ministry": (9_000, 0.0),
    "agency": (2_600, 0.0),
    "administration": (500, 5.5),
    "district": (7_500, 0.0),
    "school": (520, 0.0),
    "kindergarten": (210, 0.0),
    "culture": (430, 0.25),
    "library": (300, 0.08),
    "clinic": (700, 0.35),
    "arts": (330, 0.05),
    "sport": (360, 0.06),
    "social": (260, 0.08),
    "college": (900, 0.1),
    "museum": (450, 0.12),
}
_BY_NETWORK = {"vk": 1.0, "ok": 0.55, "telegram": 0.5}
_MOST_OF_RESIDENTS = 0.12
# A page opened in 2022 has had as many days to be found, of this many.
_DAYS_TO_BE_FOUND = 420
_MISSED, _MISSED_NIGHT, _MISSED_NETWORK = 0.004, date(2022, 12, 8), "ok"


@cache
def knots() -> tuple[Knots, ...]:
    """Return for each of `pages()` its members by day, exactly TOTAL on LAST_DAY."""
    rng = np.random.default_rng(_SEED)
    known = pages()
    last = _last_counts(rng, known)
    yearly = rng.lognormal(-0.19, 0.08, len(known)).clip(0.5, 1.02)
    wiggle = rng.normal(0, 0.012, (len(known), len(_KNOT_DAYS)))
    start = rng.uniform(0.02, 0.3, len(known))
    return tuple(
        _page_knots(page, int(members), float(yearly[number]), wiggle[number], float(start[number]))
        for number, (page, members) in enumerate(zip(known, last, strict=True))
    )


def history() -> pl.DataFrame:
    """Return the record: `page` (number among `pages()`), `observed_at` (local, naive), `members`.

    A few readings are missing, and one night a whole network.
    """
    rng = np.random.default_rng(_SEED + 1)
    known, days = pages(), history_days()
    members = members_by_day(days)
    missed = rng.random(members.shape) < _MISSED
    missed[:, 0] = False  # the first is what the year's growth is measured from
    network = np.array([page.network for page in known])
    missed[network == _MISSED_NETWORK, days.index(_MISSED_NIGHT)] = True
    page, day = np.nonzero(~missed & (members >= 0))
    second = np.array([number // {"vk": 500, "ok": 18, "telegram": 28}[page.network] for number, page in _in_turn()])
    return (
        pl.DataFrame(
            {
                "page": page,
                "day": pl.Series(days, dtype=pl.Date).gather(day),
                "second": second[page] + 2,
                "members": members[page, day],
            }
        )
        .select(
            "page",
            (pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours=23, seconds="second")).alias("observed_at"),
            "members",
        )
        .sort("observed_at", "page")
    )


def history_days() -> list[date]:
    """Return the days that the record has."""
    weeks = (DAILY_FROM - HISTORY_FROM).days // 7 + 1
    weekly = [HISTORY_FROM + timedelta(weeks=week) for week in range(weeks)]
    daily = [DAILY_FROM + timedelta(days=day) for day in range((HISTORY_TO - DAILY_FROM).days + 1)]
    return weekly + daily


def members_by_day(days: Sequence[date]) -> np.ndarray:
    """Return members, pages × days; -1 while a page is not there. The stand-in's pages round the same way."""
    at = np.array([day.toordinal() for day in days])
    known = np.full((len(pages()), len(days)), -1, dtype=np.int64)
    for number, (page, own) in enumerate(zip(pages(), knots(), strict=True)):
        when = np.array([day.toordinal() for day, _ in own])
        count = np.array([members for _, members in own])
        after = np.clip(np.searchsorted(when, at), 1, len(own) - 1)
        part = (at - when[after - 1]) / (when[after] - when[after - 1])
        grown = count[after - 1] + np.rint((count[after] - count[after - 1]) * part).astype(np.int64)
        members = np.where(at == when[0], count[0], grown)
        there = (at >= when[0]) & (at < page.closed_on.toordinal() if page.closed_on else True)
        known[number, there] = members[there]
    return known


def _last_counts(rng: np.random.Generator, known: Sequence[DemoPage]) -> np.ndarray:
    """Draw the members at the end, heavy-tailed, and bend the working pages to TOTAL."""
    spread = rng.lognormal(0, 0.75, len(known))
    usual = np.array([_usual(page) for page in known])
    most = np.array([_most(page) for page in known])
    at_work = np.isin(np.arange(len(known)), _numbers(known, working(LAST_DAY, known)))
    drawn = np.maximum(usual * spread, 12)
    for _ in range(20):
        bent = np.minimum(drawn, most)
        drawn = drawn * (TOTAL / bent[at_work].sum())
    counts = np.floor(np.minimum(drawn, most)).astype(np.int64)
    left = TOTAL - int(counts[at_work].sum())
    # What rounding and the cap leave goes to the biggest pages of the region, one member each round.
    takers = np.flatnonzero(at_work & (counts < most - 1))
    np.add.at(counts, takers[np.arange(abs(left)) % len(takers)], np.sign(left))
    settled: np.ndarray = counts
    return settled


def _numbers(known: Sequence[DemoPage], some: Sequence[DemoPage]) -> list[int]:
    ids = {page.page_id for page in some}
    return [number for number, page in enumerate(known) if page.page_id in ids]


def _usual(page: DemoPage) -> float:
    base, of_hundred = _SIZES[page.owner.slug]
    residents = 0 if page.owner.place is None else places()[page.owner.place].weight
    # Of a big city's residents each institution serves a part only.
    served = residents if page.owner.slug == "administration" else min(residents, 60_000)
    found = min(1.0, 0.08 + max((LAST_DAY - page.opened_on).days, 0) / _DAYS_TO_BE_FOUND)
    return (base + served * of_hundred / 100) * _BY_NETWORK[page.network] * found


def _most(page: DemoPage) -> float:
    if page.owner.place is None:
        return 90_000.0
    return places()[page.owner.place].weight * _MOST_OF_RESIDENTS * _BY_NETWORK[page.network]


def _page_knots(page: DemoPage, last: int, yearly: float, wiggle: np.ndarray, start: float) -> Knots:
    """Lead a page from its opening to `last` members; `yearly` is what part of them it had a year before."""
    days = [day for day in _KNOT_DAYS if day > page.opened_on]
    if page.opened_on < _KNOT_DAYS[0]:
        share = [_grown(day, yearly) for day in days]
    else:
        age = (LAST_DAY - page.opened_on).days
        share = [start + (1 - start) * ((day - page.opened_on).days / age) ** 0.8 for day in days]
    drifted = [part * (1 + float(drift)) for part, drift in zip(share, wiggle, strict=False)]
    drifted[-1] = 1.0
    counts = [max(round(last * part), 1) for part in drifted]
    before = [(page.opened_on, max(round(counts[0] * (0.15 if len(days) == len(_KNOT_DAYS) else start)), 1))]
    own = [*before, *zip(days, counts, strict=True)]
    if page.silent and page.closed_on is None:
        own = [knot for knot in own if knot[0] < _STILL_FROM] + [(_STILL_FROM, last), (LAST_DAY, last)]
    return tuple(own)


def _grown(day: date, yearly: float) -> float:
    """Return the part of the last count that a page had on a day: growth of the same rate over the years."""
    return float(yearly ** ((LAST_DAY - day).days / 365))


def _in_turn() -> list[tuple[int, DemoPage]]:
    """Return each page with its place among those of its network, as they are read in a night."""
    turn = dict.fromkeys(_BY_NETWORK, 0)
    places_in_turn = []
    for page in pages():
        places_in_turn.append((turn[page.network], page))
        turn[page.network] += 1
    return places_in_turn
