"""Requests and complaints from outside: changes become versions, nothing comes twice, nothing is lost on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from subprocess import Popen
from typing import Any

import pytest

from otklik.answers import Told
from otklik.demo.standin.world import ChannelPost, Clock, ServiceRequest, World
from otklik.errors import CredentialsError, SourceError
from otklik.pulls import pull_channel, pull_requests
from otklik.sources.connection import Connection
from tests.fixtures.files import ZONE, Centre
from tests.fixtures.killed import Nights
from tests.fixtures.registers import connection, night, register_region
from tests.fixtures.standin import StandIn, standing_in

FIRST, SECOND, THIRD = (date(2022, 6, day) for day in (3, 4, 5))
CHANNEL = "@school_meals_66"
CHAT = -1001500000001


def moment(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZONE)


@contextmanager
def after(day: date, **told: Any) -> Iterator[StandIn]:
    """The stand-ins half an hour after a day has ended."""
    clock = Clock(moment(day, 0) + timedelta(days=1, minutes=30))
    with standing_in(World(clock, **told)) as standin:
        yield standin


def request(number: int, day: date, **fields: Any) -> ServiceRequest:
    at = moment(day, 10)
    return replace(ServiceRequest(str(number), "open", "pit", "Ямы", "Дороги", at, at), **fields)


def post(number: int, day: date, **fields: Any) -> ChannelPost:
    return replace(ChannelPost(number, number, moment(day, 12), f"Обед {number}", "Житель"), **fields)


def counts(told: list[Told]) -> list[tuple[int, int, int]]:
    """Rows loaded, rejected, unchanged of each landed file."""
    return [
        (report.rows_loaded, report.rows_rejected, report.rows_unchanged) for each in told for report in each.reports
    ]


def versions(centre: Centre) -> list[tuple[str, str, str | None]]:
    rows = centre.query(
        "select message_id, status, message_text from raw.incident order by message_id, updated_at, batch_id"
    )
    return [(row["message_id"], row["status"], row["message_text"]) for row in rows]


@pytest.fixture(autouse=True)
def region(centre: Centre) -> None:
    """A region that is known: an outside system does not make one."""
    register_region(centre.settings)


def requests_night(standin: StandIn, centre: Centre, day: date) -> list[Told]:
    return pull_requests(connection(standin, "open311"), night(day), centre.settings)


def channel_hour(standin: StandIn, centre: Centre, day: date) -> list[Told]:
    return pull_channel(connection(standin, "telegram_channel", chat=CHANNEL), night(day), centre.settings)


def test_a_changed_request_is_a_new_version_and_the_others_come_once(centre: Centre) -> None:
    first = [request(1, FIRST), request(2, FIRST)]
    with after(FIRST, requests=first) as standin:
        assert counts(requests_night(standin, centre, FIRST)) == [(2, 0, 0)]
    closed = replace(first[0], status="closed", updated_at=moment(SECOND, 15))
    with after(SECOND, requests=[closed, first[1], request(3, SECOND)]) as standin:
        # The day before the newest change is asked for again.
        assert counts(requests_night(standin, centre, SECOND)) == [(2, 0, 1)]
        [asked] = [each for each in standin.log if each.parameters.get("page") == "1"]
        assert asked.parameters["updated_after"] == "2022-06-02T05:00:00Z"
    assert versions(centre) == [
        ("1", "registered", None),
        ("1", "closed", None),
        ("2", "registered", None),
        ("3", "registered", None),
    ]
    with after(THIRD, requests=[closed, first[1], request(3, SECOND)]) as standin:
        assert [loaded for loaded, *_ in counts(requests_night(standin, centre, THIRD))] == [0]
    assert len(versions(centre)) == 4


def test_a_request_that_the_server_showed_late_is_found_within_the_overlap(centre: Centre) -> None:
    late = request(1, FIRST, requested_at=moment(FIRST, 9), updated_at=moment(FIRST, 9))
    with after(FIRST, requests=[request(2, FIRST)]) as standin:
        requests_night(standin, centre, FIRST)
    with after(SECOND, requests=[late, request(2, FIRST)]) as standin:
        assert counts(requests_night(standin, centre, SECOND)) == [(1, 0, 1)]


def test_a_past_night_asks_by_its_own_day(centre: Centre) -> None:
    told = [request(1, FIRST), request(2, SECOND), request(3, THIRD)]
    with after(THIRD, requests=told) as standin:
        assert counts(requests_night(standin, centre, THIRD)) == [(1, 0, 0)]
        assert counts(requests_night(standin, centre, FIRST)) == [(1, 0, 0)]
    assert [number for number, *_ in versions(centre)] == ["1", "3"]


@pytest.mark.parametrize(
    "place",
    [
        ("otklik.answers", "land_answers", 1),
        ("otklik.answers", "AnswerLoad.load", 1),
        ("otklik.warehouse.ledger", "close_line", 1),
    ],
    ids=["before landing", "before loading", "in the transaction"],
)
def test_requests_of_a_night_that_was_killed_come_with_the_next_run_and_once(
    centre: Centre, driver: Popen[str], place: tuple[str, str, int]
) -> None:
    with after(FIRST, requests=[request(1, FIRST), request(2, FIRST)]) as standin:
        runs = Nights(driver, standin, centre.settings)
        runs.killed_at(place, "requests", FIRST)
        assert versions(centre) == []
        runs.completed("requests", FIRST)
    assert versions(centre) == [("1", "registered", None), ("2", "registered", None)]


def test_posts_come_once_and_an_edit_is_a_version(centre: Centre) -> None:
    with after(FIRST, posts=[post(1, FIRST), post(2, FIRST)]) as standin:
        assert counts(channel_hour(standin, centre, FIRST)) == [(2, 0, 0)]
        assert counts(channel_hour(standin, centre, FIRST)) == []
    edited = post(3, FIRST, message_id=1, text="Обед остыл", edited_at=moment(SECOND, 13))
    with after(SECOND, posts=[edited, post(4, SECOND)]) as standin:
        assert counts(channel_hour(standin, centre, SECOND)) == [(2, 0, 0)]
    assert versions(centre) == [
        (f"{CHAT}/1", "new", "Обед 1"),
        (f"{CHAT}/1", "new", "Обед остыл"),
        (f"{CHAT}/2", "new", "Обед 2"),
        (f"{CHAT}/4", "new", "Обед 4"),
    ]


def test_more_posts_than_an_answer_holds_land_one_answer_after_the_other(centre: Centre) -> None:
    posts = [post(number, FIRST) for number in range(1, 251)]
    with after(FIRST, posts=posts) as standin:
        assert counts(channel_hour(standin, centre, FIRST)) == [(100, 0, 0), (100, 0, 0), (50, 0, 0)]
    assert len(versions(centre)) == 250


# A run of two answers; each asks for the next one, the last is confirmed.
KILLS = {
    "before the first landed": ("otklik.answers", "land_answers", 1),
    "the first landed, not loaded": ("otklik.answers", "AnswerLoad.load", 1),
    "in the transaction": ("otklik.warehouse.ledger", "close_line", 1),
    "the first confirmed, the second not landed": ("otklik.answers", "land_answers", 2),
    "the second landed, not loaded": ("otklik.answers", "AnswerLoad.load", 2),
    "all loaded, not confirmed": ("otklik.sources.telegram_channel", "confirm", 1),
}


@pytest.mark.parametrize("when", KILLS)
def test_posts_are_neither_lost_nor_doubled_wherever_the_hour_was_killed(
    centre: Centre, driver: Popen[str], when: str
) -> None:
    posts = [post(number, FIRST) for number in range(1, 151)]
    with after(FIRST, posts=posts) as standin:
        runs = Nights(driver, standin, centre.settings)
        runs.killed_at(KILLS[when], "channel", FIRST)
        runs.completed("channel", FIRST)
        # Whatever was confirmed is told no more: what is there, is there from before.
        assert channel_hour(standin, centre, FIRST) == []
    assert sorted(versions(centre)) == sorted((f"{CHAT}/{number}", "new", f"Обед {number}") for number in range(1, 151))


def test_posts_whose_hour_never_came_back_are_told_to_the_next(centre: Centre, driver: Popen[str]) -> None:
    with after(FIRST, posts=[post(1, FIRST)]) as standin:
        Nights(driver, standin, centre.settings).killed_at(("otklik.answers", "AnswerLoad.load", 1), "channel", FIRST)
        channel_hour(standin, centre, SECOND)
    assert versions(centre) == [(f"{CHAT}/1", "new", "Обед 1")]


def test_a_post_that_had_landed_is_loaded_though_telegram_has_forgotten_it(centre: Centre, driver: Popen[str]) -> None:
    with after(FIRST, posts=[post(1, FIRST)]) as standin:
        Nights(driver, standin, centre.settings).killed_at(("otklik.answers", "AnswerLoad.load", 1), "channel", FIRST)
    with after(THIRD, posts=[post(1, FIRST)]) as standin:
        assert counts(channel_hour(standin, centre, FIRST)) == [(1, 0, 0)]
    assert versions(centre) == [(f"{CHAT}/1", "new", "Обед 1")]


def test_a_refused_token_names_the_connection_and_tells_it_nowhere(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    with after(FIRST, posts=[post(1, FIRST)]) as standin:
        asking = connection(standin, "telegram_channel", chat=CHANNEL)
        refused = Connection(asking.name, asking.url, None, "123:wrong-secret", asking.extra)
        why = r"^Connection telegram_channel: "
        with caplog.at_level("DEBUG"), pytest.raises(CredentialsError, match=why) as error:
            pull_channel(refused, night(FIRST), centre.settings)
    assert "wrong-secret" not in f"{error.value!r} {error.value.__cause__!r} {refused!r} {caplog.text}"


def test_a_connection_without_its_region_says_what_to_set(centre: Centre) -> None:
    homeless = Connection("open311", "http://127.0.0.1:1")
    with pytest.raises(SourceError, match="Connection open311: set region in its extra"):
        pull_requests(homeless, night(FIRST), centre.settings)
