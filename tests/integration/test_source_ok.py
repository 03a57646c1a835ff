"""OK's pages over real HTTP, from the stand-in that speaks its protocol and checks its signatures."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Page, World
from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources import ok
from otklik.sources.connection import Connection
from otklik.sources.records import Answer, Record, Records
from otklik.sources.registry import PageEntry
from tests.fixtures.standin import StandIn, standing_in

ZONE = ZoneInfo("Asia/Yekaterinburg")
NIGHT = datetime(2022, 12, 31, 23, 0, tzinfo=ZONE)
INTERVAL = Interval.of_day(date(2022, 12, 31), ZONE)
# Ten more members a day in December: 100 on the 1st, 400 on the 31st.
MEMBERS = ((date(2022, 12, 1), 100), (date(2022, 12, 31), 400))
FIRST = 70000000000001


def page(place: int, **fields: Any) -> Page:
    values = {"network": "ok", "short_name": f"town{place}", "title": f"Город {place}", "audience": MEMBERS}
    return Page(number=FIRST - 1 + place, **values | fields)


def entry(external_id: str | int) -> PageEntry:
    return PageEntry(f"ok:{external_id}", "ok", str(external_id))


def connection(standin: StandIn) -> Connection:
    known = standin.credentials
    return Connection(
        "ok_pages",
        f"{standin.url}/ok",
        login=known.ok_application_key,
        password=known.ok_application_secret,
        extra={"access_token": known.ok_access_token, "rate": "0", "first_wait": "0.001"},
    )


def rows(answers: list[Answer]) -> dict[str, Record]:
    """Return the records by page, read out of the answers as they come back from the landing zone."""
    landed = [Answer.of_line(answer.as_line()) for answer in answers]
    records = [record for records in ok.read(landed) if isinstance(records, Records) for record in records.rows]
    assert len({record.values["page_id"] for record in records}) == len(records)
    return {str(record.values["external_id"]): record for record in records}


def night(standin: StandIn, *ids: str | int, live: bool = True, interval: Interval = INTERVAL) -> dict[str, Record]:
    return rows(list(ok.pull(connection(standin), interval, [entry(each) for each in ids], live=live)))


def outcome(record: Record) -> tuple[str | None, str | None]:
    return record.values["members_count"], record.values["not_read"]


def asked_methods(standin: StandIn) -> list[str]:
    return [asked.parameters["method"] for asked in standin.log]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with standing_in(World(Clock(NIGHT), [page(place) for place in range(1, 8)])) as standin:
        yield standin


def test_a_page_is_read_whole_at_the_moment_by_oks_clock(standin: StandIn) -> None:
    standin.world.pages[0] = page(1, description="Официально", has_government_mark=True)
    record = night(standin, FIRST)[str(FIRST)]
    seen = datetime.fromisoformat(str(record.values.pop("observed_at")))
    assert timedelta(0) <= seen - NIGHT < timedelta(seconds=5)
    assert record.values == {
        "page_id": f"ok:{FIRST}",
        "network": "ok",
        "external_id": str(FIRST),
        "method": "live",
        "members_count": "400",
        "not_read": None,
        "not_read_detail": None,
        "name": "Город 1",
        "has_description": "true",
        "has_avatar": "true",
        "has_cover": "true",
        "has_government_mark": "true",
    }


def test_a_page_is_found_however_its_address_was_written(standin: StandIn) -> None:
    ways = [str(FIRST), f"https://ok.ru/group/{FIRST}", f"ok.ru/group{FIRST}", "town1", "https://ok.ru/town1", "@town1"]
    read = night(standin, *ways)
    assert {outcome(read[way]) for way in ways} == {("400", None)}
    # Each name is asked about once, and the page it stands for once.
    assert asked_methods(standin) == ["url.getInfo", "group.getInfo"]
    assert standin.log[-1].parameters["uids"] == str(FIRST)


def test_pages_go_by_the_hundred() -> None:
    with standing_in(World(Clock(NIGHT), [page(place) for place in range(1, 251)])) as standin:
        read = night(standin, *(FIRST + place for place in range(250)))
        assert {outcome(record) for record in read.values()} == {("400", None)}
        assert [asked.parameters["uids"].count(",") + 1 for asked in standin.log] == [100, 100, 50]


def test_pages_that_have_no_number_say_why(standin: StandIn) -> None:
    standin.world.pages[:4] = [
        page(1, deactivated="banned"),
        page(2, deactivated="deleted"),
        page(3, is_closed=True),
        page(4, tells_members=False),
    ]
    read = night(standin, *range(FIRST, FIRST + 5), "town2", "nobody", "страница", "a,b")
    assert {name: outcome(record) for name, record in read.items()} == {
        str(FIRST): (None, "blocked"),
        str(FIRST + 1): (None, "absent"),
        str(FIRST + 2): (None, "closed"),
        str(FIRST + 3): (None, "no_count"),
        str(FIRST + 4): ("400", None),
        "town2": (None, "not_found"),
        "nobody": (None, "not_found"),
        "страница": (None, "bad_id"),
        "a,b": (None, "bad_id"),
    }


@pytest.mark.parametrize(("value", "shown"), [("abc", '"abc"'), (-5, "-5"), (True, "true"), ([], "[]")])
def test_a_number_that_is_none_is_a_bad_answer_and_never_lost(standin: StandIn, value: Any, shown: str) -> None:
    standin.faults.append(Fault("ok", "wrong_type", field="[].members_count", value=value))
    record = night(standin, FIRST)[str(FIRST)]
    assert outcome(record) == (None, "bad_answer")
    assert record.values["not_read_detail"] == f"members_count: {shown}"
    assert record.values["name"] == "Город 1"


@pytest.mark.parametrize("code", [2, 8])
@pytest.mark.parametrize("method", ["url.getInfo", "group.getInfo"])
def test_trouble_that_passes_is_asked_through(standin: StandIn, code: int, method: str) -> None:
    standin.faults.append(Fault("ok", "error", match=method, code=code, times=4))
    assert outcome(night(standin, "town1")["town1"]) == ("400", None)
    assert asked_methods(standin).count(method) == 5


@pytest.mark.parametrize("code", [2, 8, 1])
@pytest.mark.parametrize("method", ["url.getInfo", "group.getInfo"])
def test_trouble_that_stays_is_recorded_with_its_number(standin: StandIn, code: int, method: str) -> None:
    standin.faults.append(Fault("ok", "error", match=method, code=code, times=None))
    record = night(standin, "town1")["town1"]
    assert outcome(record) == (None, "no_answer")
    assert str(record.values["not_read_detail"]).startswith(f"OK {code}: ")


def test_a_limit_stops_the_method_for_the_rest_of_the_pages(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ok, "BATCH", 2)
    standin.faults.append(Fault("ok", "error", match="group.getInfo", code=11, after=1, times=None))
    read = night(standin, *range(FIRST, FIRST + 7))
    assert [outcome(read[str(FIRST + place)]) for place in range(7)] == [("400", None)] * 2 + [(None, "limit")] * 5
    assert asked_methods(standin) == ["group.getInfo"] * 2


@pytest.mark.parametrize("code", [101, 102, 103, 104])
@pytest.mark.parametrize("method", ["url.getInfo", "group.getInfo"])
def test_refused_credentials_stop_loudly(standin: StandIn, code: int, method: str) -> None:
    standin.faults.append(Fault("ok", "error", match=method, code=code))
    with pytest.raises(CredentialsError, match=rf"ok_pages.*error {code}"):
        night(standin, "town1")


PAGE_ERRORS = [(9, "blocked"), (10, "forbidden"), (100, "bad_id"), (160, "bad_id"), (300, "not_found")]


@pytest.mark.parametrize(("code", "reason"), PAGE_ERRORS)
def test_an_error_of_one_page_costs_no_other(standin: StandIn, code: int, reason: str) -> None:
    standin.faults.append(Fault("ok", "error", match=str(FIRST + 4), code=code, times=None))
    read = night(standin, *range(FIRST, FIRST + 7))
    assert outcome(read.pop(str(FIRST + 4))) == (None, reason)
    assert {outcome(record) for record in read.values()} == {("400", None)}


@pytest.mark.parametrize(("code", "reason"), PAGE_ERRORS)
def test_an_error_of_one_name_costs_no_other(standin: StandIn, code: int, reason: str) -> None:
    standin.faults.append(Fault("ok", "error", match="https://ok.ru/town2", code=code, times=None))
    read = night(standin, "town1", "town2", "town3")
    assert [outcome(read[name]) for name in ("town1", "town2", "town3")] == [
        ("400", None),
        (None, reason),
        ("400", None),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("ok", "status", code=502, times=None), "no_answer"),
        (Fault("ok", "status", code=403, times=None), "no_answer"),
        (Fault("ok", "cut", times=None), "no_answer"),
        (Fault("ok", "bad_json", times=None), "bad_answer"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_no_usable_answer_is_a_record_for_every_page(standin: StandIn, fault: Fault, reason: str) -> None:
    standin.faults.append(replace(fault))
    read = night(standin, FIRST, "town2")
    assert [outcome(record) for record in read.values()] == [(None, reason)] * 2


@pytest.mark.parametrize("wrong", ["login", "password", "access_token"])
def test_what_ok_refuses_is_named_without_any_secret(standin: StandIn, wrong: str) -> None:
    right = connection(standin)
    bad = (
        replace(right, extra={**right.extra, "access_token": "secret-of-ok"})
        if wrong == "access_token"
        else replace(right, **{wrong: "secret-of-ok"})
    )
    for ask in (lambda: ok.check(bad), lambda: list(ok.pull(bad, INTERVAL, [entry(FIRST)], live=True))):
        with pytest.raises(CredentialsError, match="ok_pages") as raised:
            ask()
        told = str(raised.value) + repr(raised.value)
        assert not any(secret in told for secret in ("secret-of-ok", str(right.password), right.extra["access_token"]))


def test_a_wrong_signature_is_what_a_wrong_secret_key_means(standin: StandIn) -> None:
    with pytest.raises(CredentialsError, match=r"error 104.*connection's password"):
        ok.check(replace(connection(standin), password="another"))


def test_secrets_are_in_no_address_and_no_answer(standin: StandIn) -> None:
    known = standin.credentials
    standin.faults.append(
        Fault("ok", "extra_field", match="group.getInfo", field="[].echo", value=known.ok_access_token)
    )
    answers = list(ok.pull(connection(standin), INTERVAL, [entry("town1")], live=True))
    assert len(answers) == 2
    for secret in (known.ok_access_token, known.ok_application_secret):
        assert not any(secret in answer.as_line() for answer in answers)
        assert not any(secret in asked.path + asked.query for asked in standin.log)
    assert not any(known.ok_application_secret.encode() in asked.body for asked in standin.log)


def test_check_tells_the_moment_by_oks_clock(standin: StandIn) -> None:
    assert timedelta(0) <= ok.check(connection(standin)) - NIGHT < timedelta(seconds=5)


def test_check_names_the_connection_that_gives_no_answer(standin: StandIn) -> None:
    standin.faults.append(Fault("ok", "status", code=503, times=None))
    with pytest.raises(SourceError, match=r"ok_pages.*HTTP 503"):
        ok.check(connection(standin))


def test_a_past_night_is_told_by_trends_alone(standin: StandIn) -> None:
    past = Interval.of_days(date(2022, 12, 9), date(2022, 12, 11), ZONE)
    record = night(standin, FIRST, live=False, interval=past)[str(FIRST)]
    # The latest day within the interval is the 11th, at the time that OK gives it.
    assert record.values == {
        "page_id": f"ok:{FIRST}",
        "network": "ok",
        "external_id": str(FIRST),
        "observed_at": datetime(2022, 12, 10, 19, 0, tzinfo=UTC).isoformat(),
        "method": "trend",
        "members_count": "200",
        "not_read": None,
        "not_read_detail": None,
    }
    assert asked_methods(standin) == ["group.getStatTrends"]


def test_a_past_night_that_ok_does_not_tell_of_says_why(standin: StandIn) -> None:
    standin.world.pages[:2] = [page(1, tells_members=False), page(2, deactivated="banned")]
    standin.faults.append(Fault("ok", "error", match=f"gid={FIRST + 2}&", code=10))
    past = Interval.of_day(date(2022, 12, 11), ZONE)
    read = night(standin, *range(FIRST, FIRST + 4), "nobody", "страница", live=False, interval=past)
    assert [outcome(record) for record in read.values()] == [
        (None, "no_count"),
        (None, "blocked"),
        (None, "forbidden"),
        ("200", None),
        (None, "not_found"),
        (None, "bad_id"),
    ]
    assert {record.values["observed_at"] for record in read.values()} == {
        past.start.isoformat(),
        past.start.astimezone(UTC).isoformat(),
    }
    assert {record.values["method"] for record in read.values()} == {"trend"}


def test_a_point_outside_the_interval_is_not_of_it(standin: StandIn) -> None:
    points = [
        {"time": int((INTERVAL.end + shift).timestamp() * 1000), "value": 5} for shift in (timedelta(0), timedelta(-2))
    ]
    standin.faults.append(Fault("ok", "wrong_type", match="Trends", field="members_count", value=points))
    record = night(standin, FIRST, live=False)[str(FIRST)]
    assert outcome(record) == (None, "no_count")


def test_a_past_number_that_is_none_is_a_bad_answer(standin: StandIn) -> None:
    standin.faults.append(Fault("ok", "wrong_type", field="members_count[].value", value="abc"))
    assert outcome(night(standin, FIRST, live=False)[str(FIRST)]) == (None, "bad_answer")


def test_the_limit_is_used_and_never_exceeded() -> None:
    with standing_in(World(Clock(NIGHT), [page(place) for place in range(1, 41)]), limits=True) as standin:
        settings = connection(standin)
        paced = replace(settings, extra={"access_token": settings.extra["access_token"], "first_wait": "0.001"})
        names = [entry(f"town{place}") for place in range(1, 41)]
        read = rows(list(ok.pull(paced, INTERVAL, names, live=True)))
        resolved = [asked for asked in standin.log if asked.parameters["method"] == "url.getInfo"]
    assert {outcome(record) for record in read.values()} == {("400", None)}
    assert not any(asked.refused for asked in standin.log)
    assert len(resolved) == 40
    assert resolved[-1].arrived - resolved[0].arrived <= 39 / ok.RATE / 0.9


NAMES = st.sampled_from(["groups", "error_code", "members_count", "uid", "type", "objectId", "time", "value"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([1672426800000, "GROUP"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | NAMES, inner),
    max_leaves=8,
)
FIELDS = ("members_count", "name", "cover", "blocked", "access_type", "description", "pic_avatar", "gos_org")
GROUP = st.fixed_dictionaries({"uid": st.sampled_from(["1", "2", 1, None])}, optional=dict.fromkeys(FIELDS, JSON))
POINT = st.fixed_dictionaries({"time": st.just(1672426800000) | JSON, "value": JSON})
BODY = st.one_of(
    JSON,
    st.lists(GROUP | JSON),
    st.builds(lambda points: {"members_count": points}, st.lists(POINT) | JSON),
    st.builds(lambda code: {"error_code": code}, JSON | st.sampled_from([9, 11, 103])),
).map(json.dumps)
DAMAGED = st.one_of(st.none(), st.text(), BODY, st.builds(lambda body, cut: body[:cut], BODY, st.integers(0, 60)))


@settings(max_examples=300, deadline=None)
@given(st.tuples(DAMAGED, DAMAGED, DAMAGED), st.sampled_from([None, "limit", "HTTP 502"]))
def test_every_page_asked_about_is_a_record_whatever_was_answered(
    bodies: tuple[str | None, ...], trouble: str | None
) -> None:
    pages = [{"page_id": f"p{uid}", "external_id": uid, "uid": uid} for uid in ("1", "2", "3")]
    named = [{"page_id": f"p{name}", "external_id": name} for name in ("one", "two")]
    span = {"start": INTERVAL.start.isoformat(), "end": INTERVAL.end.isoformat()}
    asked: list[dict[str, Any]] = [
        {"method": "url.getInfo", "pages": named},
        {"method": "group.getInfo", "pages": pages[:2]},
        {"method": "group.getStatTrends", "page": pages[2], **span},
    ]
    answers = [Answer(question, NIGHT, body, trouble) for question, body in zip(asked, bodies, strict=True)]
    (records,) = ok.read(answers)
    assert isinstance(records, Records)
    assert sorted(str(record.values["page_id"]) for record in records.rows) == ["p1", "p2", "p3", "pone", "ptwo"]
    for record in records.rows:
        number, reason = outcome(record)
        assert (number is None) != (reason is None)
        assert number is None or (number.isascii() and number.isdigit())
