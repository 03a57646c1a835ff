"""The stand-ins' common part: clock, limits, faults, the log, and the control over HTTP."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.limits import RATES, Window
from otklik.demo.standin.world import Clock, Page, World
from tests.fixtures.standin import StandIn, standing_in

NIGHT = datetime(2022, 12, 31, 18, 0, tzinfo=UTC)
TWO = [Page("vk", number, f"town{number}", "Город", ((date(2022, 1, 1), 5),)) for number in (1, 2)]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with standing_in(World(Clock(NIGHT), list(TWO))) as standin:
        yield standin


def groups(standin: StandIn, ids: str = "1,2") -> httpx.Response:
    form = {"access_token": standin.credentials.vk_token, "v": "5.199", "group_ids": ids, "fields": "members_count"}
    return httpx.post(f"{standin.url}/vk/method/groups.getById", data=form)


def members(response: httpx.Response) -> list[Any]:
    return [group.get("members_count") for group in response.json()["response"]["groups"]]


def test_every_answer_is_dated_by_the_clock_of_the_world(standin: StandIn) -> None:
    for path in ("/vk/method/groups.getById", "/ok/fb.do?method=none", "/vk/nowhere"):
        told = parsedate_to_datetime(httpx.get(standin.url + path).headers["date"])
        assert timedelta(0) <= told - NIGHT < timedelta(seconds=5)


def test_what_the_world_holds_is_told_as_it_is_then(standin: StandIn) -> None:
    assert members(groups(standin)) == [5, 5]
    standin.world.pages.pop()
    assert members(groups(standin)) == [5]


def test_the_log_holds_what_was_asked(standin: StandIn) -> None:
    groups(standin, "2")
    (asked,) = standin.log
    assert (asked.system, asked.method, asked.path) == ("vk", "POST", "/vk/method/groups.getById")
    assert (asked.status, asked.refused, asked.parameters["group_ids"]) == (200, False, "2")
    (shown,) = httpx.get(f"{standin.url}/_control/log").json()
    assert (shown["path"], shown["status"]) == (asked.path, 200)


@pytest.mark.parametrize(
    ("system", "rate", "path", "status", "refusal"),
    [
        ("vk", 20, "/vk/method/utils.getServerTime", 200, {"error": {"error_code": 6}}),
        ("ok", 20, "/ok/fb.do", 200, {"error_code": 8}),
        ("telegram", 30, "/telegram/bot1/getMe", 429, {"error_code": 429, "parameters": {"retry_after": 1}}),
        ("max", 30, "/max/chats/1", 429, {}),
    ],
)
def test_one_request_too_many_in_a_second_is_refused_as_the_system_does(
    system: str, rate: int, path: str, status: int, refusal: dict[str, Any]
) -> None:
    with standing_in(World(Clock(NIGHT)), limits=True) as standin, httpx.Client(base_url=standin.url) as client:
        answers = [client.get(path) for _ in range(rate + 1)]
        assert [asked.refused for asked in standin.log] == [False] * rate + [True]
        last = answers[-1]
        assert last.status_code == status
        assert holds(last.json(), refusal)
        if system == "max":
            assert 0 < float(last.headers["retry-after"]) <= 1
        time.sleep(1)
        client.get(path)
        assert not standin.log[-1].refused


def holds(whole: Any, part: Any) -> bool:
    """Tell whether JSON holds all of a part."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    return bool(whole == part)


def test_limits_can_be_switched_off(standin: StandIn) -> None:
    with httpx.Client(base_url=standin.url) as client:
        for _ in range(50):
            client.get("/vk/method/utils.getServerTime")
    assert not any(asked.refused for asked in standin.log)


def test_a_window_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    window = Window(2)
    assert window.enter() == 0
    now = 100.75
    assert (window.enter(), window.enter()) == (0, 0.25)
    now = 101.0
    # The first has left the window; the one refused never was in it.
    assert (window.enter(), window.enter()) == (0, 0.75)
    assert set(RATES) == {"vk", "ok", "telegram", "max"}


def test_a_fault_strikes_so_many_times_after_so_many_requests_that_match(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "error", match="group_ids=1", code=10, after=1, times=2))
    codes = [groups(standin, ids).json().get("error", {}).get("error_code") for ids in ("1", "2", "1", "1", "2", "1")]
    assert codes == [None, None, 10, 10, None, None]
    assert standin.faults == []


def test_a_fault_without_a_count_stays_until_it_is_removed(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "status", code=503, seconds=7, times=None))
    for _ in range(3):
        answer = groups(standin)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    standin.faults.clear()
    assert groups(standin).status_code == 200


def test_a_fault_of_one_system_spares_the_others(standin: StandIn) -> None:
    standin.faults.append(Fault("ok", "status", code=500, times=None))
    assert groups(standin).status_code == 200


def test_a_slow_answer_is_whole(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "slow", seconds=0.2))
    begun = time.monotonic()
    assert members(groups(standin)) == [5, 5]
    assert time.monotonic() - begun >= 0.2


def test_a_cut_answer_ends_in_the_middle(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "cut"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        groups(standin)


def test_bad_json_is_half_of_the_answer(standin: StandIn) -> None:
    whole = groups(standin).content
    standin.faults.append(Fault("vk", "bad_json"))
    assert groups(standin).content == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("kind", "field", "expected"),
    [
        ("wrong_type", "response.groups[].members_count", ["abc", "abc"]),
        ("missing_field", "response.groups[].members_count", [None, None]),
        ("extra_field", "response.groups[].members_count", ["abc", "abc"]),
        ("wrong_type", "response.groups[].no_such_field", [5, 5]),
        ("wrong_type", "response.nothing[].members_count", [5, 5]),
    ],
)
def test_a_field_is_changed_at_its_path_alone(standin: StandIn, kind: Any, field: str, expected: list[Any]) -> None:
    standin.faults.append(Fault("vk", kind, field=field, value="abc"))
    answer = groups(standin)
    assert members(answer) == expected
    assert [group["id"] for group in answer.json()["response"]["groups"]] == [1, 2]
    assert "no_such_field" not in answer.text


def test_a_field_that_nobody_knows_comes_in(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "extra_field", field="response.groups[].trust_mark", value=3))
    assert [group["trust_mark"] for group in groups(standin).json()["response"]["groups"]] == [3, 3]


def test_faults_come_and_go_over_http(standin: StandIn) -> None:
    control = f"{standin.url}/_control/faults"
    httpx.post(control, json={"system": "vk", "kind": "error", "code": 15, "times": None})
    assert groups(standin).json()["error"]["error_code"] == 15
    assert httpx.delete(control).json() == []
    assert members(groups(standin)) == [5, 5]
    assert {asked.system for asked in standin.log} == {"vk"}


def test_an_unknown_kind_of_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="no such fault: explode"):
        Fault("vk", "explode")  # type: ignore[arg-type]
