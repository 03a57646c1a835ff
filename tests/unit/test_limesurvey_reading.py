"""What LimeSurvey's answers mean: types and versions the stand-in does not tell, and whatever else may come."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.sources import limesurvey
from otklik.sources.records import Answer, Listing
from tests.fixtures.surveys import NOW, answers, problems, rows


def landed(what: str, body: Any, **about: Any) -> Answer:
    asked = {"survey_id": "s", "timezone": "Asia/Yekaterinburg", "what": what, **about}
    return Answer(asked, NOW, body if isinstance(body, str) else json.dumps(body))


def question(id_: int, type_: str, title: str, parent: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "qid": str(id_),
        "parent_qid": str(parent),
        "gid": "1",
        "type": type_,
        "title": title,
        "question": title,
        **more,
    }


def said_in(structure: list[dict[str, Any]], cells: dict[str, Any]) -> list[tuple[Any, ...]]:
    read = limesurvey.read(
        [
            landed("questions", {"result": structure}, language="ru"),
            landed("responses", {"responses": [{"id": "1", "submitdate": "2022-06-01 10:00:00", **cells}]}),
        ]
    )
    return [each[1:] for each in answers(read)]


def test_other_is_an_option_with_its_words() -> None:
    structure = [question(1, "L", "Q1", other="Y"), question(2, "M", "Q2", other="Y"), question(3, "M", "SQ1", 2)]
    cells = {"Q1": "-oth-", "Q1[other]": "Дома", "Q2[SQ1]": "Y", "Q2[other]": "Шум"}
    assert said_in(structure, cells) == [
        ("Q1", None, "-oth-", None, "Дома"),
        ("Q2", None, "-oth-", None, "Шум"),
        ("Q2", None, "SQ1", None, None),
    ]


def test_comments_stay_with_their_options_and_tables_name_row_and_column() -> None:
    structure = [
        question(1, "P", "Q1"),
        question(2, "P", "SQ1", 1),
        question(3, "O", "Q2"),
        question(4, ":", "Q3"),
        question(5, "1", "Q4"),
        question(6, "X", "Q5"),
    ]
    cells = {
        "Q1[SQ1]": "Y",
        "Q1[SQ1comment]": "часто",
        "Q2": "A1",
        "Q2[comment]": "потому что",
        "Q3[R1_C2]": "4",
        "Q4[SQ1][1]": "A2",
    }
    assert said_in(structure, cells) == [
        ("Q1", None, "SQ1", None, "часто"),
        ("Q2", None, "A1", None, "потому что"),
        ("Q3", "R1_C2", None, 4.0, None),
        ("Q4", "SQ1_1", "A2", None, None),
    ]


def test_times_are_those_of_the_connections_zone_and_a_time_not_kept_is_unknown() -> None:
    bodies = {
        "responses": [{"9": {"id": "9", "submitdate": "1980-01-01 00:00:00", "startdate": "2022-06-01 10:00:00"}}]
    }
    [record] = rows(limesurvey.read([landed("responses", bodies)]), "survey_response")
    assert record.values["response_id"] == "9"
    assert record.values["is_complete"] == "true"
    assert record.values["submitted_at"] is None
    assert record.values["started_at"] == "2022-06-01T10:00:00+05:00"


def test_an_answer_to_a_question_nobody_described_is_kept_with_its_problem() -> None:
    read = limesurvey.read([landed("responses", {"responses": [{"id": "1", "Q9[SQ1]": "Y", "Q8": ""}]})])
    [record] = rows(read, "survey_answer")
    assert record.problem == "Вопроса с таким кодом нет в описании анкеты"
    assert record.original == {"column": "Q9[SQ1]", "value": "Y"}


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0", "L", "M", "Y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "qid", "Q1", "Q1[a]", "type", "parent_qid", "title", "answeroptions"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["questions", "groups", "options", "ids"]), _json), max_size=4), st.lists(_json)
)
def test_whatever_comes_every_response_is_a_record_or_a_problem(
    structure: list[tuple[str, Any]], responses: list[Any]
) -> None:
    came = [landed(what, {"result": body}, language="ru", question=1) for what, body in structure]
    read = list(limesurvey.read([*came, landed("responses", {"responses": responses})]))
    assert len(rows(read, "survey_response")) == len(responses)
    for record in (
        record for entity in ("survey_question", "survey_answer", "survey_response") for record in rows(read, entity)
    ):
        json.dumps(record.values, ensure_ascii=False).encode()
        assert all(value is None or isinstance(value, str) for value in record.values.values())


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["questions", "groups", "options", "ids", "responses", "properties", "?"]),
    st.text() | _json.map(json.dumps),
)
def test_no_body_makes_the_reading_fail(what: str, body: str) -> None:
    read = list(limesurvey.read([landed(what, body, language="ru", question="1")]))
    if what == "responses" and '"responses"' not in body:
        assert list(problems(read)) == ["Выгрузка ответов — не объект со списком responses"]
    assert not [each for each in read if isinstance(each, Listing)]
