"""LimeSurvey over real HTTP, from the stand-in that speaks RemoteControl 2."""

import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from otklik.demo.standin.faults import Fault
from otklik.demo.standin.world import Clock
from otklik.errors import CredentialsError, SourceError
from otklik.sources import limesurvey
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
    made = Connection(
        "surveys_lime",
        f"{standin.url}/limesurvey",
        standin.credentials.limesurvey_user,
        standin.credentials.limesurvey_password,
        {"rate": "0", "first_wait": "0.001", "timezone": "UTC"},
    )
    return replace(made, **changes)


def pull(standin: StandIn, *entries: SurveyEntry) -> list[Answer]:
    return list(limesurvey.pull(connection(standin), INTERVAL, entries))


def calls(standin: StandIn, method: str) -> list[list[Any]]:
    """The parameters of the calls of a method, without the session."""
    sent = [json.loads(asked.body) for asked in standin.log if asked.system == "limesurvey"]
    return [call["params"][1:] for call in sent if call["method"] == method]


def test_the_check_tells_the_servers_clock() -> None:
    with standing_in(world_of()) as standin:
        moment = limesurvey.check(connection(standin))
    assert NOW <= moment < NOW + timedelta(seconds=30)


def test_a_wrong_password_is_told_with_the_connections_name_and_without_the_password() -> None:
    with standing_in(world_of()) as standin, pytest.raises(CredentialsError) as error:
        limesurvey.check(connection(standin, password="not-the-password"))
    assert "surveys_lime" in str(error.value)
    assert "not-the-password" not in str(error.value)


def test_an_api_that_is_switched_off_says_where_to_switch_it_on() -> None:
    with standing_in(world_of()) as standin:
        standin.faults.append(Fault("limesurvey", "error", times=None))
        with pytest.raises(SourceError, match=r"surveys_lime.*RPC interface enabled"):
            limesurvey.check(connection(standin))


def test_a_server_that_is_not_there_is_told_with_its_address() -> None:
    nowhere = Connection("surveys_lime", "http://127.0.0.1:1", "otklik", "secret", {"first_wait": "0.001"})
    with pytest.raises(SourceError, match=r"surveys_lime.*127\.0\.0\.1:1.*ConnectionError"):
        limesurvey.check(nowhere)


def test_a_survey_is_read_back_exactly() -> None:
    world = world_of(survey("limesurvey", "501", 300, left=12), survey("limesurvey", "502", 40))
    with standing_in(world) as standin:
        read = read_again(limesurvey, pull(standin, *map(entry, world.surveys)))
    assert list(problems(read)) == []
    assert answers(read) == sorted(told(world.surveys[0]) + told(world.surveys[1]), key=repr)
    assert listed(read) == {"survey-501": set(map(str, range(1, 301))), "survey-502": set(map(str, range(1, 41)))}
    first, *_, last = [
        record.values for record in rows(read, "survey_response") if record.values["survey_id"] == "survey-501"
    ]
    assert first == {
        "survey_id": "survey-501",
        "response_id": "1",
        "language": "ru",
        "started_at": "2022-06-01T05:00:00+00:00",
        "submitted_at": None,
        "is_complete": "false",
        "updated_at": "2022-06-01T05:00:00+00:00",
    }
    assert (last["submitted_at"], last["is_complete"]) == ("2022-06-13T16:05:00+00:00", "true")


def test_each_option_is_counted_as_the_world_counts_it() -> None:
    world = world_of(survey("limesurvey", "501", 300))
    with standing_in(world) as standin:
        read = read_again(limesurvey, pull(standin, entry(world.surveys[0])))
    counted = Counter((question, row, option) for _, question, row, option, _, _ in answers(read) if option)
    said = [response.answers for response in world.surveys[0].responses]
    for option in ("cold", "dear"):
        assert counted["wrong", None, option] == sum(option in each["wrong"] for each in said)
    for option in "12345":
        assert counted["mark", None, option] == sum(each["mark"] == option for each in said)
    assert counted["rooms", "r1", "a2"] == sum(each["rooms_r1"] == "a2" for each in said)


def test_questions_and_their_ready_answers_come_in_the_order_of_asking() -> None:
    world = world_of(survey("limesurvey", "501", 1))
    with standing_in(world) as standin:
        read = read_again(limesurvey, pull(standin, entry(world.surveys[0])))
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
    assert [(each["question_code"], each["option_code"], each["text"], each["position"]) for each in options[:4]] == [
        ("meal", "yes", "Да", "1"),
        ("meal", "no", "Нет", "2"),
        ("wrong", "cold", "Холодно", "1"),
        ("wrong", "dear", "Дорого", "2"),
    ]
    assert {each["language"] for each in questions + options} == {"ru"}


def test_a_late_edit_of_an_old_response_is_seen_and_what_is_older_is_not_asked_for() -> None:
    world = world_of(survey("limesurvey", "501", 450))
    edited_at = NOW - timedelta(minutes=10)
    with standing_in(world) as standin:
        change(world, 0, 300, answers={"meal": "no", "words": "Передумали"}, edited_at=edited_at)
        read = read_again(limesurvey, pull(standin, entry(world.surveys[0], cursor="450")))
    assert [record.values["response_id"] for record in rows(read, "survey_response")] == [
        str(n) for n in range(250, 451)
    ]
    assert [each[1:] for each in answers(read) if each[0] == "300"] == [
        ("meal", None, "no", None, None),
        ("words", None, None, None, "Передумали"),
    ]
    edited = {each.values["updated_at"] for each in rows(read, "survey_answer") if each.values["response_id"] == "300"}
    assert edited == {edited_at.isoformat()}
    assert len(listed(read)["survey-501"]) == 450


def test_many_responses_come_in_blocks_none_lost_between() -> None:
    world = world_of(survey("limesurvey", "501", 4_300, apart=5))
    with standing_in(world) as standin:
        read = read_again(limesurvey, pull(standin, entry(world.surveys[0])))
        blocks = [params[6:8] for params in calls(standin, "export_responses")[1:]]
    assert blocks == [[1, 2_000], [2_001, 4_000], [4_001, 4_300]]
    assert answers(read) == told(world.surveys[0])


def test_a_response_deleted_at_the_source_is_gone_from_the_listing() -> None:
    world = world_of(survey("limesurvey", "501", 30))
    world.surveys[0] = replace(
        world.surveys[0], responses=world.surveys[0].responses[:6] + world.surveys[0].responses[7:]
    )
    with standing_in(world) as standin:
        read = read_again(limesurvey, pull(standin, entry(world.surveys[0], cursor="30")))
    assert listed(read)["survey-501"] == set(map(str, range(1, 31))) - {"7"}


def test_a_response_of_tomorrow_is_not_there_yet() -> None:
    world = world_of(survey("limesurvey", "501", 10))
    world.clock = Clock(OPENED + timedelta(hours=6, minutes=30))
    with standing_in(world) as standin:
        read = read_again(limesurvey, pull(standin, entry(world.surveys[0])))
    assert listed(read)["survey-501"] == set("123456")


def test_a_survey_without_a_table_says_nothing_of_its_responses() -> None:
    """LimeSurvey drops the table when a survey is deactivated: what it held must not seem to be deleted."""
    world = world_of(replace(survey("limesurvey", "501", 3), opened_on=date(2022, 12, 1)))
    with standing_in(world) as standin:
        came = pull(standin, entry(world.surveys[0]))
    read = read_again(limesurvey, came)
    assert (listed(read), rows(read, "survey_response"), troubles(came)) == ({}, [], {})
    assert len(rows(read, "survey_question")) == 9


def test_a_survey_that_nobody_has_answered_has_no_responses() -> None:
    world = world_of(survey("limesurvey", "501", 0))
    with standing_in(world) as standin:
        came = pull(standin, entry(world.surveys[0]))
    assert (listed(read_again(limesurvey, came)), troubles(came)) == ({"survey-501": set()}, {})


def test_a_survey_that_fails_does_not_stop_the_others() -> None:
    world = world_of(survey("limesurvey", "501", 5), survey("limesurvey", "502", 5))
    gone, unnamed = SurveyEntry("gone", "limesurvey", "777"), SurveyEntry("unnamed", "limesurvey", "Питание")
    with standing_in(world) as standin:
        standin.faults.append(Fault("limesurvey", "status", match='list_groups", "params": ', code=503, times=5))
        came = pull(standin, entry(world.surveys[0]), gone, unnamed, entry(world.surveys[1]))
    assert troubles(came) == {
        "survey-501": "HTTP 503",
        "gone": "Error: Invalid survey ID",
        "unnamed": "«Питание» is not the number of a survey; mend external_id in the register",
    }
    assert answers(read_again(limesurvey, came)) == told(world.surveys[1])


@pytest.mark.parametrize("after", range(0, 14, 3))
def test_a_session_forgotten_in_the_middle_is_opened_again(after: int) -> None:
    world = world_of(survey("limesurvey", "501", 20), survey("limesurvey", "502", 20))
    with standing_in(world) as standin:
        standin.faults.append(Fault("limesurvey", "forget_sessions", after=1 + after))
        came = pull(standin, *map(entry, world.surveys))
        logins = [asked for asked in standin.log if b"get_session_key" in asked.body]
    assert (len(logins), troubles(came)) == (2, {})
    assert answers(read_again(limesurvey, came)) == sorted(told(world.surveys[0]) + told(world.surveys[1]), key=repr)


@pytest.mark.parametrize("fault", [("status", 502), ("cut", 0), ("bad_json", 0)])
@pytest.mark.parametrize("method", ["get_session_key", "list_questions", "export_responses"])
def test_what_fails_once_is_asked_again(fault: tuple[Any, int], method: str) -> None:
    world = world_of(survey("limesurvey", "501", 20))
    kind, code = fault
    with standing_in(world) as standin:
        standin.faults.append(Fault("limesurvey", kind, match=method, code=code))
        came = pull(standin, entry(world.surveys[0]))
    assert troubles(came) == {}
    assert answers(read_again(limesurvey, came)) == told(world.surveys[0])


@pytest.mark.parametrize(
    ("method", "value", "trouble"),
    [
        ("get_survey_properties", [], "the properties of the survey name no language"),
        ("list_questions", {"q": 1}, "the questions of the survey are not a list of questions"),
        ("export_responses", 5, "TypeError"),
        ("export_responses", "W10=", "the list of responses is not as documented"),
    ],
)
def test_an_answer_of_the_wrong_type_is_told_and_ends_its_survey(method: str, value: Any, trouble: str) -> None:
    world = world_of(survey("limesurvey", "501", 5), survey("limesurvey", "502", 5))
    with standing_in(world) as standin:
        standin.faults.append(Fault("limesurvey", "wrong_type", match=method, field="result", value=value))
        came = pull(standin, *map(entry, world.surveys))
    assert troubles(came) == {"survey-501": trouble}
    read = read_again(limesurvey, came)
    assert answers(read) == told(world.surveys[1])
    assert set(listed(read)) == {"survey-502"}


def test_requests_keep_the_connections_rate() -> None:
    world = world_of(survey("limesurvey", "501", 3))
    with standing_in(world) as standin:
        extra = {"rate": "25", "timezone": "UTC"}
        list(limesurvey.pull(connection(standin, extra=extra), INTERVAL, [entry(world.surveys[0])]))
        arrivals = [asked.arrived for asked in standin.log]
    assert len(arrivals) == 9
    assert (arrivals[-1] - arrivals[0]) / 8 >= 1 / 25 - 0.002


def test_no_secret_reaches_an_answer_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = world_of(survey("limesurvey", "501", 3))
    with standing_in(world) as standin:
        lines = "".join(answer.as_line() for answer in pull(standin, entry(world.surveys[0])))
        password = standin.credentials.limesurvey_password
        [key] = {json.loads(asked.body)["params"][0] for asked in standin.log if b"export_responses" in asked.body}
    logged = "".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    for secret in (password, key):
        assert secret not in lines
        assert secret not in logged


def test_a_zone_that_does_not_exist_is_told_before_anything_is_asked() -> None:
    made = Connection("surveys_lime", "http://127.0.0.1:1", extra={"timezone": "Asia/Sverdlovsk"})
    with pytest.raises(SourceError, match=r"surveys_lime.*Asia/Sverdlovsk"):
        list(limesurvey.pull(made, INTERVAL, []))


def test_the_moment_of_an_answer_is_the_servers() -> None:
    world = world_of(survey("limesurvey", "501", 1))
    with standing_in(world) as standin:
        moments = {answer.answered_at.replace(second=0) for answer in pull(standin, entry(world.surveys[0]))}
    assert moments == {datetime(2022, 6, 30, 18, 0, tzinfo=UTC)}
