"""A system that changes the fields of its answers: the night goes on, and the change is told once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, ServiceRequest, World
from otklik.pulls import pull_requests
from otklik.settings import Settings
from tests.fixtures.files import ZONE, Centre
from tests.fixtures.registers import (
    connection,
    evening,
    night,
    page,
    pages_night,
    register_pages,
    register_region,
    register_surveys,
    surveys_night,
)
from tests.fixtures.standin import StandIn, standing_in
from tests.fixtures.surveys import survey

FIRST = date(2022, 6, 3)
DAYS = [FIRST + timedelta(days=number) for number in range(4)]

Night = Callable[[StandIn, Settings, date], Any]


@contextmanager
def at(day: date, world: World) -> Iterator[StandIn]:
    """The stand-ins of a world in the evening of a day."""
    clock = Clock(datetime.combine(day, time(23, 30), ZONE))
    with standing_in(replace(world, clock=clock)) as standin:
        yield standin


def network(name: str) -> Night:
    return lambda standin, settings, day: pages_night(standin, settings, evening(day), [name])


def system(name: str) -> Night:
    # The stand-in's evening comes before the day ends.
    return lambda standin, settings, day: surveys_night(standin, settings, day, [name])


def requests(standin: StandIn, settings: Settings, day: date) -> Any:
    return pull_requests(connection(standin, "open311"), night(day), settings)


def world() -> World:
    """Three pages of a network, a survey of a system with two responses, two requests; all known to the registers."""
    received = datetime.combine(FIRST, time(10), ZONE)
    return World(
        Clock(received),
        [page(name, number) for name in ("vk", "ok") for number in (1, 2, 3)],
        [survey("limesurvey", "1001", 2), survey("kobo", "1002", 2)],
        [ServiceRequest(number, "open", "pothole", "Ямы", "Дороги", received, received) for number in ("101", "102")],
    )


def nights(centre: Centre, run: Night, *faults: Fault | None) -> None:
    """Run a night after the other, each with its fault for every answer."""
    for day, fault in zip(DAYS, faults, strict=False):
        told = world()
        with at(day, told) as standin:
            standin.faults += [replace(fault, times=None)] if fault else []
            run(standin, centre.settings, day)


def changes(centre: Centre) -> list[tuple[Any, ...]]:
    """Return (kind, field, change, types before, types after) in the order in which they were told."""
    rows = centre.query(
        "select kind, field, change, types_before, types_after from quality.schema_change order by schema_change_id"
    )
    return [tuple(row.values()) for row in rows]


def reasons(centre: Centre) -> list[tuple[str, str | None]]:
    rows = centre.query(
        "select why->>'code' as code, why->>'column' as col from raw.rejected_row, jsonb_array_elements(reasons) as why"
        " order by rejected_row_id"
    )
    return [tuple(row.values()) for row in rows]


def snapshots(centre: Centre) -> list[list[tuple[int | None, str | None]]]:
    """What each night knows of its pages."""
    rows = centre.query("select batch_id, members_count, not_read from raw.page_snapshot order by batch_id, page_id")
    batches = dict.fromkeys(row["batch_id"] for row in rows)
    return [[(row["members_count"], row["not_read"]) for row in rows if row["batch_id"] == batch] for batch in batches]


@pytest.fixture(autouse=True)
def registered(centre: Centre) -> None:
    """The registers that name what the world has."""
    register_region(centre.settings)
    register_pages(centre.settings, world().pages, FIRST)
    register_surveys(centre.settings, world().surveys, FIRST)


PAGES = [("vk", "getById", "response.groups[]", "vk.page"), ("ok", "group.getInfo", "[]", "ok.page")]
READ = [(375, None)] * 3


@pytest.mark.parametrize(("name", "match", "where", "kind"), PAGES)
def test_a_field_that_a_network_adds_is_told_once(centre: Centre, name: str, match: str, where: str, kind: str) -> None:
    new = Fault(name, "extra_field", match, field=f"{where}.subscribers", value=7)
    nights(centre, network(name), None, new, new)
    assert changes(centre) == [(kind, "group.subscribers", "appeared", None, ["number"])]
    assert snapshots(centre) == [READ] * 3


@pytest.mark.parametrize(("name", "match", "where", "kind"), PAGES)
def test_a_count_that_vanishes_from_all_pages_is_told_once_and_unknown(
    centre: Centre, name: str, match: str, where: str, kind: str
) -> None:
    gone = Fault(name, "missing_field", match, field=f"{where}.members_count")
    nights(centre, network(name), None, gone, gone, None)
    assert changes(centre) == [
        (kind, "group.members_count", "vanished", ["number"], None),
        (kind, "group.members_count", "appeared", None, ["number"]),
    ]
    assert snapshots(centre) == [READ, [(None, "no_count")] * 3, [(None, "no_count")] * 3, READ]


@pytest.mark.parametrize(("name", "match", "where", "kind"), PAGES)
def test_a_count_of_another_type_is_told_once_and_a_bad_answer(
    centre: Centre, name: str, match: str, where: str, kind: str
) -> None:
    wrong = Fault(name, "wrong_type", match, field=f"{where}.members_count", value="375 чел.")
    nights(centre, network(name), None, wrong, wrong)
    assert changes(centre) == [(kind, "group.members_count", "retyped", ["number"], ["string"])]
    assert snapshots(centre) == [READ, [(None, "bad_answer")] * 3, [(None, "bad_answer")] * 3]


def test_groups_that_go_missing_are_one_change_and_not_one_of_each_field(centre: Centre) -> None:
    nights(centre, network("vk"), None, Fault("vk", "wrong_type", "getById", field="response.groups", value=[]))
    assert [change for change in changes(centre) if change[1].startswith("group.")] == []
    assert snapshots(centre) == [READ, [(None, "absent")] * 3]


def test_fields_of_kobos_submissions_that_come_go_and_change_are_told_and_the_rest_is_read(centre: Centre) -> None:
    added = Fault("kobo", "extra_field", "/data/", field="results[]._validation", value={"by": "x"})
    gone = Fault("kobo", "missing_field", "/data/", field="results[].start")
    number = Fault("kobo", "wrong_type", "/data/", field="results[].start", value=1654056000)
    nights(centre, system("kobo"), None, added, gone, number)
    assert changes(centre) == [
        ("kobo.response", "_validation", "appeared", None, ["object"]),
        ("kobo.response", "_validation.by", "appeared", None, ["string"]),
        ("kobo.response", "_validation", "vanished", ["object"], None),
        ("kobo.response", "start", "vanished", ["string"], None),
        ("kobo.response", "start", "appeared", None, ["number"]),
    ]
    assert reasons(centre) == [("bad_time", "started_at")] * 2
    assert len(centre.query("select distinct response_id from raw.survey_response where started_at is null")) == 2


def test_a_submission_without_its_number_is_rejected_with_a_reason_and_kept(centre: Centre) -> None:
    nights(centre, system("kobo"), Fault("kobo", "missing_field", "/data/", field="results[]._id"))
    assert ("missing", "response_id") in reasons(centre)
    [first, _] = centre.query(
        "select original from raw.rejected_row inner join raw.batch using (batch_id)"
        " where entity = 'survey_response' order by row_number"
    )
    assert first["original"]["_submission_time"] == "2022-06-01T05:05:00"
    assert centre.query("select * from raw.survey_response") == []


def test_a_request_without_its_number_is_rejected_with_a_reason_and_kept(centre: Centre) -> None:
    gone = Fault("open311", "missing_field", field="[].service_request_id")
    nights(centre, requests, None, replace(gone))
    assert set(reasons(centre)) == {("missing", "message_id"), ("missing", "incident_id")}
    found = centre.query("select original->>'service_name' as name from raw.rejected_row")
    assert [row["name"] for row in found] == ["Ямы", "Ямы"]
    assert ("open311.request", "service_request_id", "vanished", ["string"], None) in changes(centre)
    assert len(centre.query("select * from raw.incident")) == 2


def test_structure_and_cells_of_limesurvey_change_and_the_night_goes_on(centre: Centre) -> None:
    added = Fault("limesurvey", "extra_field", "list_questions", field="result[].encrypted", value="N")
    retyped = Fault("limesurvey", "wrong_type", "list_questions", field="result[].question_order", value="первый")
    vanished = Fault("limesurvey", "missing_field", "list_questions", field="result[].question")
    nights(centre, system("limesurvey"), None, added, retyped, vanished)
    told = [change for change in changes(centre) if change[0] == "limesurvey.question"]
    assert ("limesurvey.question", "encrypted", "appeared", None, ["string"]) in told
    assert ("limesurvey.question", "question_order", "retyped", ["number"], ["string"]) in told
    assert ("limesurvey.question", "question", "vanished", ["string"], None) in told
    assert {row["n"] for row in centre.query("select count(distinct response_id) as n from raw.survey_response")} == {2}
