"""Members of pages on Telegram, asked of a stand-in over HTTP."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Page, World
from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources import telegram
from otklik.sources.connection import Connection
from otklik.sources.records import Answer
from otklik.sources.registry import PageEntry
from tests.fixtures.standin import StandIn, standing_in

NIGHT = Interval(datetime(2022, 12, 1, tzinfo=UTC), datetime(2022, 12, 2, tzinfo=UTC))
OPENED = ((date(2022, 1, 1), 1_200), (date(2022, 12, 31), 1_200))


def page(number: int, name: str, **how: object) -> Page:
    return Page("telegram", number, name, f"Канал {number}", OPENED, **how)


def entry(external_id: str, page_id: str = "p1") -> PageEntry:
    return PageEntry(page_id, "telegram", external_id)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    world = World(
        Clock(datetime(2022, 12, 1, 22, tzinfo=UTC)),
        pages=[
            page(1, "city", description="О городе"),
            page(2, "bare", has_avatar=False),
            page(3, "shut", is_closed=True),
            page(4, "gone", deactivated="deleted"),
            page(5, "mute", tells_members=False),
        ],
    )
    with standing_in(world) as running:
        yield running


def connection(standin: StandIn, **extra: str) -> Connection:
    return Connection(
        "telegram_pages",
        f"{standin.url}/telegram",
        password=standin.credentials.telegram_token,
        extra={"rate": "0", "first_wait": "0.01"} | extra,
    )


def snapshots(standin: StandIn, *pages: PageEntry, **extra: str) -> list[dict[str, str | None]]:
    answers = list(telegram.pull(connection(standin, **extra), NIGHT, pages, live=True))
    (records,) = telegram.read(Answer.of_line(answer.as_line()) for answer in answers)
    assert (records.entity, records.kind) == ("page_snapshot", "telegram.page")
    return [dict(record.values) for record in records.rows]


def outcome(standin: StandIn, external_id: str = "@city") -> tuple[str | None, ...]:
    (row,) = snapshots(standin, entry(external_id))
    return row["members_count"], row["not_read"], row["not_read_detail"]


def test_a_page_is_told_with_its_members_and_looks_by_telegrams_clock(standin: StandIn) -> None:
    city, bare = snapshots(standin, entry("@city", "p1"), entry("@bare", "p2"))
    observed_at = city.pop("observed_at")
    assert observed_at is not None
    assert observed_at.startswith("2022-12-01T22:00:0")
    assert city == {
        "page_id": "p1",
        "network": "telegram",
        "external_id": "@city",
        "method": "live",
        "members_count": "1200",
        "not_read": None,
        "not_read_detail": None,
        "name": "Канал 1",
        "has_description": "true",
        "has_avatar": "true",
    }
    assert (bare["has_description"], bare["has_avatar"]) == ("false", "false")


@pytest.mark.parametrize(
    "written", ["@city", "city", "CITY", "https://t.me/city", "t.me/city/", "https://t.me/s/city", "-1001", " @city "]
)
def test_an_id_is_understood_however_it_is_written(standin: StandIn, written: str) -> None:
    assert outcome(standin, written) == ("1200", None, None)


@pytest.mark.parametrize("written", ["https://t.me/+AbCdEf", "https://vk.com/city", "два слова", "", "@"])
def test_what_cannot_be_an_id_is_reported_and_not_asked_about(standin: StandIn, written: str) -> None:
    assert outcome(standin, written) == (None, "bad_id", None)
    assert standin.log == []


@pytest.mark.parametrize(
    ("external_id", "reason", "detail"),
    [
        ("@nobody", "not_found", "400: Bad Request: chat not found"),
        ("@gone", "not_found", "400: Bad Request: chat not found"),
        ("@shut", "forbidden", "403: Forbidden: bot is not a member of the channel chat"),
        ("@mute", "forbidden", "400: Bad Request: member list is inaccessible"),
    ],
)
def test_a_page_that_is_refused_says_why(standin: StandIn, external_id: str, reason: str, detail: str) -> None:
    assert outcome(standin, external_id) == (None, reason, detail)


def test_a_page_that_is_refused_does_not_stop_the_others(standin: StandIn) -> None:
    rows = snapshots(standin, entry("@shut", "p1"), entry("@nobody", "p2"), entry("@city", "p3"))
    assert [(row["page_id"], row["members_count"]) for row in rows] == [("p1", None), ("p2", None), ("p3", "1200")]


def test_a_looks_question_left_unanswered_leaves_the_members(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "status", "/getChat\n", 502, times=None))
    (row,) = snapshots(standin, entry("@city"))
    assert (row["members_count"], row.get("name"), row.get("has_avatar")) == ("1200", None, None)


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_server_error_is_asked_again(standin: StandIn, code: int) -> None:
    standin.faults.append(Fault("telegram", "status", "getChatMemberCount", code, times=2))
    assert outcome(standin) == ("1200", None, None)


def test_a_system_that_stays_down_is_no_answer(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "status", "getChatMemberCount", 502, times=None))
    assert outcome(standin) == (None, "no_answer", "HTTP 502")


def test_an_answer_cut_off_is_asked_again(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "cut", "getChatMemberCount"))
    assert outcome(standin) == ("1200", None, None)


def test_flood_control_is_waited_for_as_long_as_it_says(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "error", "getChatMemberCount", 429))
    assert outcome(standin) == ("1200", None, None)
    first, second = (asked.arrived for asked in standin.log if asked.path.endswith("getChatMemberCount"))
    assert 1 <= second - first < 1.5


def test_a_flood_that_does_not_end_is_our_limit(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "status", "getChatMemberCount", 429, times=None))
    assert outcome(standin) == (None, "limit", "HTTP 429")


@pytest.mark.parametrize(
    ("value", "detail"), [("abc", '"abc"'), (-5, "-5"), (True, "true"), (1.5, "1.5"), ([1], "[1]"), ({}, "{}")]
)
def test_a_number_that_is_none_is_a_bad_answer(standin: StandIn, value: object, detail: str) -> None:
    standin.faults.append(Fault("telegram", "wrong_type", "getChatMemberCount", field="result", value=value))
    assert outcome(standin) == (None, "bad_answer", f"members_count: {detail}")


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (Fault("telegram", "missing_field", "getChatMemberCount", field="result"), '"{\\"ok\\": true}"'),
        (Fault("telegram", "bad_json", "getChatMemberCount"), '"{\\"ok\\":true,\\""'),
        (Fault("telegram", "status", "getChatMemberCount", 418), "HTTP 418"),
    ],
)
def test_an_answer_that_is_not_telegrams_is_kept_and_marked(standin: StandIn, fault: Fault, detail: str) -> None:
    standin.faults.append(fault)
    assert outcome(standin) == (None, "bad_answer", detail)


@pytest.mark.parametrize("code", [401, 404])
def test_a_refused_token_ends_the_night_without_showing_it(
    standin: StandIn, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    token = "123:wrong-secret" if code == 401 else "wrong-secret"
    refused = Connection("telegram_pages", f"{standin.url}/telegram", password=token, extra={"rate": "0"})
    with caplog.at_level(logging.DEBUG):
        for ask in (
            lambda: telegram.check(refused),
            lambda: list(telegram.pull(refused, NIGHT, [entry("@city")], live=True)),
        ):
            with pytest.raises(CredentialsError, match=f"telegram_pages: .*error {code}") as raised:
                ask()
            assert "secret" not in f"{raised.value!r} {refused!r}"
    assert "secret" not in caplog.text


def test_no_token_is_said_before_anything_is_asked(standin: StandIn) -> None:
    with pytest.raises(CredentialsError, match="telegram_pages: no password"):
        telegram.check(Connection("telegram_pages", f"{standin.url}/telegram"))
    assert standin.log == []


def test_a_check_tells_telegrams_time(standin: StandIn) -> None:
    told = telegram.check(connection(standin))
    assert abs((told - standin.world.clock.now()).total_seconds()) < 2


def test_another_site_at_the_address_is_not_taken_for_telegram(standin: StandIn) -> None:
    standin.faults.append(Fault("telegram", "bad_json"))
    with pytest.raises(SourceError, match="telegram_pages: the answer is not Telegram's"):
        telegram.check(connection(standin))


def test_nothing_that_lands_or_is_logged_holds_the_token(standin: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    standin.faults.append(Fault("telegram", "status", "getChat", 502))
    with caplog.at_level(logging.DEBUG):
        answers = list(telegram.pull(connection(standin), NIGHT, [entry("@city"), entry("@nobody")], live=True))
    assert len(answers) == 4
    assert standin.credentials.telegram_token not in caplog.text + "".join(answer.as_line() for answer in answers)


def test_a_night_that_is_over_is_not_asked_about(standin: StandIn) -> None:
    assert list(telegram.pull(connection(standin), NIGHT, [entry("@city")], live=False)) == []
    assert standin.log == []


def test_the_pace_stays_within_what_telegram_allows() -> None:
    world = World(Clock(NIGHT.start), pages=[page(number, f"page{number}") for number in range(40)])
    pages = [entry(f"@page{number}", str(number)) for number in range(40)]
    with standing_in(world, limits=True) as standin:
        started = time.monotonic()
        rows = snapshots(standin, *pages, rate="30")
        assert [row["members_count"] for row in rows] == ["1200"] * 40
        assert not any(asked.refused for asked in standin.log)
        assert time.monotonic() - started > 79 / 30


BODIES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["ok", "result", "error_code", "description", "title", "photo"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    ).map(json.dumps),
)


@given(st.lists(st.tuples(st.integers(0, 3), BODIES, BODIES, st.sampled_from([None, "HTTP 400", "bad_id"]))))
def test_every_page_asked_about_has_its_snapshot_whatever_comes(asked: list[tuple[int, str, str, str]]) -> None:
    moment = NIGHT.start
    answers = [
        Answer({"page_id": f"p{page_id}", "external_id": "@x", "method": method}, moment, body, trouble)
        for page_id, count, chat, trouble in asked
        for method, body in (("getChatMemberCount", count), ("getChat", chat))
    ]
    rows = [record for records in telegram.read(answers) for record in records.rows]
    assert [row.values["page_id"] for row in rows] == [f"p{page_id}" for page_id, *_ in asked]
    assert all((row.values["members_count"] is None) == (row.values["not_read"] is not None) for row in rows)
