"""A night of pages: every page of the register is recorded once, whatever happens on the way."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from subprocess import Popen
from typing import Any

import pytest
from upath import UPath

from otklik import pulls
from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Page, World
from otklik.errors import CredentialsError, SourceError
from otklik.landing import land_answers, landed_answers
from otklik.sources.connection import Connection
from otklik.sources.records import Answer
from otklik.sources.registry import PageEntry
from otklik.sources.systems import NETWORKS, SYSTEMS
from tests.fixtures.files import Centre
from tests.fixtures.killed import Nights
from tests.fixtures.registers import (
    DAY,
    NOW,
    connection,
    evening,
    external_id,
    page,
    page_id,
    pages_night,
    register,
    register_pages,
)
from tests.fixtures.standin import StandIn, standing_in

NUMBERS = {"vk": 101, "ok": 70_000_000_000_201, "telegram": 1_400_000_301, "max": 401}


def world() -> World:
    """Five pages a network: two that tell their members (one of them 0), and one each closed, untold and banned."""
    pages = [
        made
        for network, first in NUMBERS.items()
        for made in (
            page(network, first, 375),
            page(network, first + 1, 0),
            page(network, first + 2, is_closed=True),
            page(network, first + 3, tells_members=False),
            page(network, first + 4, deactivated="banned"),
        )
    ]
    return World(Clock(NOW), pages)


@pytest.fixture
def standin(centre: Centre) -> Iterator[StandIn]:
    """The stand-ins of that world, whose pages are in the register."""
    told = world()
    register_pages(centre.settings, told.pages)
    with standing_in(told) as standin:
        yield standin


@pytest.fixture
def readable(centre: Centre) -> Iterator[StandIn]:
    """The stand-ins of a world in which two pages on each network all tell their members."""
    told = World(Clock(NOW), [page(network, first + n) for network, first in NUMBERS.items() for n in (0, 1)])
    register_pages(centre.settings, told.pages)
    with standing_in(told) as standin:
        yield standin


@pytest.fixture
def runs(driver: Popen[str], readable: StandIn, centre: Centre) -> Nights:
    """Nights of that world that can be killed."""
    return Nights(driver, readable, centre.settings)


def snapshots(centre: Centre) -> list[dict[str, Any]]:
    return centre.query("select * from raw.page_snapshot order by page_id, observed_at")


def read(centre: Centre) -> dict[str, tuple[int | None, str | None]]:
    """Page -> members and why they are unknown; every page is there once."""
    found = snapshots(centre)
    told = {row["page_id"]: (row["members_count"], row["not_read"]) for row in found}
    assert len(told) == len(found)
    return told


def asked(standin: StandIn) -> Counter[str]:
    """Network -> questions about pages; not those that only ask the time."""
    idle = ("getServerTime", "getMe", "/me", "getCurrentUser")
    requests = [each for each in standin.log if not any(name in f"{each.path} {each.body.decode()}" for name in idle)]
    return Counter(each.system for each in requests)


def ledger_adds_up(centre: Centre) -> bool:
    [found] = centre.query(
        "select sum(rows_loaded) as loaded, sum(rows_rejected) as rejected"
        " from raw.batch where entity = 'page_snapshot'"
    )
    [rows] = centre.query(
        "select (select count(*) from raw.page_snapshot) as loaded, (select count(*) from raw.rejected_row) as rejected"
    )
    return bool(found == rows)


def test_every_page_of_the_register_is_recorded_once_on_every_network(centre: Centre, standin: StandIn) -> None:
    told = pages_night(standin, centre.settings)
    assert [(each.rows_loaded, each.rows_rejected) for of in told.values() for one in of for each in one.reports] == [
        (5, 0)
    ] * 4
    assert read(centre) == {
        "vk-101": (375, None),
        "vk-102": (0, None),
        "vk-103": (None, "closed"),
        "vk-104": (None, "no_count"),
        "vk-105": (None, "blocked"),
        "ok-70000000000201": (375, None),
        "ok-70000000000202": (0, None),
        "ok-70000000000203": (None, "closed"),
        "ok-70000000000204": (None, "no_count"),
        "ok-70000000000205": (None, "blocked"),
        "telegram-1400000301": (375, None),
        "telegram-1400000302": (0, None),
        "telegram-1400000303": (None, "forbidden"),
        "telegram-1400000304": (None, "forbidden"),
        "telegram-1400000305": (None, "not_found"),
        "max-401": (375, None),
        "max-402": (0, None),
        "max-403": (None, "forbidden"),
        "max-404": (None, "no_count"),
        "max-405": (None, "not_found"),
    }
    assert ledger_adds_up(centre)


def test_what_is_read_now_carries_the_moment_of_the_reading(centre: Centre, standin: StandIn) -> None:
    pages_night(standin, centre.settings)
    found = snapshots(centre)
    assert {row["method"] for row in found} == {"live"}
    assert all(NOW <= row["observed_at"] < NOW + timedelta(minutes=5) for row in found)


def is_named(name: str, questions: str) -> bool:
    """Whether the name or number stands there by itself: a signature may hold any number."""
    return re.search(rf"(?<![0-9a-f]){name}(?![0-9a-f])", questions) is not None


def test_the_same_night_again_asks_only_for_what_was_not_read(centre: Centre, standin: StandIn) -> None:
    pages_night(standin, centre.settings)
    standin.log.clear()
    before = {row["page_id"]: row for row in snapshots(centre) if row["members_count"] is not None}
    pages_night(standin, centre.settings)
    questions = "".join(f"{each.path}?{each.query} {each.body.decode()}\n" for each in standin.log)
    for network, first in NUMBERS.items():
        known = {f"town{number}_{network}" for number in (first, first + 1)} | {str(first), str(first + 1)}
        assert not [name for name in known if is_named(name, questions)]
        assert is_named(str(first + 2), questions)
    after = [row for row in snapshots(centre) if row["members_count"] is not None]
    assert {row["page_id"]: row for row in after} == before
    assert len(after) == len(before)


def test_a_night_that_read_everything_asks_nothing_again(centre: Centre) -> None:
    whole = World(Clock(NOW), [page(network, number) for network, number in NUMBERS.items()])
    register_pages(centre.settings, whole.pages)
    with standing_in(whole) as standin:
        pages_night(standin, centre.settings)
        before = snapshots(centre), centre.query("select * from raw.batch order by 1")
        standin.log.clear()
        told = pages_night(standin, centre.settings)
        assert asked(standin) == Counter()
    assert told == {network: [] for network in NETWORKS}
    assert (snapshots(centre), centre.query("select * from raw.batch order by 1")) == before
    assert len(before[0]) == 4


def test_a_page_that_failed_in_the_evening_is_read_by_the_next_attempt(centre: Centre, standin: StandIn) -> None:
    standin.faults.append(Fault("max", "status", match="/chats/401", code=503, times=5))
    pages_night(standin, centre.settings, networks=["max"])
    assert read(centre)["max-401"] == (None, "no_answer")
    pages_night(standin, centre.settings, networks=["max"])
    found = [row for row in snapshots(centre) if row["page_id"] == "max-401"]
    assert sorted((row["members_count"], row["not_read"]) for row in found if row["not_read"] is None) == [(375, None)]


# Where a run is killed, and how often each page is asked about until all runs are over.
PLACES = {
    "before landing": ("otklik.answers", "land_answers", 2),
    "before loading": ("otklik.answers", "AnswerLoad.load", 1),
    "in the transaction": ("otklik.warehouse.ledger", "close_line", 1),
}


@pytest.mark.parametrize("where", PLACES)
def test_a_night_killed_on_every_network_is_completed_without_loss_or_repetition(
    centre: Centre, readable: StandIn, runs: Nights, where: str
) -> None:
    module, function, times_asked = PLACES[where]
    for number, _ in enumerate(NETWORKS):
        # The second call: the first one does what the run before left undone.
        runs.killed_at((module, function, min(number + 1, 2)), "pages", DAY)
        # What is complete by now are the networks before.
        assert sorted({row["source"] for row in snapshots(centre)}) == sorted(NETWORKS[:number])
    runs.completed("pages", DAY)
    assert read(centre) == {page_id(made): (375, None) for made in readable.world.pages}
    assert asked(readable)["max"] == 2 * times_asked
    assert ledger_adds_up(centre)


def test_a_night_killed_at_any_moment_is_completed_without_loss_or_repetition(
    centre: Centre, readable: StandIn, runs: Nights
) -> None:
    struck = [runs.killed_after(0.08 + 0.05 * moment, "pages", DAY) for moment in range(8)]
    runs.completed("pages", DAY)
    assert any(struck)
    assert read(centre) == {page_id(made): (375, None) for made in readable.world.pages}
    assert ledger_adds_up(centre)


def test_what_landed_for_a_region_is_not_taken_for_another_whose_code_ends_alike(centre: Centre) -> None:
    zone, answer = UPath(centre.settings.landing), Answer({"page_id": "1"}, NOW, None, "no_answer")
    land_answers(zone, "max", "ru-66-000", [answer], evening())
    mine = land_answers(zone, "max", "66-000", [answer], evening())
    assert [each.path for each in landed_answers(zone, "max", "66-000", evening())] == [mine.path]


def test_of_a_past_night_only_ok_tells_and_nothing_of_today_is_written_under_it(
    centre: Centre, standin: StandIn
) -> None:
    past = evening(date(2022, 12, 24))
    register_pages(centre.settings, standin.world.pages, past.last_day)
    standin.world.pages[:] = [
        replace(made, audience=((date(2022, 1, 1), 100), (date(2022, 12, 23), 250), (DAY, 900)))
        for made in standin.world.pages
    ]
    standin.log.clear()
    pages_night(standin, centre.settings, past)
    assert asked(standin).keys() == {"ok"}
    assert "group.getInfo" not in " ".join(each.body.decode() for each in standin.log)
    found = snapshots(centre)
    assert {row["source"] for row in found} == {"ok"}
    assert {row["method"] for row in found} == {"trend"}
    assert all(past.start <= row["observed_at"] < past.end for row in found)
    # The evening of the 23rd to that of the 24th: the day that begins within it is the 24th.
    told = {row["page_id"]: row["members_count"] for row in found}
    assert told["ok-70000000000201"] == 250 + round(650 / 8)
    assert None in told.values()


def test_a_night_of_years_ago_asks_no_network_but_ok(centre: Centre, standin: StandIn) -> None:
    for network in ("vk", "telegram", "max"):
        told = pages_night(standin, centre.settings, evening(date(2022, 5, 5)), [network])
        assert told == {network: []}
    assert snapshots(centre) == []
    assert asked(standin) == Counter()


@pytest.mark.parametrize("network", NETWORKS)
def test_a_refused_token_stops_the_night_before_it_begins_and_is_told_nowhere(
    centre: Centre, standin: StandIn, network: str, caplog: pytest.LogCaptureFixture
) -> None:
    asking = connection(standin, network)
    wrong = "123:wrong-secret"
    extra = dict(asking.extra) | ({"access_token": wrong} if network == "ok" else {})
    refused = Connection(network, asking.url, asking.login, wrong, extra)
    with caplog.at_level("DEBUG"), pytest.raises(CredentialsError, match=f"^Connection {network}: ") as told:
        pulls.page_parts(network, refused, evening(), centre.settings)
    assert wrong not in f"{told.value!r} {told.value.__cause__!r} {refused!r} {caplog.text}"
    assert snapshots(centre) == []


def test_pages_on_a_network_without_a_connection_are_an_error_that_says_what_to_add(
    centre: Centre, standin: StandIn
) -> None:
    with pytest.raises(SourceError, match=r"no connection vk: add it to connections\.yaml"):
        pulls.page_parts("vk", None, evening(), centre.settings)


def test_a_page_that_changed_its_owner_stays_one_page(centre: Centre) -> None:
    made = page("vk", 101)
    old = {"authority_id": "school", "valid_to": "2022-12-30"}
    new = {"authority_id": "lyceum", "valid_from": "2022-12-31"}
    of_page = {"page_id": "vk-101", "network": "vk", "external_id": "101", "name": made.title}
    bounds = {"valid_from": "", "valid_to": ""}
    register(centre.settings, "page", [of_page | bounds | old, of_page | bounds | new], date(2022, 12, 30))
    with standing_in(World(Clock(NOW), [made])) as standin:
        pages_night(standin, centre.settings, networks=["vk"])
    with standing_in(World(Clock(NOW + timedelta(days=1)), [made])) as standin:
        pages_night(standin, centre.settings, evening(DAY + timedelta(days=1)), ["vk"])
    found = [(row["page_id"], row["observed_at"].date(), row["members_count"]) for row in snapshots(centre)]
    assert found == [("vk-101", date(2022, 12, 31), 375), ("vk-101", date(2023, 1, 1), 375)]


def test_a_page_closed_or_not_yet_opened_is_not_asked_about(centre: Centre) -> None:
    world = World(Clock(NOW), [page("max", number) for number in (1, 2, 3)])
    rows = [
        {"page_id": f"max-{number}", "network": "max", "external_id": str(number), "authority_id": "town"} | dates
        for number, dates in (
            (1, {"opened_on": "2022-12-31", "closed_on": ""}),
            (2, {"opened_on": "2023-01-01", "closed_on": ""}),
            (3, {"opened_on": "", "closed_on": "2022-12-31"}),
        )
    ]
    register(centre.settings, "page", rows)
    with standing_in(world) as standin:
        pages_night(standin, centre.settings, networks=["max"])
    assert read(centre) == {"max-1": (375, None)}


def test_many_pages_make_several_parts_without_loss(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulls, "PAGES_A_PART", 3)
    whole = World(Clock(NOW), [page(network, first + n) for network, first in NUMBERS.items() for n in range(7)])
    register_pages(centre.settings, whole.pages)
    with standing_in(whole) as standin:
        parts = pulls.page_parts("ok", connection(standin, "ok"), evening(), centre.settings)
        assert [len(part.ids) for part in parts] == [3, 3, 1]
        told = pages_night(standin, centre.settings)
        assert {network: len(of) for network, of in told.items()} == dict.fromkeys(NETWORKS, 3)
        assert pages_night(standin, centre.settings) == {network: [] for network in NETWORKS}
    assert read(centre) == {page_id(made): (375, None) for made in whole.pages}


def test_one_networks_failure_leaves_the_others_whole(centre: Centre, readable: StandIn) -> None:
    readable.faults.append(Fault("ok", "error", match="users.getCurrentUser", code=102))
    with pytest.raises(CredentialsError, match=r"^Connection ok: .* has expired"):
        pages_night(readable, centre.settings, networks=["ok"])
    pages_night(readable, centre.settings, networks=["vk", "telegram", "max"])
    assert {row["source"] for row in snapshots(centre)} == {"vk", "telegram", "max"}
    pages_night(readable, centre.settings)
    assert read(centre) == {page_id(made): (375, None) for made in readable.world.pages}


@pytest.mark.parametrize(("network", "how_many"), [("ok", 60), ("telegram", 33), ("max", 63)])
def test_at_the_pace_a_network_allows_nothing_is_refused(centre: Centre, network: str, how_many: int) -> None:
    whole = World(Clock(NOW), [page(network, number) for number in range(1, how_many + 1)])
    with standing_in(whole, limits=True) as standin:
        asking = connection(standin, network)
        unhurried = Connection(network, asking.url, asking.login, asking.password, _without_rate(asking.extra))
        entries = [PageEntry(page_id(made), network, _by_name(made)) for made in whole.pages]
        answers = list(SYSTEMS[network].module.pull(unhurried, evening(), entries, live=True))
        requests = list(standin.log)
    assert not any(each.refused for each in requests)
    assert not any(answer.trouble for answer in answers)
    assert len(requests) >= 60


def _without_rate(extra: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in extra.items() if name != "rate"}


def _by_name(made: Page) -> str:
    # OK is asked page by page for names, and for many pages at once by numbers.
    return made.short_name if made.network == "ok" else external_id(made)
