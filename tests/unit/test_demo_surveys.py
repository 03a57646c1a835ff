"""The made-up region's surveys: the register as written, and what their systems hold."""

import csv
from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from otklik.demo.centre_files import write_surveys
from otklik.demo.standin.region import region_world
from otklik.demo.standin.world import Question, Response, Survey

EVENING = datetime.fromisoformat("2022-12-31T23:00:00+05:00")
SYSTEMS = {"LimeSurvey": "limesurvey", "Яндекс Формы": "yandex_forms", "KoboToolbox": "kobo"}


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    path = write_surveys(tmp_path_factory.mktemp("centre"))
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))


@pytest.fixture(scope="module")
def held() -> list[Survey]:
    return region_world(EVENING).surveys


def fits(question: Question, answers: dict[str, str | tuple[str, ...]]) -> bool:
    """Tell whether what was answered is one of the options, a number, or a text."""
    codes = {option.code for option in question.options}
    if question.kind == "matrix":
        rows = {f"{question.code}_{row.code}" for row in question.rows}
        return {answers[row] for row in rows if row in answers} <= codes
    said = answers.get(question.code)
    if said is None:
        return True
    if question.kind == "multiple":
        return isinstance(said, tuple) and bool(said) and set(said) <= codes
    if question.kind == "number":
        return isinstance(said, str) and said.isdigit()
    if question.kind == "open":
        return isinstance(said, str) and len(said) > 5 and "@" not in said
    return said in codes


def test_40_surveys_are_completed_in_2022_and_one_is_still_open(register: list[dict[str, str]]) -> None:
    assert Counter(row["Закрыт"][6:] for row in register) == {"2020": 3, "2021": 22, "2022": 40, "2023": 1}
    assert len({row["Тема"] for row in register if row["Закрыт"].endswith("2022")}) >= 10


def test_codes_and_titles_are_unique(register: list[dict[str, str]]) -> None:
    for column in ("Код опроса", "Номер в системе", "Название"):
        assert len({row[column] for row in register}) == 66


def test_most_are_held_in_limesurvey(register: list[dict[str, str]]) -> None:
    of_2022 = Counter(row["Система"] for row in register if row["Закрыт"].endswith("2022"))
    assert of_2022 == {"LimeSurvey": 28, "Яндекс Формы": 8, "KoboToolbox": 4}


def test_every_survey_of_the_register_is_in_its_system(register: list[dict[str, str]], held: list[Survey]) -> None:
    registered = {(SYSTEMS[row["Система"]], row["Номер в системе"], row["Название"]) for row in register}
    assert {(survey.system, survey.external_id, survey.title) for survey in held} == registered


def test_each_has_four_to_nine_questions_and_a_plausible_number_of_responses(held: list[Survey]) -> None:
    kinds = {question.kind for survey in held for question in survey.questions}
    assert kinds == {"single", "multiple", "scale", "number", "matrix", "open"}
    assert all(4 <= len(survey.questions) <= 9 for survey in held)
    assert all(150 <= len(survey.responses) <= 900 for survey in held)
    assert sum(len(survey.responses) for survey in held) == 35_673


def test_every_answer_is_one_that_its_question_takes(held: list[Survey]) -> None:
    for survey in held:
        codes = {question.code for question in survey.questions}
        for response in survey.responses:
            assert {code.partition("_")[0] for code in response.answers} <= codes
            assert all(fits(question, dict(response.answers)) for question in survey.questions), response


def test_only_limesurvey_keeps_forms_that_were_left(held: list[Survey]) -> None:
    left = [survey.system for survey in held for response in survey.responses if response.submitted_at is None]
    assert set(left) == {"limesurvey"}
    assert 0.02 < len(left) / sum(len(survey.responses) for survey in held) < 0.06


def test_responses_come_in_order_while_the_survey_is_open(held: list[Survey]) -> None:
    for survey in held:
        assert [response.number for response in survey.responses] == sorted({each.number for each in survey.responses})
        begun = [response.started_at for response in survey.responses]
        assert begun == sorted(begun)
        assert survey.opened_on <= begun[0].date()
        assert begun[-1].date() <= survey.closed_on
        assert all(_took(response) < timedelta(hours=1) for response in survey.responses)


def _took(response: Response) -> timedelta:
    return (response.submitted_at or response.started_at) - response.started_at


def test_a_system_asked_earlier_tells_less() -> None:
    in_november = region_world(datetime.fromisoformat("2022-11-25T12:00:00+05:00")).surveys
    assert max(survey.opened_on for survey in in_november) == date(2022, 11, 18)
    [unfinished] = [survey for survey in in_november if survey.closed_on == date(2022, 12, 9)]
    assert 0 < len(unfinished.responses) < 600
    assert max(response.started_at for response in unfinished.responses) < datetime.fromisoformat(
        "2022-11-25T12:00:00+05:00"
    )


def test_the_complaint_channel_has_posts_of_the_last_two_days_that_name_nobody() -> None:
    posts = region_world(EVENING).posts
    assert len(posts) == 42
    assert {post.posted_at.date() for post in posts} == {date(2022, 12, 30), date(2022, 12, 31)}
    assert {post.author_name.rstrip("0123456789") for post in posts} == {"Житель "}
    assert not any(character.isdigit() or character == "@" for post in posts for character in post.text)
    assert sum(post.edited_at is not None for post in posts) == 3
