"""VK's pages over real HTTP, from the stand-in that speaks its protocol."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Page, World
from otklik.errors import CredentialsError, SourceError
from otklik.interval import Interval
from otklik.sources import vk
from otklik.sources.connection import Connection
from otklik.sources.records import Answer, Record, Records
from otklik.sources.registry import PageEntry
from tests.fixtures.standin import StandIn, standing_in

NIGHT = datetime(2022, 12, 31, 18, 0, tzinfo=UTC)
INTERVAL = Interval(NIGHT - timedelta(days=1), NIGHT + timedelta(hours=1))
MEMBERS = ((date(2022, 1, 1), 100), (date(2022, 12, 31), 375))


def page(number: int, **fields: Any) -> Page:
    values = {"network": "vk", "short_name": f"town{number}_adm", "title": f"Город {number}", "audience": MEMBERS}
    return Page(number=number, **values | fields)


def entry(external_id: str | int) -> PageEntry:
    return PageEntry(f"vk:{external_id}", "vk", str(external_id))


def connection(standin: StandIn, **extra: str) -> Connection:
    settings = {"rate": "0", "first_wait": "0.001"} | extra
    return Connection("vk_pages", f"{standin.url}/vk", password=standin.credentials.vk_token, extra=settings)


def rows(answers: list[Answer]) -> dict[str, Record]:
    """Return the records by page, read out of the answers as they come back from the landing zone."""
    landed = [Answer.of_line(answer.as_line()) for answer in answers]
    records = [record for records in vk.read(landed) if isinstance(records, Records) for record in records.rows]
    assert len({record.values["page_id"] for record in records}) == len(records)
    return {str(record.values["external_id"]): record for record in records}


def night(standin: StandIn, *ids: str | int, **extra: str) -> dict[str, Record]:
    return rows(list(vk.pull(connection(standin, **extra), INTERVAL, [entry(each) for each in ids], live=True)))


def outcome(record: Record) -> tuple[str | None, str | None]:
    return record.values["members_count"], record.values["not_read"]


@pytest.fixture
def world() -> World:
    return World(Clock(NIGHT), [page(number) for number in range(1, 8)])


@pytest.fixture
def standin(world: World) -> Iterator[StandIn]:
    with standing_in(world) as standin:
        yield standin


def test_a_page_is_read_whole_at_the_moment_by_vks_clock(standin: StandIn) -> None:
    standin.world.pages[0] = page(
        1,
        description="Официальная страница",
        is_verified=True,
        has_government_mark=True,
        has_cover=False,
        weekly_reach=1234,
        posts=tuple(NIGHT - timedelta(days=days) for days in (1, 3, 6, 8)),
    )
    record = night(standin, "club1", reach="true")["club1"]
    assert datetime.fromisoformat(str(record.values.pop("observed_at"))) - NIGHT < timedelta(seconds=5)
    assert record.values == {
        "page_id": "vk:club1",
        "network": "vk",
        "external_id": "club1",
        "method": "live",
        "members_count": "375",
        "not_read": None,
        "not_read_detail": None,
        "name": "Город 1",
        "is_verified": "true",
        "has_description": "true",
        "has_avatar": "true",
        "has_cover": "false",
        "has_government_mark": "true",
        "posts_7_days": "3",
        "reach_7_days": "1234",
    }
    assert sorted(record.original) == ["group", "wall"]


def test_a_page_is_found_however_its_address_was_written(standin: StandIn) -> None:
    ways = ["2", "club2", "public2", "-2", "town2_adm", "@Town2_Adm", "https://vk.com/town2_adm", "vk.com/public2"]
    read = night(standin, *ways)
    assert {outcome(read[way]) for way in ways} == {("375", None)}
    assert [asked.parameters["group_ids"] for asked in standin.log if "getById" in asked.path] == ["2,town2_adm"]


def test_the_answer_of_older_versions_is_read_as_well(standin: StandIn) -> None:
    groups = [{"id": 3, "name": "Три", "screen_name": "town3_adm", "is_closed": 0, "members_count": 33}]
    standin.faults.append(Fault("vk", "wrong_type", match="getById", field="response", value=groups))
    assert outcome(night(standin, 3)["3"]) == ("33", None)


def test_pages_that_have_no_number_say_why(standin: StandIn) -> None:
    standin.world.pages[:5] = [
        page(1, deactivated="banned"),
        page(2, deactivated="deleted"),
        page(3, is_closed=True),
        page(4, tells_members=False),
        page(5, audience=((date(2022, 12, 30), 0),)),
    ]
    read = night(standin, 1, 2, 3, 4, 5, 6, 99, "страница", "a,b")
    assert {name: outcome(record) for name, record in read.items()} == {
        "1": (None, "blocked"),
        "2": (None, "not_found"),
        "3": (None, "closed"),
        "4": (None, "no_count"),
        "5": ("0", None),
        "6": ("375", None),
        "99": (None, "absent"),
        "страница": (None, "bad_id"),
        "a,b": (None, "bad_id"),
    }


@pytest.mark.parametrize(
    ("value", "shown"), [("abc", '"abc"'), (-5, "-5"), (True, "true"), (2.5, "2.5"), ([], "[]"), (2**63, str(2**63))]
)
def test_a_number_that_is_none_is_a_bad_answer_and_never_lost(standin: StandIn, value: Any, shown: str) -> None:
    standin.faults.append(Fault("vk", "wrong_type", field="response.groups[].members_count", value=value))
    record = night(standin, 1)["1"]
    assert outcome(record) == (None, "bad_answer")
    assert record.values["not_read_detail"] == f"members_count: {shown}"
    assert record.values["name"] == "Город 1"


def test_a_mark_that_is_none_does_not_cost_the_number(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "wrong_type", field="response.groups[].verified", value="maybe"))
    record = night(standin, 1)["1"]
    assert outcome(record) == ("375", None)
    assert (record.values["is_verified"], record.values["not_read_detail"]) == (None, 'is_verified: "maybe"')


def test_a_number_that_vanishes_is_not_told(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "missing_field", field="response.groups[].members_count"))
    assert outcome(night(standin, 1)["1"]) == (None, "no_count")


@pytest.mark.parametrize("code", [1, 6, 10])
def test_trouble_that_passes_is_asked_through(standin: StandIn, code: int) -> None:
    standin.faults.append(Fault("vk", "error", match="getById", code=code, times=4))
    assert outcome(night(standin, 1)["1"]) == ("375", None)
    assert [asked.path for asked in standin.log].count("/vk/method/groups.getById") == 5


@pytest.mark.parametrize("code", [1, 6, 10])
def test_trouble_that_stays_is_recorded_with_its_name(standin: StandIn, code: int) -> None:
    standin.faults.append(Fault("vk", "error", match="getById", code=code, times=None))
    record = night(standin, 1)["1"]
    assert outcome(record) == (None, "no_answer")
    assert str(record.values["not_read_detail"]).startswith(f"VK {code}: ")


@pytest.mark.parametrize("code", [9, 29])
def test_a_limit_stops_the_method_for_the_rest_of_the_pages(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(vk, "BATCH", 2)
    standin.faults.append(Fault("vk", "error", match="getById", code=code, after=1, times=None))
    read = night(standin, *range(1, 8))
    assert [outcome(read[str(number)]) for number in range(1, 8)] == [("375", None)] * 2 + [(None, "limit")] * 5
    assert [asked.path for asked in standin.log].count("/vk/method/groups.getById") == 2


@pytest.mark.parametrize("code", [9, 29])
def test_a_limit_of_posts_costs_no_members(standin: StandIn, code: int) -> None:
    standin.faults.append(Fault("vk", "error", match="wall.get", code=code, times=None))
    read = night(standin, *range(1, 8))
    assert {outcome(record) for record in read.values()} == {("375", None)}
    assert {record.values["posts_7_days"] for record in read.values()} == {None}


@pytest.mark.parametrize(
    ("code", "kind"),
    [(5, CredentialsError), (27, CredentialsError), (28, CredentialsError), (14, SourceError), (17, SourceError)],
)
@pytest.mark.parametrize("method", ["groups.getById", "wall.get"])
def test_what_needs_a_person_stops_loudly(standin: StandIn, code: int, kind: type[SourceError], method: str) -> None:
    standin.faults.append(Fault("vk", "error", match=method, code=code))
    with pytest.raises(kind, match="vk_pages") as raised:
        night(standin, 1, 2)
    assert type(raised.value) is kind
    assert f"error {code}" in str(raised.value)


PAGE_ERRORS = [
    (7, "forbidden"),
    (15, "forbidden"),
    (18, "blocked"),
    (30, "closed"),
    (203, "forbidden"),
    (100, "bad_id"),
    (125, "bad_id"),
]


@pytest.mark.parametrize(("code", "reason"), PAGE_ERRORS)
def test_an_error_of_one_page_costs_no_other(standin: StandIn, code: int, reason: str) -> None:
    standin.faults.append(Fault("vk", "error", match="town5_adm", code=code, times=None))
    read = night(standin, 1, 2, 3, 4, "town5_adm", 6, 7)
    assert outcome(read.pop("town5_adm")) == (None, reason)
    assert {outcome(record) for record in read.values()} == {("375", None)}


@pytest.mark.parametrize(("code", "reason"), PAGE_ERRORS)
def test_an_error_of_one_wall_costs_its_posts_only(standin: StandIn, code: int, reason: str) -> None:
    standin.faults.append(Fault("vk", "error", match="owner_id=-5&", code=code, times=None))
    read = night(standin, *range(1, 8))
    assert {outcome(record) for record in read.values()} == {("375", None)}, reason
    assert [name for name, record in read.items() if record.values["posts_7_days"] is None] == ["5"]


def test_an_unknown_error_is_recorded_with_its_code(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "error", match="getById", code=3, times=None))
    record = night(standin, 1)["1"]
    assert outcome(record) == (None, "no_answer")
    assert record.values["not_read_detail"] == 'VK 3: "Error 3"'


@pytest.mark.parametrize(
    ("fault", "reason", "detail"),
    [
        (Fault("vk", "status", code=502, times=None), "no_answer", "HTTP 502"),
        (Fault("vk", "status", code=403, times=None), "no_answer", "HTTP 403"),
        (Fault("vk", "cut", times=None), "no_answer", "RemoteProtocolError"),
        (Fault("vk", "wrong_type", field="response", value=5, times=None), "bad_answer", '"{\\"response\\": 5}"'),
        (Fault("vk", "missing_field", field="response", times=None), "bad_answer", '"{}"'),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_no_usable_answer_is_a_record_for_every_page(standin: StandIn, fault: Fault, reason: str, detail: str) -> None:
    standin.faults.append(replace(fault))
    read = night(standin, 1, 2)
    assert [outcome(record) for record in read.values()] == [(None, reason)] * 2
    assert {record.values["not_read_detail"] for record in read.values()} == {detail}


@pytest.mark.parametrize("fault", ["cut", "bad_json"])
def test_one_damaged_answer_is_asked_for_again(standin: StandIn, fault: Any) -> None:
    standin.faults.append(Fault("vk", fault))
    assert outcome(night(standin, 1)["1"]) == ("375", None)


def test_half_an_answer_lands_and_is_a_bad_one(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "bad_json", times=None))
    (answer,) = vk.pull(connection(standin), INTERVAL, [entry(1)], live=True)
    assert answer.body is not None
    assert answer.body.startswith('{"response":{"groups":[{"id":1')
    assert outcome(rows([answer])["1"]) == (None, "bad_answer")


def test_posts_are_counted_across_pages_of_the_wall_and_no_further(standin: StandIn) -> None:
    posts = tuple(NIGHT - timedelta(minutes=40 * number - 20) for number in range(1, 401))
    standin.world.pages[0] = page(1, posts=posts)
    # A week has 10,080 minutes: the 252nd post is 10,060 old.
    assert night(standin, 1)["1"].values["posts_7_days"] == "252"
    assert [asked.parameters["offset"] for asked in standin.log if "wall" in asked.path] == ["0", "100", "200"]


def test_an_old_pinned_post_does_not_end_the_count(standin: StandIn) -> None:
    pinned = NIGHT - timedelta(days=200)
    posts = (pinned, *(NIGHT - timedelta(hours=number) for number in range(1, 131)), NIGHT - timedelta(days=9))
    standin.world.pages[0] = page(1, posts=posts)
    assert night(standin, 1)["1"].values["posts_7_days"] == "130"


def test_a_wall_that_was_not_read_to_the_week_is_not_counted(standin: StandIn) -> None:
    standin.world.pages[0] = page(1, posts=tuple(NIGHT - timedelta(minutes=number) for number in range(1, 301)))
    standin.faults.append(Fault("vk", "error", match="offset=200", code=15, times=None))
    record = night(standin, 1)["1"]
    assert (outcome(record), record.values["posts_7_days"]) == (("375", None), None)


def test_a_wall_whose_older_posts_did_not_land_is_not_counted(standin: StandIn) -> None:
    standin.world.pages[0] = page(1, posts=tuple(NIGHT - timedelta(minutes=number) for number in range(1, 301)))
    answers = list(vk.pull(connection(standin), INTERVAL, [entry(1)], live=True))
    assert rows(answers)["1"].values["posts_7_days"] == "300"
    landed = [answer for answer in answers if answer.asked.get("offset") != 200]
    assert rows(landed)["1"].values["posts_7_days"] is None


def test_a_page_without_posts_has_none_of_them(standin: StandIn) -> None:
    assert night(standin, 1)["1"].values["posts_7_days"] == "0"


def test_reach_is_asked_for_only_where_the_connection_says_so(standin: StandIn) -> None:
    standin.world.pages[0] = page(1, weekly_reach=50)
    assert night(standin, 1)["1"].values["reach_7_days"] is None
    assert not any("stats" in asked.path for asked in standin.log)
    read = night(standin, 1, 2, reach="true")
    assert [read[name].values["reach_7_days"] for name in ("1", "2")] == ["50", None]
    assert outcome(read["2"]) == ("375", None)


def test_a_past_night_asks_nothing(standin: StandIn) -> None:
    assert list(vk.pull(connection(standin, reach="true"), INTERVAL, [entry(1)], live=False)) == []
    assert standin.log == []


def test_a_wrong_token_is_refused_with_the_connections_name_and_without_the_token(standin: StandIn) -> None:
    wrong = replace(connection(standin), password="secret-token-of-vk")
    for ask in (lambda: vk.check(wrong), lambda: list(vk.pull(wrong, INTERVAL, [entry(1)], live=True))):
        with pytest.raises(CredentialsError, match="vk_pages") as raised:
            ask()
        assert "secret-token-of-vk" not in repr(raised.value) + repr(wrong)


def test_the_token_is_in_no_address_and_no_answer(standin: StandIn) -> None:
    token = standin.credentials.vk_token
    standin.faults.append(Fault("vk", "extra_field", match="getById", field="response.echo", value=token))
    answers = list(vk.pull(connection(standin), INTERVAL, [entry(1)], live=True))
    assert len(answers) == 2
    assert not any(token in answer.as_line() for answer in answers)
    assert not any(token in asked.path + asked.query for asked in standin.log)


def test_check_tells_the_moment_by_vks_clock(standin: StandIn) -> None:
    assert timedelta(0) <= vk.check(connection(standin)) - NIGHT < timedelta(seconds=5)


def test_check_names_the_connection_that_gives_no_answer(standin: StandIn) -> None:
    standin.faults.append(Fault("vk", "status", code=503, times=None))
    with pytest.raises(SourceError, match=r"vk_pages.*HTTP 503"):
        vk.check(connection(standin))


def test_the_limit_is_used_and_never_exceeded() -> None:
    with standing_in(World(Clock(NIGHT), [page(number) for number in range(1, 61)]), limits=True) as standin:
        settings = connection(standin)
        paced = replace(settings, extra={name: settings.extra[name] for name in ("first_wait",)})
        read = rows(list(vk.pull(paced, INTERVAL, [entry(number) for number in range(1, 61)], live=True)))
        walls = [asked for asked in standin.log if "wall.get" in asked.path]
    assert {record.values["posts_7_days"] for record in read.values()} == {"0"}
    assert not any(asked.refused for asked in standin.log)
    assert len(walls) == 60
    assert walls[-1].arrived - walls[0].arrived <= 59 / vk.RATE / 0.9
