"""Whatever an answer of an outside system holds, the night goes on and everything in it is accounted for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.answers import AnswerLoad
from otklik.demo.standin.world import ChannelPost, Clock, ServiceRequest, World
from otklik.settings import Settings
from otklik.sources.records import Answer
from otklik.sources.registry import PageEntry, SurveyEntry
from otklik.sources.systems import NETWORKS, SURVEY_SYSTEMS, SYSTEMS
from otklik.warehouse.ledger import BatchReport
from tests.fixtures.files import Centre, csv_text
from tests.fixtures.registers import (
    NOW,
    connection,
    evening,
    external_id,
    night,
    page,
    page_id,
    register_region,
)
from tests.fixtures.standin import StandIn, standing_in
from tests.fixtures.surveys import survey

# Of each system; a thousand in all.
EXAMPLES = 112
NUMBERS = count(1)
CHAT = -1001500000001
Answers = dict[str, list[Answer]]
Warehouse = psycopg.Connection[Any]


def world() -> World:
    """Pages that can be read and pages that cannot, a survey with questions of each kind, requests and posts."""
    hours = [NOW - timedelta(hours=number) for number in range(1, 5)]
    pages = [
        replace(made, posts=tuple(hours))
        for name in NETWORKS
        for made in (page(name, 1), page(name, 2, 0), page(name, 3, is_closed=True), page(name, 4))
    ]
    requests = [ServiceRequest(str(n), "open", "pit", "Ямы", "Дороги", at, at) for n, at in enumerate(hours)]
    posts = [ChannelPost(n, n, at, f"Остывший обед {n}", f"Житель {n}") for n, at in enumerate(hours, start=1)]
    return World(Clock(NOW), pages, [survey(name, "1001", 4, left=1) for name in SURVEY_SYSTEMS], requests, posts)


def real_answers(standin: StandIn, name: str) -> Iterator[Answer]:
    module, asking = SYSTEMS[name].module, connection(standin, name, chat="@school_meals_66", reach="true")
    if name in NETWORKS:
        pages = [PageEntry(page_id(made), name, external_id(made)) for made in standin.world.pages]
        yield from module.pull(
            asking, evening(), [entry for entry in pages if entry.page_id.startswith(name)], live=True
        )
    elif name in SURVEY_SYSTEMS:
        yield from module.pull(asking, night(), [SurveyEntry("meals", name, "1001")])
    elif name == "open311":
        yield from module.pull(asking, night(), None)
    else:
        yield from module.pull(asking)


@pytest.fixture(scope="module")
def answers(module_warehouse: Settings) -> Answers:
    """System -> what it answers when nothing is wrong."""
    register_region(module_warehouse)
    with standing_in(world()) as standin:
        return {name: list(real_answers(standin, name)) for name in SYSTEMS}


@pytest.fixture(scope="module")
def warehouse_now(module_warehouse: Settings) -> Iterator[Warehouse]:
    """A look at the warehouse, each time as it is by then."""
    with psycopg.connect(module_warehouse.dsn("engineer"), autocommit=True) as connection:
        yield connection


# What one value of JSON becomes.
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            10**30,
            -(2**63),
            1e308,
            "\0",
            "\ud800",
            "a\0b\udfff",
            "ё" * 3_000,
            [],
            {},
            [[]],
            {"": {"": None}},
            "2022-13-45T99:99:99",
            "9999999-01-01T00:00:00+05:00",
            {"status": "Error: Invalid survey ID"},
            {"error_code": 102},
        ]
    ),
)
PLACES = st.floats(0, 1, exclude_max=True)
DEPTHS = st.sampled_from([40, 400, 900, 5_000])
NAMES = st.sampled_from(["", "id", "error", "a.b", "ё\0", "\ud83d", "n" * 5_000]) | st.text(max_size=8)


def cut(body: str, place: float) -> str:
    return body[: int(len(body) * place)]


def flipped(body: str, place: float, mask: int) -> str:
    data = bytearray(body.encode("utf-8", "surrogatepass"))
    if data:
        data[int(len(data) * place)] ^= mask
    return data.decode("utf-8", "backslashreplace")


def inserted(body: str, place: float, scrap: str) -> str:
    at = int(len(body) * place)
    return body[:at] + scrap + body[at:]


def edited(body: str, place: float, edit: Callable[[Any, Any], None]) -> str:
    """Return the body with one of its values changed by `edit(container, key)`."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body
    holder = {"": said}
    found = list(nodes(holder))
    edit(*found[int(len(found) * place)])
    return json.dumps(holder[""]) if holder else ""


def nodes(container: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in list(container.items() if isinstance(container, dict) else enumerate(container)):
        yield container, key
        if isinstance(value, dict | list):
            yield from nodes(value)


def swap(value: Any) -> Callable[[Any, Any], None]:
    def edit(container: Any, key: Any) -> None:
        container[key] = value

    return edit


def drop(container: Any, key: Any) -> None:
    del container[key]


def add(name: str, value: Any) -> Callable[[Any, Any], None]:
    def edit(container: Any, key: Any) -> None:
        inner = container[key]
        if isinstance(inner, dict):
            inner[name] = value
        elif isinstance(inner, list):
            inner.append(value)
        else:
            container[key] = {name: inner}

    return edit


def twice(container: Any, key: Any) -> None:
    if isinstance(container[key], list):
        container[key] *= 2
    else:
        container[key] = [container[key], container[key]]


def nested(body: str, place: float, depth: int, *, in_lists: bool) -> str:
    """Return the body with a value wrapped so many times; written by hand, for no writer goes so deep."""
    marked = edited(body, place, swap("<here>"))
    around = ("[" * depth, "]" * depth) if in_lists else ('{"a":' * depth, "}" * depth)
    return marked.replace('"<here>"', "1".join(around))


SCRAPS = st.sampled_from(["\0", "\\u0000", "\\ud800", '"', "{", "]", ",", "1e999", "NaN", "-Infinity", "9" * 5_000])
DAMAGE = st.one_of(
    st.tuples(st.just(cut), PLACES),
    st.tuples(st.just(flipped), PLACES, st.integers(1, 255)),
    st.tuples(st.just(inserted), PLACES, SCRAPS),
    st.tuples(st.just(edited), PLACES, st.builds(swap, VALUES)),
    st.tuples(st.just(edited), PLACES, st.builds(swap, VALUES)),
    st.tuples(st.just(edited), PLACES, st.just(drop)),
    st.tuples(st.just(edited), PLACES, st.builds(add, NAMES, VALUES)),
    st.tuples(st.just(edited), PLACES, st.just(twice)),
    st.tuples(st.just(lambda body, place, depth: nested(body, place, depth, in_lists=True)), PLACES, DEPTHS),
    st.tuples(st.just(lambda body, place, depth: nested(body, place, depth, in_lists=False)), PLACES, DEPTHS),
)
BLOWS = st.lists(st.tuples(PLACES, DAMAGE), min_size=1, max_size=4)


def damaged(whole: list[Answer], blows: list[Any]) -> list[Answer]:
    """Return the answers, some of them damaged; where blows fall twice on one, it has no body at the end."""
    found = list(whole)
    for place, (damage, *how) in blows:
        at = int(len(found) * place)
        answer = found[at]
        if answer.body is not None:
            found[at] = replace(answer, body=damage(answer.body, *how))
    return found


def parsed(answer: Answer) -> Any:
    try:
        return json.loads(answer.body or "")
    except (ValueError, RecursionError):
        return None


def things(name: str, answers: list[Answer]) -> tuple[str, int, int]:
    """The entity that is counted, and how many there must be at least and at most: counted past our own reading."""
    if name in NETWORKS:
        return "page_snapshot", 4, 4
    field = {"limesurvey": "responses", "yandex_forms": "answers", "kobo": "results", "telegram_channel": "result"}
    bodies = [parsed(answer) for answer in answers if answer.asked.get("what", "responses") == "responses"]
    if name != "open311":
        bodies = [body.get(field[name]) if isinstance(body, dict) else None for body in bodies]
    most = sum(len(body) if isinstance(body, list) else 1 for body in bodies)
    if name != "telegram_channel":
        return ("incident" if name == "open311" else "survey_response"), most, most
    return "incident", sum(is_post(each) for body in bodies if isinstance(body, list) for each in body), most


def is_post(update: Any) -> bool:
    post = update.get("channel_post") if isinstance(update, dict) else None
    chat = post.get("chat") if isinstance(post, dict) else None
    return isinstance(chat, dict) and chat.get("id") == CHAT


@pytest.mark.parametrize("name", SYSTEMS)
def test_whatever_a_system_answers_everything_in_it_is_loaded_or_refused_with_a_reason(
    module_warehouse: Settings, warehouse_now: Warehouse, answers: Answers, name: str
) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(blows=BLOWS)
    def hold(blows: list[Any]) -> None:
        accounted_for(module_warehouse, warehouse_now, name, damaged(answers[name], blows))

    hold()


# As they are written: what a program of theirs may write and ours must take.
HOSTILE = {
    "a number without end": "1e999",
    "no number": "[NaN, -Infinity]",
    "five thousand digits": "9" * 5_000,
    "four thousand digits": "9" * 4_000,
    "halves of letters": '"\\ud800 \\u0000 \\udfff"',
    "a name without end": '{"' + "n" * 9_000 + '": 1}',
    **{f"{depth} lists": "[" * depth + "]" * depth for depth in (90, 470, 900, 50_000)},
    **{f"{depth} objects": '{"a":' * depth + "1" + "}" * depth for depth in (90, 470, 900, 50_000)},
}
IDS = {"id", "_id", "service_request_id", "message_id", "name", "members_count", "title"}


@pytest.mark.parametrize("name", SYSTEMS)
def test_values_that_no_program_expects_are_taken_in_every_object_with_its_id_or_without(
    module_warehouse: Settings, warehouse_now: Warehouse, answers: Answers, name: str
) -> None:
    for written in HOSTILE.values():
        for ids in (set[str](), IDS):
            hostile = [replace(answer, body=everywhere(answer.body or "", ids, written)) for answer in answers[name]]
            accounted_for(module_warehouse, warehouse_now, name, hostile)


def test_a_number_that_has_no_end_or_is_none_is_refused_and_never_a_number(centre: Centre) -> None:
    fields = ["survey_id", "response_id", "question_code", "number"]
    mapping = centre.mapping(entity="survey_answer", fields={name: name for name in fields})
    rows = [["s", str(place), "q", number] for place, number in enumerate(["NaN", "inf", "-Infinity", "1e999", "2.5"])]
    centre.load(centre.write(csv_text(rows, fields)), mapping)
    assert centre.query("select response_id, number from raw.survey_answer") == [{"response_id": "4", "number": 2.5}]
    assert [why for why in centre.rejections() if why[2]] == [(row, "bad_number", "number") for row in (2, 3, 4, 5)]


def everywhere(body: str, without: set[str], written: str) -> str:
    """Return the body with a field `new` in every object, and without some fields."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: changed(inner) for key, inner in value.items() if key not in without}
            return kept | {"new": "<here>"}
        return [changed(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(changed(json.loads(body))).replace('"<here>"', written)


def accounted_for(to: Settings, warehouse: Warehouse, name: str, answers: list[Answer]) -> None:
    """Load the answers, and compare the ledger with what they hold and with what the warehouse holds."""
    load = AnswerLoad(SYSTEMS[name], "66", night(date(2022, 12, 31)), to)
    told = load.land_and_load(f"66-{next(NUMBERS):04}", answers)
    entity, least, most = things(name, answers)
    [counted] = [report for report in told.reports if report.entity == entity]
    assert least <= counted.rows_read <= most
    if name in NETWORKS:
        assert counted.rows_rejected == 0
    assert all(adds_up(warehouse, report) for report in told.reports)


def adds_up(warehouse: Warehouse, report: BatchReport) -> bool:
    """Tell whether the warehouse holds what a line of the ledger says, and a reason for everything refused."""
    found = warehouse.execute(
        f"select count(*) filter (where row_number > 0), count(*) filter (where is_deleted and row_number < 0)"  # noqa: S608
        f" from raw.{report.entity} where batch_id = %s",
        [report.batch_id],
    ).fetchone()
    refused = warehouse.execute(
        "select count(*), count(*) filter (where reasons->0->>'code' <> '') from raw.rejected_row where batch_id = %s",
        [report.batch_id],
    ).fetchone()
    assert report.rows_read == report.rows_loaded + report.rows_rejected + report.rows_unchanged
    return found == (report.rows_loaded, report.rows_deleted) and refused == (report.rows_rejected,) * 2
