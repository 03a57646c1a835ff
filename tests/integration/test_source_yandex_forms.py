"""Yandex Forms over real HTTP, from the stand-in that speaks its API."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Survey
from otklik.errors import CredentialsError
from otklik.sources import yandex_forms
from otklik.sources.connection import Connection
from otklik.sources.records import Answer
from otklik.sources.registry import SurveyEntry
from tests.fixtures.standin import StandIn, standing_in
from tests.fixtures.surveys import (
    INTERVAL,
    NOW,
    OPENED,
    Told,
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

FORM = "6818ceffe010db4f59d11329"
OTHER = "6818ceffe010db4f59d1132a"


def connection(standin: StandIn, **changes: Any) -> Connection:
    extra = {"rate": "0", "first_wait": "0.001", "organisation": standin.credentials.yandex_organisation}
    made = Connection("surveys_yandex", f"{standin.url}/yandex", password=standin.credentials.yandex_token, extra=extra)
    return replace(made, **changes)


def pull(standin: StandIn, *entries: SurveyEntry) -> list[Answer]:
    return list(yandex_forms.pull(connection(standin), INTERVAL, entries))


def told_in_words(of: Survey) -> list[Told]:
    """What the responses say; the API tells rows and columns of a matrix by their texts."""
    [matrix] = [question for question in of.questions if question.kind == "matrix"]
    words = {each.code: each.text for each in (*matrix.rows, *matrix.options)}
    found = [
        (each[0], each[1], words.get(each[2] or ""), words[each[3]] if each[2] and each[3] else each[3], *each[4:])
        for each in told(of)
    ]
    return sorted(found, key=repr)


def test_the_check_tells_the_systems_clock_and_refuses_a_wrong_token_or_organisation() -> None:
    with standing_in(world_of()) as standin:
        assert NOW <= yandex_forms.check(connection(standin)) < NOW + timedelta(seconds=30)
        with pytest.raises(CredentialsError, match="surveys_yandex") as error:
            yandex_forms.check(connection(standin, password="not-the-token"))
        with pytest.raises(CredentialsError, match=r"surveys_yandex.*organisation"):
            yandex_forms.check(connection(standin, extra={"organisation": "1"}))
        wrong = connection(standin, password="not-the-token")
        with pytest.raises(CredentialsError, match="surveys_yandex"):
            list(yandex_forms.pull(wrong, INTERVAL, [entry(survey("yandex_forms", FORM, 1))]))
    assert "not-the-token" not in str(error.value)


def test_a_form_of_several_pages_is_read_back_exactly() -> None:
    world = world_of(survey("yandex_forms", FORM, 250), survey("yandex_forms", OTHER, 100))
    with standing_in(world) as standin:
        came = pull(standin, *map(entry, world.surveys))
        pages = [asked.parameters for asked in standin.log]
    read = read_again(yandex_forms, came)
    assert [page.get("id") for page in pages] == [None, "100", "200", None]
    assert {(page["page_size"], page["ordering"], page["use_slugs"]) for page in pages} == {("100", "asc", "true")}
    assert (troubles(came), list(problems(read))) == ({}, [])
    assert answers(read) == sorted(told_in_words(world.surveys[0]) + told_in_words(world.surveys[1]), key=repr)
    assert {key: len(ids) for key, ids in listed(read).items()} == {f"survey-{FORM}": 250, f"survey-{OTHER}": 100}
    assert rows(read, "survey_response")[0].values == {
        "survey_id": f"survey-{FORM}",
        "response_id": "1",
        "language": None,
        "started_at": None,
        "submitted_at": "2022-06-01T05:05:00+00:00",
        "is_complete": "true",
        "updated_at": None,
    }


def test_questions_come_from_the_columns_and_options_from_what_was_chosen() -> None:
    world = world_of(survey("yandex_forms", FORM, 60))
    with standing_in(world) as standin:
        read = read_again(yandex_forms, pull(standin, entry(world.surveys[0])))
    questions = [record.values for record in rows(read, "survey_question")]
    assert [(each["question_code"], each["subquestion_code"], each["kind"]) for each in questions] == [
        ("meal", None, "single"),
        ("wrong", None, "multiple"),
        ("mark", None, "scale"),
        ("pause", None, "number"),
        ("since", None, "date"),
        ("words", None, "open"),
        ("rooms", None, "single"),
        ("rooms", "Чистота", "single"),
        ("rooms", "Вкус", "single"),
    ]
    options = {
        (each.values["question_code"], each.values["option_code"], each.values["text"])
        for each in rows(read, "survey_option")
    }
    assert {("meal", "yes", "Да"), ("wrong", "dear", "Дорого"), ("mark", "5", "5")} <= options
    assert {each["language"] for each in questions} == {"und"}


def test_an_edit_however_late_and_a_deletion_are_seen_because_the_form_is_read_whole() -> None:
    world = world_of(survey("yandex_forms", FORM, 120))
    kept = tuple(each for each in world.surveys[0].responses if each.number != 7)
    world.surveys[0] = replace(world.surveys[0], responses=kept)
    change(world, 0, 3, answers={"words": "Передумали"})
    with standing_in(world) as standin:
        read = read_again(yandex_forms, pull(standin, entry(world.surveys[0], cursor="2022-06-06T04:05:00+00:00")))
    assert [each for each in answers(read) if each[0] == "3"] == [("3", "words", None, None, None, "Передумали")]
    assert listed(read)[f"survey-{FORM}"] == set(map(str, range(1, 121))) - {"7"}


def test_tomorrows_answer_is_not_there_and_a_form_without_answers_has_none() -> None:
    world = world_of(survey("yandex_forms", FORM, 10), survey("yandex_forms", OTHER, 0))
    world.clock = Clock(OPENED + timedelta(hours=6, minutes=30))
    with standing_in(world) as standin:
        read = read_again(yandex_forms, pull(standin, *map(entry, world.surveys)))
    assert listed(read) == {f"survey-{FORM}": set("123456"), f"survey-{OTHER}": set()}


def test_a_form_that_fails_does_not_stop_the_others_and_lists_nothing() -> None:
    world = world_of(survey("yandex_forms", FORM, 250), survey("yandex_forms", OTHER, 20))
    with standing_in(world) as standin:
        standin.faults.append(Fault("yandex", "status", match="id=200", code=503, times=None))
        came = pull(
            standin, entry(world.surveys[0]), SurveyEntry("gone", "yandex_forms", "nowhere"), entry(world.surveys[1])
        )
    assert troubles(came) == {f"survey-{FORM}": "HTTP 503", "gone": "HTTP 404"}
    read = read_again(yandex_forms, came)
    ids = [
        each.values["response_id"]
        for each in rows(read, "survey_response")
        if each.values["survey_id"] == f"survey-{FORM}"
    ]
    assert ids == [str(number) for number in range(1, 201)]
    assert set(listed(read)) == {f"survey-{OTHER}"}


@pytest.mark.parametrize("kind", ["missing_field", "wrong_type"])
def test_a_page_that_does_not_tell_what_follows_ends_its_form_and_lists_nothing(kind: Any) -> None:
    world = world_of(survey("yandex_forms", FORM, 150))
    with standing_in(world) as standin:
        standin.faults.append(Fault("yandex", kind, field="next", value="?"))
        came = pull(standin, entry(world.surveys[0]))
    read = read_again(yandex_forms, came)
    assert troubles(came) == {f"survey-{FORM}": "a page that does not tell what follows it"}
    assert (len(rows(read, "survey_response")), listed(read)) == (100, {})


def test_a_page_without_answers_is_a_problem_and_the_next_is_read_but_nothing_listed() -> None:
    world = world_of(survey("yandex_forms", FORM, 150))
    with standing_in(world) as standin:
        standin.faults.append(Fault("yandex", "missing_field", field="answers"))
        read = read_again(yandex_forms, pull(standin, entry(world.surveys[0])))
    assert list(problems(read)) == ["Страница ответов — не объект со списком answers"]
    ids = [each.values["response_id"] for each in rows(read, "survey_response")]
    assert ids == [None, *(str(number) for number in range(101, 151))]
    assert listed(read) == {}


@pytest.mark.parametrize("kind", ["cut", "bad_json", "status"])
def test_what_fails_once_is_asked_again(kind: Any) -> None:
    world = world_of(survey("yandex_forms", FORM, 150))
    with standing_in(world) as standin:
        standin.faults.append(Fault("yandex", kind, match="id=100", code=502))
        came = pull(standin, entry(world.surveys[0]))
    assert troubles(came) == {}
    assert answers(read_again(yandex_forms, came)) == told_in_words(world.surveys[0])


def test_no_token_reaches_an_answer() -> None:
    world = world_of(survey("yandex_forms", FORM, 3))
    with standing_in(world) as standin:
        lines = "".join(answer.as_line() for answer in pull(standin, entry(world.surveys[0])))
        assert standin.credentials.yandex_token not in lines


def landed(body: Any) -> Answer:
    asked = {"survey_id": "s", "what": "responses", "page_size": 100}
    return Answer(asked, NOW, body if isinstance(body, str) else json.dumps(body))


def test_a_choice_told_as_text_alone_is_its_own_code_and_a_value_without_a_column_is_a_problem() -> None:
    columns = [{"id": 7, "type": "radio", "text": "Да?"}]
    page = {"columns": columns, "answers": [{"id": 1, "data": [{"value": ["Да"]}, {"value": "лишнее"}]}], "next": None}
    read = list(yandex_forms.read([landed(page)]))
    assert list(problems(read)) == ["Ответ без вопроса: столбцов в ответе формы меньше, чем значений"]
    first = rows(read, "survey_answer")[0].values
    assert (first["question_code"], first["option_code"], first["text"]) == ("7", "Да", None)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "data", "value", "slug", "type", "row", "key", "created", "rows"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_json), st.lists(_json), _json)
def test_whatever_comes_every_answer_is_a_record_or_a_problem(
    columns: list[Any], came: list[Any], following: Any
) -> None:
    read = list(yandex_forms.read([landed({"columns": columns, "answers": came, "next": following})]))
    assert len(rows(read, "survey_response")) == len(came)


@settings(max_examples=100, deadline=None)
@given(st.text() | _json.map(json.dumps))
def test_no_body_makes_the_reading_fail(body: str) -> None:
    read = list(yandex_forms.read([landed(body)]))
    assert list(problems(read)) == ["Страница ответов — не объект со списком answers"]
    assert listed(read) == {}
