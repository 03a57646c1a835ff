"""Requests of Open311 servers that cut in different ways, asked over HTTP."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, ServiceRequest, World
from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources import open311
from otklik.sources.connection import Connection
from otklik.sources.records import Answer, Record
from tests.fixtures.standin import StandIn, standing_in

FIRST = datetime(2022, 1, 1, tzinfo=UTC)
NOW = datetime(2022, 12, 31, 20, tzinfo=UTC)
YEAR = Interval(FIRST, datetime(2023, 1, 1, tzinfo=UTC))


def request(number: int, requested_at: datetime, **how: Any) -> ServiceRequest:
    about = {"status": "open", "service_code": "roads", "service_name": "Дороги", "agency_responsible": "Город"}
    return ServiceRequest(f"SR{number}", **about | {"requested_at": requested_at, "updated_at": requested_at} | how)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """3,500 requests in 364 days, 2,000 of them within one hour."""
    even = [request(number, FIRST + number * timedelta(hours=5.8)) for number in range(1_500)]
    burst_at = datetime(2022, 6, 1, 12, tzinfo=UTC)
    burst = [request(1_500 + number, burst_at + timedelta(seconds=1.8 * number)) for number in range(2_000)]
    with standing_in(World(Clock(NOW), requests=even + burst)) as running:
        yield running


def connection(standin: StandIn, server: str = "", **how: Any) -> Connection:
    extra = {"rate": "0", "first_wait": "0.01"} | how.pop("extra", {})
    return Connection("city_311", f"{standin.url}/open311{server}", extra=extra, **how)


def records(answers: list[Answer]) -> list[Record]:
    found = list(open311.read(Answer.of_line(answer.as_line()) for answer in answers))
    assert all((each.entity, each.kind) == ("incident", "open311.request") for each in found)
    return [record for each in found for record in each.rows]


def ids(answers: list[Answer]) -> list[str]:
    return sorted(str(record.values["message_id"]) for record in records(answers))


def all_ids(standin: StandIn) -> list[str]:
    return sorted(each.service_request_id for each in standin.world.requests)


def pull(standin: StandIn, server: str = "", cursor: datetime | None = None, **how: Any) -> list[Answer]:
    return list(open311.pull(connection(standin, server, **how), YEAR, cursor))


def test_a_closed_request_becomes_an_incident(standin: StandIn) -> None:
    closed = request(
        7,
        datetime(2022, 5, 1, 9, tzinfo=UTC),
        status="closed",
        updated_at=datetime(2022, 5, 3, 10, tzinfo=UTC),
        expected_at=datetime(2022, 5, 9, tzinfo=UTC),
        description="Яма",
        status_notes="Засыпана",
    )
    standin.world.requests[:] = [closed]
    (record,) = records(pull(standin))
    assert record.values == {
        "message_id": "SR7",
        "incident_id": "SR7",
        "channel": "portal",
        "status": "closed",
        "received_at": "2022-05-01T09:00:00+00:00",
        "updated_at": "2022-05-03T10:00:00+00:00",
        "closed_at": "2022-05-03T10:00:00+00:00",
        "due_at": "2022-05-09T00:00:00+00:00",
        "topic": "Дороги",
        "authority": "Город",
        "message_text": "Яма",
    }
    assert record.original["status_notes"] == "Засыпана"


def test_an_open_request_is_registered_and_has_no_closing(standin: StandIn) -> None:
    standin.world.requests[:] = [request(1, FIRST)]
    (record,) = records(pull(standin, extra={"channel": "app"}))
    fields = ("status", "closed_at", "due_at", "message_text", "channel")
    assert [record.values[field] for field in fields] == ["registered", None, None, None, "app"]


def test_a_year_of_thousands_comes_whole_and_once_from_a_server_with_pages(standin: StandIn) -> None:
    assert ids(pull(standin)) == all_ids(standin)


def test_a_server_that_cuts_its_pages_lower_is_read_whole_and_once(standin: StandIn) -> None:
    assert ids(pull(standin, "/small")) == all_ids(standin)


def test_a_server_without_pages_is_read_whole_in_halves(standin: StandIn) -> None:
    answers = pull(standin, "/flat")
    assert sorted(set(ids(answers))) == all_ids(standin)
    originals: dict[str, Any] = {}
    for record in records(answers):
        assert originals.setdefault(str(record.values["message_id"]), record.original) == record.original


def test_no_question_spans_more_than_ninety_days(standin: StandIn) -> None:
    pull(standin, "/flat")
    spans = [
        datetime.fromisoformat(asked.parameters["end_date"]) - datetime.fromisoformat(asked.parameters["start_date"])
        for asked in standin.log
    ]
    assert max(spans) == timedelta(days=90)


@pytest.mark.parametrize("server", ["", "/flat"])
def test_exactly_as_many_as_a_server_gives_are_asked_for_again_in_halves(standin: StandIn, server: str) -> None:
    del standin.world.requests[1_000:]
    standin.world.requests[:] = [
        replace(each, requested_at=FIRST + number * timedelta(hours=1))
        for number, each in enumerate(standin.world.requests)
    ]
    answers = pull(standin, server)
    assert sorted(set(ids(answers))) == all_ids(standin)
    assert [len(json.loads(answer.body or "")) for answer in answers] == [1_000, 1_000, 541, 460]


def test_a_request_at_the_edge_of_two_windows_is_not_lost(standin: StandIn) -> None:
    standin.world.requests[:] = [request(1, FIRST + timedelta(days=90))]
    assert set(ids(pull(standin))) == {"SR1"}


def test_with_a_cursor_only_what_changed_since_the_day_before_is_asked_for(standin: StandIn) -> None:
    cursor = datetime(2022, 12, 30, 12, tzinfo=UTC)
    old = request(9_001, FIRST, status="closed", updated_at=datetime(2022, 12, 29, 13, tzinfo=UTC))
    older = request(9_002, FIRST, updated_at=datetime(2022, 12, 29, 11, tzinfo=UTC))
    standin.world.requests[:] = [old, older, request(9_003, NOW - timedelta(hours=1))]
    assert ids(pull(standin, cursor=cursor)) == ["SR9001", "SR9003"]
    assert standin.log[0].parameters == {
        "updated_after": "2022-12-29T12:00:00Z",
        "page_size": "1000",
        "page": "1",
    }


def test_changes_come_page_by_page(standin: StandIn) -> None:
    assert ids(pull(standin, "/small", cursor=FIRST)) == all_ids(standin)


def test_changes_that_a_server_without_pages_cuts_are_an_error_and_not_a_loss(standin: StandIn) -> None:
    with pytest.raises(SourceError, match=r"city_311: .* cut the changes since 2021-12-31T00:00:00Z.*by their dates"):
        pull(standin, "/flat", cursor=FIRST)


def test_a_round_number_of_changes_is_whole_where_the_server_knows_pages(standin: StandIn) -> None:
    del standin.world.requests[100:]
    assert ids(pull(standin, cursor=FIRST)) == all_ids(standin)


def test_an_odd_number_of_changes_is_whole_where_it_does_not(standin: StandIn) -> None:
    del standin.world.requests[101:]
    assert ids(pull(standin, "/flat", cursor=FIRST)) == all_ids(standin)


def test_a_later_state_is_a_later_version(standin: StandIn) -> None:
    standin.world.requests[:] = [request(1, FIRST)]
    before = records(pull(standin))
    standin.world.requests[0] = request(1, FIRST, status="closed", updated_at=FIRST + timedelta(days=2))
    after = records(pull(standin))
    assert [(each.values["message_id"], each.values["updated_at"]) for each in before + after] == [
        ("SR1", "2022-01-01T00:00:00+00:00"),
        ("SR1", "2022-01-03T00:00:00+00:00"),
    ]


@pytest.mark.parametrize("fault", [{"kind": "status", "code": 503}, {"kind": "cut"}, {"kind": "bad_json"}])
def test_an_answer_that_fails_in_passing_is_asked_for_again(standin: StandIn, fault: dict[str, Any]) -> None:
    standin.faults.append(Fault("open311", after=2, times=2, **fault))
    assert ids(pull(standin)) == all_ids(standin)


def test_too_many_questions_wait_as_long_as_the_server_says(standin: StandIn) -> None:
    standin.faults.append(Fault("open311", "status", code=429, seconds=0.4))
    pull(standin)
    assert 0.4 <= standin.log[1].arrived - standin.log[0].arrived < 0.8


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "error", "code": 400}, r"city_311: the server refuses the question: error 400 \(bad parameter\)"),
        ({"kind": "error", "code": 404}, r"city_311: the server refuses the question: error 404 \(not found\)"),
        ({"kind": "status", "code": 302}, r"city_311: the server refuses the question: error 302\."),
        ({"kind": "status", "code": 500}, r"city_311: no usable answer \(HTTP 500\)"),
        ({"kind": "status", "code": 429}, r"city_311: no usable answer \(HTTP 429\)"),
        ({"kind": "cut"}, r"city_311: no usable answer \(RemoteProtocolError\)"),
        ({"kind": "bad_json"}, r"city_311: no usable answer \(the answer is no list of requests\)"),
    ],
)
def test_a_refusal_or_silence_says_what_to_do(standin: StandIn, fault: dict[str, Any], message: str) -> None:
    standin.faults.append(Fault("open311", times=None, **fault))
    with pytest.raises(SourceError, match=message):
        pull(standin)


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_is_named_by_its_connection_and_never_shown(
    standin: StandIn, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    standin.faults.append(Fault("open311", "error", code=code, times=None))
    refused = connection(standin, password="wrong-secret")
    with caplog.at_level(logging.DEBUG):
        for ask in (lambda: open311.check(refused), lambda: next(open311.pull(refused, YEAR, None))):
            with pytest.raises(CredentialsError, match=rf"city_311: .*api_key \(error {code}\)") as raised:
                ask()
            assert "secret" not in repr(raised.value)
    assert "secret" not in caplog.text


def test_the_key_goes_along_where_there_is_one_and_never_lands(standin: StandIn) -> None:
    answers = pull(standin, password="key-secret")
    assert all(asked.parameters["api_key"] == "key-secret" for asked in standin.log)
    assert not any("secret" in answer.as_line() for answer in answers)


def test_a_check_tells_the_servers_time(standin: StandIn) -> None:
    assert abs((open311.check(connection(standin)) - NOW).total_seconds()) < 5


def told(body: str | None) -> list[Record]:
    return [record for each in open311.read([Answer({"channel": "portal"}, NOW, body)]) for record in each.rows]


def test_values_of_a_wrong_type_go_to_the_contract_as_they_are() -> None:
    said = {"service_request_id": 101, "status": ["open"], "requested_datetime": 5, "description": {"a": "Яма"}}
    (record,) = told(json.dumps([said]))
    assert record.values["message_id"] == "101"
    assert (record.values["status"], record.values["received_at"]) == ('["open"]', "5")
    assert record.values["message_text"] == '{"a": "Яма"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["service_request_id", "status", "updated_datetime", "description"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=5))
def test_every_request_of_an_answer_has_its_record_whatever_it_holds(requests: list[Any]) -> None:
    rows = told(json.dumps(requests))
    assert [isinstance(each, dict) for each in requests] == [row.problem is None for row in rows]


@given(st.none() | st.text(max_size=20) | JSON.filter(lambda value: not isinstance(value, list)).map(json.dumps))
def test_an_answer_that_is_no_list_is_one_problem(body: str | None) -> None:
    assert [row.problem for row in told(body)] == ["ответ Open311 не является списком обращений"]


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '[{"status": "\\ud800"}]', '[{"status": ' + "[" * 900 + "]" * 900 + "}]"]
)
def test_nested_nonsense_and_halves_of_letters_are_survived(body: str) -> None:
    (row,) = told(body)
    assert str(row.values.get("status")).encode()
