"""What the marts say of surveys, broadcasts and materials of a small story, worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.fixtures.dbt import TestWarehouse, at
from tests.fixtures.survey_marts import MARTS, assert_intervals, result
from tests.fixtures.survey_rows import (
    ANSWERS,
    PARK,
    PARK_OPTIONS,
    RESPONSES,
    Text,
    answers,
    load,
    options,
    question,
    response,
    survey,
)


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """A survey with a question of each kind, and surveys about which there is less to say."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    register = [
        survey("park", "Парк", topic="Благоустройство", municipality_code="65720000"),
        survey("ends today", closed_on="2022-03-11"),
        survey("has no end", closed_on=None),
        survey("unread", closed_on="2021-12-31"),
        survey("called off"),
    ]
    load(warehouse, "2022-03-04", questions=PARK, options=PARK_OPTIONS, responses=RESPONSES, answers=ANSWERS)
    asked = question("ends today", "q1", "Придёте?")
    load(warehouse, "2022-03-04", questions=[asked], options=options("ends today", "q1", yes="Да", no="Нет"))
    # No register has this one; its Russian words are missing.
    german = question("foreign", "q1", "Wie alt?", "number", language="de")
    told = [german | {"language": "en", "text": "How old?"}, german, german | {"language": "ru", "text": None}]
    load(warehouse, "2022-03-04", questions=told, responses=[response("foreign", 1, is_complete=None)])
    # The same number in another region, without a word about its questions.
    said = answers("park", 1, {"q1": "no", "q2": Text("Ничего")})
    load(warehouse, "2022-03-04", "77", responses=[response("park", 1, "2022-03-01 23:30")], answers=said)
    warehouse.load("survey", "2022-03-09", register)
    warehouse.load("survey", "2022-03-10", [register[-1] | {"is_deleted": True}])
    # Response 6 was deleted in its system; its answers go with it.
    gone = RESPONSES[-1] | {"is_deleted": True}
    warehouse.load("survey_response", "2022-03-10", [gone])
    held = {"authority": "Министерство ЖКХ", "municipality": "Реж", "municipality_code": "65720000", "network": "vk"}
    warehouse.load(
        "broadcast",
        "2022-03-10",
        [
            {"broadcast_id": "E1", "held_at": at("2021-12-31 23:30"), "guest_post": "Министр", "views": 100} | held,
            {"broadcast_id": "E2", "held_at": at("2022-01-01 00:30"), "duration_minutes": 45},
            {"broadcast_id": "E3", "held_at": at("2022-02-01 12:00")},
        ],
    )
    materials = [
        {"material_id": f"M{number}", "published_at": at(moment), "format": "video"}
        for number, moment in enumerate(("2021-12-31 23:59", "2022-01-01 00:00", "2022-01-02 10:00"), start=1)
    ]
    warehouse.load("material", "2022-03-10", materials)
    warehouse.load("broadcast", "2022-03-11", [{"broadcast_id": "E1", "held_at": at("2021-12-31 23:30"), "views": 250}])
    for name, row in (
        ("broadcast", {"broadcast_id": "E3", "held_at": at("2022-02-01 12:00")}),
        ("material", materials[2]),
    ):
        warehouse.load(name, "2022-03-11", [row | {"is_deleted": True}])
    warehouse.model(marts=MARTS)
    return warehouse


def test_each_option_has_its_share_of_those_who_answered(story: TestWarehouse) -> None:
    # Of six, one was deleted, one was left unfinished, one did not answer.
    assert result(story, "q1") == {"yes": (3, 2, Decimal("0.667")), "no": (3, 1, Decimal("0.333"))}


def test_the_shares_of_a_multiple_choice_are_of_respondents_and_show_what_nobody_chose(story: TestWarehouse) -> None:
    nobody = (3, 0, 0)
    assert result(story, "q2") == {"a": (3, 3, 1), "b": (3, 2, Decimal("0.667")), "c": nobody, "-oth-": nobody}


def test_a_matrix_has_the_shares_of_each_row_and_none_for_its_heading(story: TestWarehouse) -> None:
    assert result(story, "q6.r1") == {"good": (2, 1, Decimal("0.5")), "bad": (2, 1, Decimal("0.5"))}
    assert result(story, "q6.r2") == {"good": (1, 1, 1), "bad": (1, 0, 0)}
    assert result(story, "q6") == {}


def test_a_question_nobody_answered_has_no_share(story: TestWarehouse) -> None:
    assert result(story, "q7") == {"yes": (0, 0, None), "no": (0, 0, None)}
    assert result(story, "q1", "ends today") == {"yes": (0, 0, None), "no": (0, 0, None)}
    empty = story.row("select * from marts.mart_survey_result where survey_id = 'park' and question_code = 'q8'")
    assert (empty["answered_count"], empty["number_count"], empty["mean"], empty["median"]) == (0, 0, None, None)
    bounds = "select count(share_low), count(share_high) from marts.mart_survey_result where answered_count = 0"
    assert story.rows(bounds) == [(0, 0)]


def test_a_number_has_its_mean_and_median(story: TestWarehouse) -> None:
    assert result(story, "q4") == {None: (4, None, None)}
    [number] = numbers(story, "q4")
    assert number == (4, Decimal("26.25"), Decimal("27.5"))


def test_a_scale_has_shares_and_a_mean_and_median(story: TestWarehouse) -> None:
    assert result(story, "q3") == {
        "1": (3, 1, Decimal("0.333")),
        "2": (3, 0, 0),
        "3": (3, 2, Decimal("0.667")),
    }
    assert numbers(story, "q3") == [(3, Decimal("2.333333"), 3)]


def numbers(warehouse: TestWarehouse, code: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select distinct number_count, mean, median from marts.mart_survey_result"
        " where survey_id = 'park' and region_code = '66' and question_code = %s",
        code,
    )


def test_what_was_written_is_counted_and_stays_in_raw(story: TestWarehouse) -> None:
    assert result(story, "q5") == {None: (1, None, None)}
    assert story.rows("select response_id, has_text from marts.fct_survey_answer where question_code = 'q5'") == [
        ("1", True)
    ]
    texts = story.rows(
        "select table_name from information_schema.columns where column_name in ('text', 'masked_text')"
        " and table_schema in ('staging', 'intermediate', 'marts')",
        role="engineer",
    )
    assert texts == []


def test_answers_that_the_survey_does_not_tell_of_are_counted_too(story: TestWarehouse) -> None:
    assert result(story, "q1", region="77") == {"no": (1, 1, 1)}
    assert result(story, "q2", region="77") == {None: (1, None, None)}


def test_questions_and_options_are_shown_in_russian_else_in_the_first_language(story: TestWarehouse) -> None:
    words = story.rows(
        "select title, kind, question_text, subquestion_text, option_text from marts.mart_survey_result"
        " where region_code = '66' and (question_code, coalesce(option_code, 'good')) in"
        " (('q1', 'no'), ('q6', 'good'), ('q2', '-oth-')) and survey_id = 'park'"
        " order by question_position, subquestion_position"
    )
    assert words == [
        ("Парк", "single", "Нужен ли парк?", None, "Нет"),
        ("Парк", "multiple", "Чего не хватает?", None, "Другое"),
        ("Парк", "single", "Оцените по отдельности", "Чистота", "Хорошо"),
        ("Парк", "single", "Оцените по отдельности", "Свет", "Хорошо"),
    ]
    foreign = story.row("select title, question_text from marts.mart_survey_result where survey_id = 'foreign'")
    assert foreign == {"title": None, "question_text": "Wie alt?"}


def test_every_interval_is_that_of_scipy(story: TestWarehouse) -> None:
    assert assert_intervals(story) == 14


def test_a_survey_is_completed_when_its_last_day_is_over_by_the_clock_of_the_data(story: TestWarehouse) -> None:
    assert story.rows("select survey_id, is_completed from marts.dim_survey order by survey_id") == [
        ("ends today", False),
        ("has no end", None),
        ("park", True),
        ("unread", True),
    ]


def test_a_survey_is_summed_up_with_what_is_known_of_it(story: TestWarehouse) -> None:
    figures = (
        "select survey_id, completed_year, response_count, partial_count, untold_count, first_response_date,"
        " last_response_date from marts.mart_survey_summary where region_code = %s order by survey_id"
    )
    assert story.rows(figures, "66") == [
        ("ends today", None, 0, 0, 0, None, None),
        ("foreign", None, 1, 0, 1, None, None),
        ("has no end", None, None, None, None, None, None),
        ("park", 2022, 4, 1, 1, date(2022, 3, 1), date(2022, 3, 2)),
        ("unread", 2021, None, None, None, None, None),
    ]
    assert story.rows(figures, "77") == [("park", None, 1, 0, 0, date(2022, 3, 1), date(2022, 3, 1))]


def test_responses_add_up_by_the_local_day_they_came_on(story: TestWarehouse) -> None:
    days = story.rows(
        "select day, response_count, partial_count, response_count_so_far, partial_count_so_far"
        " from marts.mart_survey_response_daily where region_code = '66' and survey_id = 'park' order by day"
    )
    assert days == [(date(2022, 3, 1), 1, 0, 1, 0), (date(2022, 3, 2), 2, 1, 3, 1)]


def test_an_answer_says_whether_its_response_counts(story: TestWarehouse) -> None:
    counted = story.rows(
        "select response_id, is_counted, count(*)::int from marts.fct_survey_answer where region_code = '66'"
        " group by 1, 2 order by 1"
    )
    assert counted == [("1", True, 8), ("2", True, 5), ("3", True, 2), ("4", False, 2), ("5", True, 4)]
    assert story.rows(
        "select response_id, is_complete, is_counted from marts.fct_survey_response"
        " where region_code = '66' and survey_id = 'park' order by 1"
    ) == [("1", True, True), ("2", True, True), ("3", None, True), ("4", False, False), ("5", True, True)]


def test_broadcasts_and_materials_are_of_their_local_day_in_their_latest_version(story: TestWarehouse) -> None:
    held = "select broadcast_id, held_date, views, duration_minutes from marts.fct_broadcast order by 1"
    assert story.rows(held) == [("E1", date(2021, 12, 31), 250, None), ("E2", date(2022, 1, 1), None, 45)]
    published = "select material_id, published_date, format, views from marts.fct_material order by 1"
    assert story.rows(published) == [
        ("M1", date(2021, 12, 31), "video", None),
        ("M2", date(2022, 1, 1), "video", None),
    ]


@pytest.mark.parametrize("mart", MARTS)
def test_every_reader_reads_every_mart(story: TestWarehouse, mart: str) -> None:
    for role in ("reader", "analyst", "auditor", "engineer"):
        assert story.mart(mart, role=role)
