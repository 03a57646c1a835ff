"""Nights of surveys: what respondents add, edit and delete arrives as versions, whatever fails on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from subprocess import Popen
from typing import Any

import pytest

from otklik.answers import Told as Outcome
from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock, Survey, World
from otklik.errors import CredentialsError, SourceError
from otklik.pulls import survey_parts
from otklik.sources.connection import Connection
from otklik.sources.systems import SURVEY_SYSTEMS
from tests.fixtures.files import ZONE, Centre
from tests.fixtures.killed import Nights
from tests.fixtures.registers import connection, night, register_surveys, surveys_night
from tests.fixtures.standin import StandIn, standing_in
from tests.fixtures.surveys import MARKS, OPENED, Told, change, survey, told

FIRST, SECOND, THIRD = (date(2022, 6, day) for day in (3, 4, 5))

CURRENT = """
    select distinct on (survey_id, response_id) *
    from raw.survey_response
    order by survey_id, response_id, updated_at desc, batch_id desc, row_number desc
"""
CURRENT_ANSWERS = f"""
    with responses as ({CURRENT}),

    answers as (
        select distinct on (survey_id, response_id, question_code, subquestion_code, option_code) *
        from raw.survey_answer
        order by
            survey_id, response_id, question_code, subquestion_code, option_code,
            updated_at desc, batch_id desc, row_number desc
    )

    select response_id, question_code, subquestion_code, option_code, number, text
    from answers
    inner join responses using (survey_id, response_id)
    where not answers.is_deleted and not responses.is_deleted and survey_id = 'survey-{{}}'
"""  # noqa: S608 - a test's own names


@contextmanager
def after(day: date, *surveys: Survey) -> Iterator[StandIn]:
    """The stand-ins half an hour after a day has ended."""
    now = datetime.combine(day + timedelta(days=1), time(0, 30), ZONE)
    with standing_in(World(Clock(now), surveys=list(surveys))) as standin:
        yield standin


def said(of: Survey) -> list[Told]:
    """What the responses say; Yandex Forms tells rows and columns of a matrix by their texts."""
    if of.system != "yandex_forms":
        return told(of)
    words = {each.code: each.text for question in of.questions for each in (*question.rows, *MARKS)}
    return sorted(
        (
            (*answer[:2], words[str(answer[2])], words[str(answer[3])], *answer[4:]) if answer[1] == "rooms" else answer
            for answer in told(of)
        ),
        key=repr,
    )


def answers_now(centre: Centre, of: Survey) -> list[tuple[Any, ...]]:
    """What the warehouse holds of a survey, in the form of `said`."""
    return sorted((tuple(row.values()) for row in centre.query(CURRENT_ANSWERS.format(of.external_id))), key=repr)


def versions(centre: Centre) -> dict[str, list[bool]]:
    """Response -> whether each of its versions is a deletion, in the order of time."""
    found: dict[str, list[bool]] = {}
    for row in centre.query("select response_id, is_deleted from raw.survey_response order by updated_at, batch_id"):
        found.setdefault(row["response_id"], []).append(row["is_deleted"])
    return found


def totals(outcomes: list[Outcome]) -> dict[str, tuple[int, int, int, int]]:
    """Entity -> rows loaded, rejected, unchanged, deleted."""
    return {
        report.entity: (report.rows_loaded, report.rows_rejected, report.rows_unchanged, report.rows_deleted)
        for each in outcomes
        for report in each.reports
    }


def of_number(of: Survey, number: int, **answers: Any) -> dict[str, Any]:
    """The answers of a response with some of them changed."""
    [known] = [each.answers for each in of.responses if each.number == number]
    return {**known, **answers}


def without(of: Survey, number: int) -> Survey:
    return replace(of, responses=tuple(each for each in of.responses if each.number != number))


@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_three_nights_of_new_edited_and_deleted_responses(centre: Centre, system: str) -> None:
    whole = survey(system, "1001", 6, apart=300)
    register_surveys(centre.settings, [whole])
    early = replace(whole, responses=whole.responses[:4])
    with after(FIRST, early) as standin:
        first = surveys_night(standin, centre.settings, FIRST, [system])[system]
    assert totals(first)["survey_response"] == (4, 0, 0, 0)
    assert answers_now(centre, whole) == said(early)

    with after(SECOND, whole) as standin:
        edited_at = OPENED + timedelta(days=2)
        changed = of_number(whole, 2, mark="5", wrong=("dear",), words="Передумали", rooms_r2="a1")
        other = of_number(whole, 2, mark="1", wrong=("cold",), words="Было", rooms_r2="a2")
        assert changed != other
        change(standin.world, 0, 2, answers=changed, edited_at=edited_at)
        second = surveys_night(standin, centre.settings, SECOND, [system])[system]
        edited = standin.world.surveys[0]
    assert totals(second)["survey_response"][3] == 0
    assert answers_now(centre, whole) == said(edited)

    left = without(edited, 3)
    with after(THIRD, left) as standin:
        third = surveys_night(standin, centre.settings, THIRD, [system])[system]
    assert totals(third)["survey_response"][3] == 1
    assert answers_now(centre, whole) == said(left)
    found = versions(centre)
    assert found["3"] == [False, True]
    assert {number: len(of) for number, of in found.items() if number not in ("2", "3")} == dict.fromkeys("1456", 1)


@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_an_answer_whose_option_changed_is_deleted_and_the_new_one_is_there(centre: Centre, system: str) -> None:
    whole = survey(system, "1001", 1)
    register_surveys(centre.settings, [whole])
    for day, meal in ((FIRST, "yes"), (SECOND, "no")):
        with after(day, whole) as standin:
            change(standin.world, 0, 1, answers=of_number(whole, 1, meal=meal), edited_at=OPENED + timedelta(days=2))
            surveys_night(standin, centre.settings, day, [system])
    found = centre.query(
        "select option_code, is_deleted from raw.survey_answer where question_code = 'meal' order by batch_id, 1"
    )
    assert [tuple(row.values()) for row in found] == [("yes", False), ("no", False), ("yes", True)]


@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_a_response_all_of_whose_answers_were_taken_back_has_none(centre: Centre, system: str) -> None:
    whole = survey(system, "1001", 2)
    register_surveys(centre.settings, [whole])
    for day, answers in ((FIRST, {"meal": "yes", "mark": "5"}), (SECOND, {})):
        with after(day, whole) as standin:
            change(standin.world, 0, 1, answers=answers, edited_at=OPENED + timedelta(days=2))
            surveys_night(standin, centre.settings, day, [system])
    assert {row[0] for row in answers_now(centre, whole)} == {"2"}


@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_the_same_night_again_changes_nothing(centre: Centre, system: str) -> None:
    whole = survey(system, "1001", 3)
    register_surveys(centre.settings, [whole])
    with after(FIRST, whole) as standin:
        surveys_night(standin, centre.settings, FIRST, [system])
        before = everything(centre)
        surveys_night(standin, centre.settings, FIRST, [system])
    assert everything(centre) == before


def everything(centre: Centre) -> list[list[dict[str, Any]]]:
    names = ("question", "option", "response", "answer")
    return [centre.query(f"select * from raw.survey_{name} order by batch_id, row_number") for name in names]  # noqa: S608


@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_one_survey_that_fails_is_told_and_does_not_stop_the_others(centre: Centre, system: str) -> None:
    surveys = [survey(system, number, 3) for number in ("1001", "1002", "1003")]
    register_surveys(centre.settings, surveys)
    with after(FIRST, *surveys) as standin:
        mounted = "yandex" if system == "yandex_forms" else system
        standin.faults.append(Fault(mounted, "status", match="1002", code=503, times=None))
        [failed] = surveys_night(standin, centre.settings, FIRST, [system])[system]
        assert len(failed.troubles) == 1
        assert "survey_id survey-1002" in failed.troubles[0]
        assert "503" in failed.troubles[0]
        assert [answers_now(centre, each) for each in surveys] == [said(surveys[0]), [], said(surveys[2])]
        standin.faults.clear()
        [mended] = surveys_night(standin, centre.settings, FIRST, [system])[system]
    assert mended.troubles == []
    assert [answers_now(centre, each) for each in surveys] == [said(each) for each in surveys]


def test_a_trouble_told_in_broken_letters_is_told_and_the_other_surveys_land(centre: Centre) -> None:
    surveys = [survey("limesurvey", number, 2) for number in ("1001", "1002")]
    register_surveys(centre.settings, surveys)
    with after(FIRST, *surveys) as standin:
        status = {"status": "Нет \ud83d анкеты"}
        standin.faults.append(Fault("limesurvey", "wrong_type", "get_survey_properties", field="result", value=status))
        [read] = surveys_night(standin, centre.settings, FIRST, ["limesurvey"])["limesurvey"]
    assert [trouble.rpartition(": ")[2] for trouble in read.troubles] == ["Нет \\ud83d анкеты"]
    assert answers_now(centre, surveys[1]) == said(surveys[1])


def test_a_session_that_ends_in_the_middle_costs_nothing(centre: Centre) -> None:
    surveys = [survey("limesurvey", number, 5, left=1) for number in ("1001", "1002")]
    register_surveys(centre.settings, surveys)
    with after(FIRST, *surveys) as standin:
        for passing in (3, 8, 11):
            standin.faults.append(Fault("limesurvey", "forget_sessions", after=passing))
        [part] = surveys_night(standin, centre.settings, FIRST, ["limesurvey"])["limesurvey"]
        assert standin.faults == []
        logins = [each for each in standin.log if b"get_session_key" in each.body]
    assert len(logins) == 1 + 1 + 3
    assert part.troubles == []
    assert [answers_now(centre, each) for each in surveys] == [said(each) for each in surveys]


PLACES = {
    "before landing": ("otklik.answers", "land_answers", 1),
    "before loading": ("otklik.answers", "AnswerLoad.load", 1),
    "between entities": ("otklik.warehouse.ledger", "close_line", 3),
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_a_night_killed_and_run_again_is_whole_and_tells_nothing_twice(
    centre: Centre, driver: Popen[str], system: str, where: str
) -> None:
    whole = survey(system, "1001", 5)
    register_surveys(centre.settings, [whole])
    with after(FIRST, whole) as standin:
        runs = Nights(driver, standin, centre.settings)
        runs.killed_at(PLACES[where], "surveys", FIRST)
        assert versions(centre) == {}
        runs.completed("surveys", FIRST)
        before = everything(centre)
        runs.completed("surveys", FIRST)
    assert everything(centre) == before
    assert answers_now(centre, whole) == said(whole)
    assert set(map(len, versions(centre).values())) == {1}


def test_many_surveys_make_several_parts_without_loss(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otklik.pulls.SURVEYS_A_PART", 2)
    surveys = [survey("kobo", f"form{number}", 2) for number in range(5)]
    register_surveys(centre.settings, surveys)
    with after(FIRST, *surveys) as standin:
        assert len(surveys_night(standin, centre.settings, FIRST, ["kobo"])["kobo"]) == 3
    assert [answers_now(centre, each) for each in surveys] == [said(each) for each in surveys]


def test_a_survey_is_asked_about_until_a_month_after_its_end(centre: Centre) -> None:
    ended = replace(survey("kobo", "old", 2), closed_on=date(2022, 6, 3))
    register_surveys(centre.settings, [ended])
    with after(FIRST, ended) as standin:
        surveys_night(standin, centre.settings, FIRST, ["kobo"])
        parts = [survey_parts("kobo", connection(standin, "kobo"), night(day), centre.settings) for day in DAYS]
    assert [len(found) for found in parts] == [1, 0]


DAYS = (date(2022, 7, 3), date(2022, 7, 4))


@pytest.mark.parametrize("system", SURVEY_SYSTEMS)
def test_a_refused_password_names_the_connection_and_tells_it_nowhere(
    centre: Centre, system: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = survey(system, "1001", 1)
    register_surveys(centre.settings, [whole])
    with after(FIRST, whole) as standin:
        asking = connection(standin, system)
        refused = Connection(system, asking.url, asking.login, "wrong-secret", asking.extra)
        with caplog.at_level("DEBUG"), pytest.raises(CredentialsError, match=system) as error:
            survey_parts(system, refused, night(FIRST), centre.settings)
    assert "wrong-secret" not in f"{error.value!r} {error.value.__cause__!r} {caplog.text}"


def test_a_register_with_surveys_of_a_system_without_connection_says_what_to_add(centre: Centre) -> None:
    register_surveys(centre.settings, [survey("kobo", "1001", 1)])
    with pytest.raises(SourceError, match="no connection kobo"):
        survey_parts("kobo", None, night(FIRST), centre.settings)
