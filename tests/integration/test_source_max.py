"""Members of pages on MAX, asked of a stand-in over HTTP."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Page, World
from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources import max_messenger
from otklik.sources.connection import Connection
from otklik.sources.records import Answer
from otklik.sources.registry import PageEntry
from tests.fixtures.standin import StandIn, standing_in

NIGHT = Interval(datetime(2025, 12, 1, tzinfo=UTC), datetime(2025, 12, 2, tzinfo=UTC))
OPENED = ((date(2025, 9, 1), 900), (date(2025, 12, 31), 900))


def page(number: int, name: str, **how: Any) -> Page:
    return Page("max", number, name, f"Канал {number}", OPENED, **how)


def entry(external_id: str, page_id: str = "p1") -> PageEntry:
    return PageEntry(page_id, "max", external_id)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    world = World(
        Clock(datetime(2025, 12, 1, 22, tzinfo=UTC)),
        pages=[
            page(501, "city", description="О городе"),
            page(502, "bare", has_avatar=False),
            page(503, "shut", is_closed=True),
            page(504, "gone", deactivated="deleted"),
            page(505, "mute", tells_members=False),
        ],
    )
    with standing_in(world) as running:
        yield running


def connection(standin: StandIn, **extra: str) -> Connection:
    return Connection(
        "max_pages",
        f"{standin.url}/max",
        password=standin.credentials.max_token,
        extra={"rate": "0", "first_wait": "0.01"} | extra,
    )


def snapshots(standin: StandIn, *pages: PageEntry, **extra: str) -> list[dict[str, str | None]]:
    answers = list(max_messenger.pull(connection(standin, **extra), NIGHT, pages, live=True))
    (records,) = max_messenger.read(Answer.of_line(answer.as_line()) for answer in answers)
    assert (records.entity, records.kind) == ("page_snapshot", "max.page")
    return [dict(record.values) for record in records.rows]


def outcome(standin: StandIn, external_id: str = "501") -> tuple[str | None, ...]:
    (row,) = snapshots(standin, entry(external_id))
    return row["members_count"], row["not_read"], row["not_read_detail"]


def test_a_page_is_told_with_its_members_and_looks_by_the_clock_of_max(standin: StandIn) -> None:
    city, bare = snapshots(standin, entry("501", "p1"), entry("502", "p2"))
    observed_at = city.pop("observed_at")
    assert observed_at is not None
    assert observed_at.startswith("2025-12-01T22:00:0")
    assert city == {
        "page_id": "p1",
        "network": "max",
        "external_id": "501",
        "method": "live",
        "members_count": "900",
        "not_read": None,
        "not_read_detail": None,
        "name": "Канал 501",
        "has_description": "true",
        "has_avatar": "true",
    }
    assert (bare["has_description"], bare["has_avatar"]) == ("false", "false")


@pytest.mark.parametrize("written", ["501", "city", "@city", "https://max.ru/city", "max.ru/city/", " 501 "])
def test_an_id_is_understood_however_it_is_written(standin: StandIn, written: str) -> None:
    assert outcome(standin, written) == ("900", None, None)


@pytest.mark.parametrize("written", ["https://max.ru/join/AbC", "https://vk.com/city", "два слова", ""])
def test_what_cannot_be_an_id_is_reported_and_not_asked_about(standin: StandIn, written: str) -> None:
    assert outcome(standin, written) == (None, "bad_id", None)
    assert standin.log == []


@pytest.mark.parametrize(
    ("external_id", "reason", "detail"),
    [
        ("999", "not_found", "HTTP 404: Chat not found"),
        ("504", "not_found", "HTTP 404: Chat not found"),
        ("503", "forbidden", "HTTP 403: Access to the chat is denied"),
        ("505", "no_count", None),
    ],
)
def test_a_page_that_is_refused_says_why(standin: StandIn, external_id: str, reason: str, detail: str | None) -> None:
    assert outcome(standin, external_id) == (None, reason, detail)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, (None, "bad_id", "HTTP 400: Invalid chat id")),
        (403, (None, "forbidden", "HTTP 403: Access to the chat is denied")),
        (404, (None, "not_found", "HTTP 404: Chat not found")),
        (418, (None, "bad_answer", "HTTP 418: Error 418")),
        (429, ("900", None, None)),
        (500, ("900", None, None)),
        (503, ("900", None, None)),
    ],
)
def test_each_error_has_its_outcome(standin: StandIn, code: int, expected: tuple[str | None, ...]) -> None:
    standin.faults.append(Fault("max", "error", code=code))
    assert outcome(standin) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [(429, (None, "limit", "HTTP 429")), (503, (None, "no_answer", "HTTP 503"))]
)
def test_an_error_that_stays_has_its_reason(standin: StandIn, code: int, expected: tuple[str | None, ...]) -> None:
    standin.faults.append(Fault("max", "error", code=code, times=None))
    assert outcome(standin) == expected


def test_too_many_requests_wait_as_long_as_max_says(standin: StandIn) -> None:
    standin.faults.append(Fault("max", "status", code=429, seconds=0.4))
    assert outcome(standin) == ("900", None, None)
    first, second = (asked.arrived for asked in standin.log)
    assert 0.4 <= second - first < 0.8


def test_a_page_that_is_refused_does_not_stop_the_others(standin: StandIn) -> None:
    rows = snapshots(standin, entry("503", "p1"), entry("999", "p2"), entry("501", "p3"))
    assert [(row["page_id"], row["members_count"]) for row in rows] == [("p1", None), ("p2", None), ("p3", "900")]


def test_an_answer_cut_off_is_asked_again(standin: StandIn) -> None:
    standin.faults.append(Fault("max", "cut"))
    assert outcome(standin) == ("900", None, None)


@pytest.mark.parametrize(("value", "detail"), [("abc", '"abc"'), (-5, "-5"), (True, "true"), (1.5, "1.5"), ([], "[]")])
def test_a_number_that_is_none_is_a_bad_answer(standin: StandIn, value: object, detail: str) -> None:
    standin.faults.append(Fault("max", "wrong_type", field="participants_count", value=value))
    assert outcome(standin) == (None, "bad_answer", f"members_count: {detail}")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("removed", "not_found"), ("closed", "closed"), ("suspended", "blocked"), ("left", "forbidden")],
)
def test_a_chat_without_a_number_says_by_its_status_why(standin: StandIn, status: str, reason: str) -> None:
    standin.faults.append(Fault("max", "wrong_type", field="status", value=status))
    assert outcome(standin, "505") == (None, reason, None)


def test_an_answer_that_is_no_json_is_kept_and_marked(standin: StandIn) -> None:
    standin.faults.append(Fault("max", "bad_json"))
    members, reason, detail = outcome(standin)
    assert (members, reason) == (None, "bad_answer")
    assert detail is not None
    assert detail.startswith('"{\\"chat_id\\":501')


def test_looks_that_are_left_out_are_unknown(standin: StandIn) -> None:
    standin.faults.append(Fault("max", "missing_field", field="icon", match="501"))
    (row,) = snapshots(standin, entry("501"))
    assert (row["has_avatar"], row["members_count"]) == (None, "900")


def test_a_refused_token_ends_the_night_without_showing_it(standin: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    refused = Connection("max_pages", f"{standin.url}/max", password="wrong-secret", extra={"rate": "0"})
    with caplog.at_level(logging.DEBUG):
        for ask in (
            lambda: max_messenger.check(refused),
            lambda: list(max_messenger.pull(refused, NIGHT, [entry("501")], live=True)),
        ):
            with pytest.raises(CredentialsError, match="max_pages: MAX refuses the token") as raised:
                ask()
            assert "secret" not in f"{raised.value!r} {refused!r}"
    assert "secret" not in caplog.text


def test_no_token_is_said_before_anything_is_asked(standin: StandIn) -> None:
    with pytest.raises(CredentialsError, match="max_pages: no password"):
        max_messenger.check(Connection("max_pages", f"{standin.url}/max"))
    assert standin.log == []


def test_a_check_tells_the_time_of_max_and_finds_a_wrong_address(standin: StandIn) -> None:
    told = max_messenger.check(connection(standin))
    assert abs((told - standin.world.clock.now()).total_seconds()) < 2
    standin.faults.append(Fault("max", "status", code=404))
    with pytest.raises(SourceError, match="max_pages: the answer is not that of MAX"):
        max_messenger.check(connection(standin))


def test_nothing_that_lands_holds_the_token(standin: StandIn) -> None:
    answers = list(max_messenger.pull(connection(standin), NIGHT, [entry("501"), entry("999")], live=True))
    assert len(answers) == 2
    assert standin.credentials.max_token not in "".join(answer.as_line() for answer in answers)


def test_a_night_that_is_over_is_not_asked_about(standin: StandIn) -> None:
    assert list(max_messenger.pull(connection(standin), NIGHT, [entry("501")], live=False)) == []
    assert standin.log == []


def test_the_pace_stays_within_what_max_allows() -> None:
    world = World(Clock(NIGHT.start), pages=[page(number, f"page{number}") for number in range(600, 650)])
    pages = [entry(str(number), str(number)) for number in range(600, 650)]
    with standing_in(world, limits=True) as standin:
        started = time.monotonic()
        rows = snapshots(standin, *pages, rate="30")
        assert [row["members_count"] for row in rows] == ["900"] * 50
        assert not any(asked.refused for asked in standin.log)
        assert time.monotonic() - started > 49 / 30


BODIES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["participants_count", "status", "title", "icon", "description", "message"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(json.dumps),
)


@given(st.lists(st.tuples(BODIES, st.sampled_from([None, "HTTP 400", "HTTP 418", "bad_id", "ReadTimeout"]))))
def test_every_page_asked_about_has_its_snapshot_whatever_comes(told: list[tuple[str | None, str | None]]) -> None:
    answers = [
        Answer({"page_id": f"p{number}", "external_id": "5"}, NIGHT.start, body, trouble)
        for number, (body, trouble) in enumerate(told)
    ]
    rows = [record for records in max_messenger.read(answers) for record in records.rows]
    assert [row.values["page_id"] for row in rows] == [f"p{number}" for number in range(len(told))]
    assert all((row.values["members_count"] is None) == (row.values["not_read"] is not None) for row in rows)
