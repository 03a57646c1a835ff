"""The official pages of the made-up region's authorities: 3,000 of them working at the end of 2022."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import numpy as np

from otklik.demo.institutions import MERGED_ON, Body, living, merged, successor
from otklik.demo.places import places

WORKING = 3_000
"""Pages opened and not closed at the end of 2022."""

NETWORKS = ("vk", "ok", "telegram")
_SEED = 661
# How many authorities have none on a network that the law has made mandatory.
_WITHOUT = {"vk": 20, "ok": 60}
_CLOSED_IN_2022 = 13
_UNANSWERED = {"vk": 4, "ok": 4, "telegram": 1}
# Share of pages older than 2022, by kind of authority and network.
_OLD = {
    "vk": {
        "ministry": 1.0,
        "administration": 0.98,
        "district": 1.0,
        "agency": 0.9,
        "school": 0.78,
        "kindergarten": 0.6,
    },
    "ok": {
        "ministry": 0.95,
        "administration": 0.9,
        "district": 0.85,
        "agency": 0.6,
        "school": 0.5,
        "kindergarten": 0.4,
    },
    "telegram": {"ministry": 0.8, "administration": 0.5, "district": 0.6},
}
_OLD_USUAL = {"vk": 0.7, "ok": 0.5, "telegram": 0.2}
# The rest opened in 2022: before the wave, and in the two months around the law of 1 December.
_BEFORE_THE_WAVE = 0.27
_MOVED_FROM_WEEKENDS = 0.95
_WAVE_FROM, _WAVE_TO = date(2022, 11, 1), date(2022, 12, 29)
_FIRST_YEARS = {"vk": date(2012, 3, 1), "ok": date(2014, 3, 1), "telegram": date(2018, 9, 1)}
_NUMBERS = {"vk": 210_000_000, "ok": 70_000_000_000_000, "telegram": 1_400_000_000}
_SITE = "https://example.invalid"


@dataclass(frozen=True)
class DemoPage:
    """One page as the network has it, and how the centre's register spells it (`external_id`).

    `owners` are the authorities with the last day of each, None for the one that has it now.
    `silent` says how it fails to tell its members in the last night: banned, deleted, closed or untold.
    """

    page_id: str
    network: str
    number: int
    short_name: str
    external_id: str
    title: str
    owners: tuple[tuple[Body, date | None], ...]
    opened_on: date
    closed_on: date | None = None
    silent: str | None = None

    @property
    def owner(self) -> Body:
        """Return the authority that has the page now, or had it last."""
        return self.owners[-1][0]

    @property
    def url(self) -> str:
        """Return its address; the name of the made-up site leads nowhere."""
        return f"{_SITE}/{self.network}/{self.short_name}"


@cache
def pages() -> tuple[DemoPage, ...]:
    """Return all pages there ever were, by number; those that work at the end of 2022 are WORKING."""
    rng = np.random.default_rng(_SEED)
    owned = [(network, body) for network in NETWORKS for body in _owners(rng, network)]
    opened = _openings(rng, owned)
    drawn = [
        _page(number, network, body, day)
        for number, ((network, body), day) in enumerate(zip(owned, opened, strict=True), start=1)
    ]
    drawn.append(_inherited(len(drawn) + 1))
    extra = [_second(number, page) for number, page in enumerate(_chosen(rng, drawn), start=len(drawn) + 1)]
    return tuple(_silenced(rng, drawn) + [_closed(rng, page) for page in extra])


def working(day: date, known: Iterable[DemoPage]) -> list[DemoPage]:
    """Return the pages opened and not closed at the end of a day."""
    return [page for page in known if page.opened_on <= day and (page.closed_on is None or page.closed_on > day)]


def _owners(rng: np.random.Generator, network: str) -> list[Body]:
    """Choose who has a page: all but a few small ones; on Telegram the big ones first."""
    bodies = list(living())
    small = np.array([body.slug in ("kindergarten", "culture", "library") for body in bodies])
    if network in _WITHOUT:
        without = set(rng.choice(np.flatnonzero(small), _WITHOUT[network], replace=False).tolist())
        return [body for number, body in enumerate(bodies) if number not in without]
    # One page is the inherited one, drawn apart.
    how_many = WORKING - 1 - sum(len(bodies) - without for without in _WITHOUT.values())
    big = np.array([body.slug in ("ministry", "administration", "district", "agency") for body in bodies])
    rank = rng.random(len(bodies)) - 2 * big + small
    return [bodies[number] for number in sorted(np.argsort(rank, kind="stable")[:how_many].tolist())]


def _openings(rng: np.random.Generator, owned: Sequence[tuple[str, Body]]) -> list[date]:
    """Draw the days: most long ago, then a trickle in 2022, then the wave before and after the law."""
    old, early, at = (rng.random(len(owned)) for _ in range(3))
    moved = rng.random(len(owned)) < _MOVED_FROM_WEEKENDS
    wave = rng.beta(3.2, 2.2, len(owned))
    days = []
    for number, (network, body) in enumerate(owned):
        if old[number] < _OLD[network].get(body.slug, _OLD_USUAL[network]):
            day = _between(_FIRST_YEARS[network], date(2021, 11, 30), at[number] ** 0.7)
        elif early[number] < _BEFORE_THE_WAVE:
            day = _between(date(2022, 1, 12), date(2022, 10, 31), at[number])
        else:
            day = _between(_WAVE_FROM, _WAVE_TO, wave[number])
        # Offices open pages on workdays, as a rule.
        days.append(day - timedelta(days=max(day.weekday() - 4, 0)) if moved[number] else day)
    return days


def _between(first: date, last: date, part: float) -> date:
    return first + timedelta(days=int(part * (last - first).days))


def _page(number: int, network: str, body: Body, opened_on: date) -> DemoPage:
    page_id = f"P{number:05}"
    known_as = _NUMBERS[network] + number * 7_919
    place = "" if body.place is None else places()[body.place].oktmo[2:5]
    short_name = f"demo66_{body.slug}{place}_{body.authority_id[1:].lstrip('0')}"
    spelled = _spelling(network, number, known_as, short_name)
    return DemoPage(page_id, network, known_as, short_name, spelled, body.name, ((body, None),), opened_on)


def _spelling(network: str, number: int, known_as: int, short_name: str) -> str:
    """Write a page's id in one of the ways that people write it in a register."""
    ways = {
        "vk": (short_name, str(known_as), f"club{known_as}", short_name, f"public{known_as}"),
        "ok": (str(known_as), short_name, str(known_as)),
        "telegram": (f"https://t.me/{short_name}", f"@{short_name}", short_name),
    }[network]
    return ways[number % len(ways)]


def _inherited(number: int) -> DemoPage:
    """Return the merged clinic's page, which the clinic that took it over goes on with."""
    page = _page(number, "vk", merged(), date(2016, 5, 17))
    return replace(page, title=successor().name, owners=((merged(), MERGED_ON), (successor(), None)))


def _chosen(rng: np.random.Generator, drawn: list[DemoPage]) -> list[DemoPage]:
    """Choose whose second page gets closed in 2022; the merged clinic's on OK is one of them."""
    old = [page for page in drawn if page.opened_on < date(2021, 1, 1) and page.owner != successor()]
    chosen = rng.choice(len(old), _CLOSED_IN_2022 - 1, replace=False).tolist()
    return [*(old[number] for number in sorted(chosen)), drawn[-1]]


def _second(number: int, page: DemoPage) -> DemoPage:
    network = "ok" if page.owner == successor() else page.network
    second = _page(number, network, page.owners[0][0], page.opened_on + timedelta(days=90))
    short_name = f"{second.short_name}_2"
    return replace(second, short_name=short_name, external_id=_spelling(network, number, second.number, short_name))


def _closed(rng: np.random.Generator, page: DemoPage) -> DemoPage:
    """Close a page in 2022, the merged clinic's on its last day, none later than November."""
    day = _between(date(2022, 1, 17), date(2022, 11, 30), float(rng.random()))
    return replace(page, closed_on=MERGED_ON if page.owner == merged() else day, silent="deleted")


def _silenced(rng: np.random.Generator, drawn: list[DemoPage]) -> list[DemoPage]:
    """Choose the pages that do not tell their members in the last night."""
    told = list(drawn)
    reasons = iter(("banned", "closed", "untold", "untold", "banned", "closed", "untold", "untold", "banned"))
    for network, how_many in _UNANSWERED.items():
        old = [number for number, page in enumerate(drawn) if _is_small(page, network)]
        for place in sorted(rng.choice(len(old), how_many, replace=False).tolist()):
            told[old[place]] = replace(drawn[old[place]], silent=next(reasons))
    return told


def _is_small(page: DemoPage, network: str) -> bool:
    slugs = ("school", "kindergarten", "culture", "library", "sport", "arts")
    return page.network == network and page.opened_on < date(2022, 1, 1) and page.owner.slug in slugs
