"""KoboToolbox over real HTTP, from the stand-in that speaks its API."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock
from otklik.errors import CredentialsError, SourceError
from otklik.sources import kobo
from otklik.sources.connection import Connection
from otklik.sources.records import Answer
from otklik.sources.registry import SurveyEntry
from tests.fixtures.standin import StandIn, standing_in
from tests.fixtures.surveys import (
    INTERVAL,
    NOW,
    OPENED,
    answers,
    change,
    entry,
    listed,
    problems,
    read_again,
    rows,
    survey,
    told,
    troubles,
    world_of,
)


def connection(standin: StandIn, **changes: Any) -> Connection:
    extra = {"rate": "0", "first_wait": "0.001"}
    made = Connection("surveys_kobo", f"{standin.url}/kobo", password=standin.credentials.kobo_token, extra=extra)
    return replace(made, **changes)


def pull(standin: StandIn, *entries: SurveyEntry) -> list[Answer]:
    return list(kobo.pull(connection(standin), INTERVAL, entries))


def test_the_check_tells_the_servers_clock_and_refuses_a_wrong_token() -> None:
    with standing_in(world_of()) as standin:
        assert NOW <= kobo.check(connection(standin)) < NOW + timedelta(seconds=30)
        with pytest.raises(CredentialsError, match="surveys_kobo") as error:
            kobo.check(connection(standin, password="not-the-token"))
        with pytest.raises(CredentialsError, match="surveys_kobo"):
            list(kobo.pull(connection(standin, password="not-the-token"), INTERVAL, [entry(survey("kobo", "a1", 1))]))
    assert "not-the-token" not in str(error.value)


def test_a_server_that_does_not_answer_is_told_with_its_address() -> None:
    with standing_in(world_of()) as standin:
        standin.faults.append(Fault("kobo", "status", code=503, times=None))
        with pytest.raises(SourceError, match=r"surveys_kobo.*/kobo \(HTTP 503\)"):
            kobo.check(connection(standin))


def test_a_form_longer_than_a_page_is_read_back_exactly() -> None:
    world = world_of(survey("kobo", "a1", 2_300, apart=10), survey("kobo", "a2", 40))
    with standing_in(world) as standin:
        came = pull(standin, *map(entry, world.surveys))
        limits = {asked.parameters["limit"] for asked in standin.log if asked.path.endswith("/data/")}
    read = read_again(kobo, came)
    assert limits == {"1000"}
    assert (troubles(came), list(problems(read))) == ({}, [])
    assert answers(read) == sorted(told(world.surveys[0]) + told(world.surveys[1]), key=repr)
    assert listed(read) == {"survey-a1": set(map(str, range(1, 2_301))), "survey-a2": set(map(str, range(1, 41)))}
    assert rows(read, "survey_response")[0].values == {
        "survey_id": "survey-a1",
        "response_id": "1",
        "language": None,
        "started_at": "2022-06-01T04:10:00+00:00",
        "submitted_at": "2022-06-01T04:15:00+00:00",
        "is_complete": "true",
        "updated_at": None,
    }


def test_questions_and_ready_answers_come_with_their_kind_and_language() -> None:
    world = world_of(survey("kobo", "a1", 1))
    with standing_in(world) as standin:
        read = read_again(kobo, pull(standin, entry(world.surveys[0])))
    questions = [record.values for record in rows(read, "survey_question")]
    assert [(each["question_code"], each["subquestion_code"], each["kind"], each["text"]) for each in questions] == [
        ("meal", None, "single", "Ест ли ребёнок в столовой?"),
        ("wrong", None, "multiple", "Что не так?"),
        ("mark", None, "scale", "Оцените питание"),
        ("pause", None, "number", "Сколько минут длится перемена?"),
        ("since", None, "date", "С какого дня?"),
        ("words", None, "open", "Что изменить?"),
        ("rooms", None, "single", "Оцените по отдельности"),
        ("rooms", "r1", "single", "Чистота"),
        ("rooms", "r2", "single", "Вкус"),
    ]
    options = [record.values for record in rows(read, "survey_option")]
    assert ("wrong", "dear", "Дорого", "2", "ru") in {
        (each["question_code"], each["option_code"], each["text"], each["position"], each["language"])
        for each in options
    }
    assert len(options) == 2 + 2 + 5 + 2


def test_an_edit_is_seen_within_the_overlap_and_older_submissions_are_not_asked_for() -> None:
    world = world_of(survey("kobo", "a1", 500))
    with standing_in(world) as standin:
        first = read_again(kobo, pull(standin, entry(world.surveys[0])))
        change(world, 0, 490, answers={"words": "Передумали"}, edited_at=NOW)
        cursor = (OPENED + timedelta(hours=500, minutes=5)).isoformat()
        read = read_again(kobo, pull(standin, entry(world.surveys[0], cursor)))
    ids = [record.values["response_id"] for record in rows(read, "survey_response")]
    # Fourteen days before the last one: 336 hours, one submission an hour.
    assert ids == [str(number) for number in range(500 - 335, 501)]
    assert [each for each in answers(read) if each[0] == "490"] == [("490", "words", None, None, None, "Передумали")]
    assert [each for each in answers(first) if each[0] == "489"] == [each for each in answers(read) if each[0] == "489"]
    versions = {each.original["_uuid"] for each in (*rows(first, "survey_response"), *rows(read, "survey_response"))}
    assert len(versions) == 501
    assert len(listed(read)["survey-a1"]) == 500


def test_a_submission_deleted_at_the_source_is_gone_from_the_listing_and_tomorrows_is_not_there() -> None:
    world = world_of(survey("kobo", "a1", 30))
    world.clock = Clock(OPENED + timedelta(hours=20, minutes=30))
    kept = tuple(each for each in world.surveys[0].responses if each.number != 7)
    world.surveys[0] = replace(world.surveys[0], responses=kept)
    with standing_in(world) as standin:
        read = read_again(kobo, pull(standin, entry(world.surveys[0])))
    assert listed(read)["survey-a1"] == set(map(str, range(1, 21))) - {"7"}


def test_a_form_that_fails_does_not_stop_the_others() -> None:
    world = world_of(survey("kobo", "a1", 5), survey("kobo", "a2", 5), survey("kobo", "a3", 5))
    with standing_in(world) as standin:
        standin.faults.append(Fault("kobo", "status", match="/a1/", code=503, times=None))
        standin.faults.append(Fault("kobo", "missing_field", match="/a2/data", field="results", after=1))
        gone, timeless = SurveyEntry("gone", "kobo", "nowhere"), entry(world.surveys[2], cursor="вчера")
        came = pull(standin, *map(entry, world.surveys[:2]), gone, timeless, entry(world.surveys[2]))
    assert troubles(came) == {
        "survey-a1": "HTTP 503",
        "survey-a2": "a page without results",
        "gone": "HTTP 404",
        "survey-a3": "«вчера» is no time of a submission",
    }
    read = read_again(kobo, came)
    assert answers(read) == sorted(told(world.surveys[1]) + told(world.surveys[2]), key=repr)
    # A listing cut short is none: what it lacks must not seem to be deleted.
    assert set(listed(read)) == {"survey-a3"}


def test_a_listing_whose_second_page_fails_is_no_listing() -> None:
    world = world_of(survey("kobo", "a1", 1_100, apart=10))
    with standing_in(world) as standin:
        standin.faults.append(Fault("kobo", "status", match='fields=["_id"]', code=503, after=1, times=None))
        came = pull(standin, entry(world.surveys[0]))
    read = read_again(kobo, came)
    assert troubles(came) == {"survey-a1": "HTTP 503"}
    assert (len(rows(read, "survey_response")), listed(read)) == (1_100, {})


@pytest.mark.parametrize("kind", ["cut", "bad_json", "status"])
def test_what_fails_once_is_asked_again(kind: Any) -> None:
    world = world_of(survey("kobo", "a1", 20))
    with standing_in(world) as standin:
        standin.faults.append(Fault("kobo", kind, match="/data/", code=502))
        came = pull(standin, entry(world.surveys[0]))
    assert troubles(came) == {}
    assert answers(read_again(kobo, came)) == told(world.surveys[0])


@pytest.mark.parametrize("field", ["content.survey", "content"])
def test_a_form_without_questions_is_told_and_its_submissions_are_not_asked_for(field: str) -> None:
    world = world_of(survey("kobo", "a1", 5))
    with standing_in(world) as standin:
        standin.faults.append(Fault("kobo", "wrong_type", match="/a1/", field=field, value="?"))
        came = pull(standin, entry(world.surveys[0]))
        assert not [asked for asked in standin.log if asked.path.endswith("/data/")]
    assert troubles(came) == {"survey-a1": "a form without its questions"}
    assert list(problems(read_again(kobo, came))) == ["Описание формы — не объект со списком вопросов"]


def test_no_token_reaches_an_answer() -> None:
    world = world_of(survey("kobo", "a1", 3))
    with standing_in(world) as standin:
        lines = "".join(answer.as_line() for answer in pull(standin, entry(world.surveys[0])))
        assert standin.credentials.kobo_token not in lines


# What the stand-in does not tell.


def landed(what: str, body: Any) -> Answer:
    asked = {"survey_id": "s", "what": what}
    return Answer(asked, NOW, body if isinstance(body, str) else json.dumps(body))


def test_groups_repetitions_ranks_and_other_have_codes_of_their_own() -> None:
    lines = [
        {"type": "begin_group", "name": "home"},
        {"type": "select_one heat or_other", "name": "heat", "label": ["Тепло?", "Warm?"]},
        {"type": "end_group"},
        {"type": "begin_repeat", "name": "child"},
        {"type": "integer", "name": "age", "label": ["Возраст", "Age"]},
        {"type": "end_repeat"},
        {"type": "begin_rank", "name": "rank", "kobo--rank-items": "things"},
        {"type": "rank__level", "name": "first", "label": ["Первое"]},
        {"type": "end_rank"},
        {"type": "note", "name": "thanks"},
    ]
    content = {"translations": ["Русский (ru)", "English (en)"], "survey": lines, "choices": []}
    submission = {
        "_id": 5,
        "home/heat": "other",
        "home/heat_other": "печка",
        "child": [{"child/age": "7"}, {"child/age": "9"}],
        "rank/first": "water",
        "meta/instanceID": "uuid:1",
        "_attachments": [{"id": 1}],
        "unheard": "of",
    }
    read = list(kobo.read([landed("asset", {"content": content}), landed("responses", {"results": [submission]})]))
    assert [record.values["text"] for record in rows(read, "survey_question")][:2] == ["Тепло?", "Warm?"]
    assert list(problems(read)) == ["Вопроса с таким именем нет в описании формы"]
    found = [record.values for record in rows(read, "survey_answer") if not record.problem]
    names = ("question_code", "subquestion_code", "option_code", "number", "text")
    assert [tuple(each[name] for name in names) for each in found] == [
        ("home/heat", None, "other", None, "печка"),
        ("child/age", "1", None, "7", None),
        ("child/age", "2", None, "9", None),
        ("rank", "first", "water", None, None),
    ]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["_id", "q", "type", "name", "label", "survey", "choices", "start"]), inner)
    ),
    max_leaves=12,
)
_lines = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "begin_score", "score__row", "end_group"]), "name": _json})
)


@settings(max_examples=150, deadline=None)
@given(_json | st.fixed_dictionaries({"survey": _lines, "choices": _json, "translations": _json}), st.lists(_json))
def test_whatever_comes_every_submission_is_a_record_or_a_problem(content: Any, results: list[Any]) -> None:
    read = list(kobo.read([landed("asset", {"content": content}), landed("responses", {"results": results})]))
    assert len(rows(read, "survey_response")) == len(results)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["asset", "responses", "ids", "?"]), st.text() | _json.map(json.dumps))
def test_no_body_makes_the_reading_fail(what: str, body: str) -> None:
    read = list(kobo.read([landed(what, body)]))
    assert list(problems(read))
    assert listed(read) == {}
