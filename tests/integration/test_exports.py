"""Exports that are no tables, loaded as any file: a chat out of Telegram Desktop, a survey out of LimeSurvey."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from upath import UPath

from otklik.errors import FileError, MappingError
from otklik.load import load_file
from otklik.mapping import Mapping, load_mapping
from otklik.night import load_pending, pending_files
from tests.fixtures.files import NIGHT, Centre
from tests.integration.test_survey_export import BY_CODE, CODES, LSS

REGION = {"code": "66", "name": "Свердловская область", "time_zone": "Asia/Yekaterinburg"}
TELEGRAM = {
    "source": "meals_channel",
    "region": REGION,
    "format": "telegram",
    "telegram": {"public_name": "school_meals_66"},
}
SURVEY = {
    "source": "meals_survey",
    "region": REGION,
    "format": "limesurvey",
    "limesurvey": {"survey_id": "2022-meals", "structure": "survey.lss"},
}
NIGHT_OF_JUNE = type(NIGHT)(NIGHT.start.replace(month=6, day=2), NIGHT.end.replace(month=6, day=3))
FOUR = ["survey_question", "survey_option", "survey_response", "survey_answer"]


def mapping_of(centre: Centre, document: dict[str, Any], **changes: Any) -> Mapping:
    (centre.folder / "survey.lss").write_text(LSS, encoding="utf-8")
    path = centre.folder / f"{document['source']}.yml"
    path.write_text(yaml.safe_dump(document | changes, allow_unicode=True), encoding="utf-8")
    return load_mapping(path)


def chat(*messages: Any) -> bytes:
    export = {"name": "Питание", "type": "public_channel", "id": 1500000001, "messages": list(messages)}
    return json.dumps(export, ensure_ascii=False).encode()


def message(number: int, **changes: Any) -> dict[str, Any]:
    said = {"id": number, "type": "message", "date": "2022-03-15T10:00:00", "date_unixtime": "1647320400"}
    return said | {"author": "Анна К.", "text": ["Суп ", {"type": "bold", "text": "холодный"}]} | changes


def results(*lines: list[str]) -> bytes:
    return "".join(",".join(cells) + "\r\n" for cells in (BY_CODE, *lines)).encode()


def counts(centre: Centre) -> list[tuple[str, int, int, int]]:
    lines = centre.query(
        "select entity, rows_loaded, rows_rejected, rows_unchanged from raw.batch where status = 'loaded' order by 1"
    )
    return [tuple(line.values()) for line in lines]


def test_a_chat_of_telegram_desktop_becomes_incidents_and_lands_unchanged(centre: Centre) -> None:
    body = chat(message(7), {"id": 8, "type": "service", "action": "pin_message"}, message(9, date_unixtime="soon"), 5)
    [report] = load_file(centre.write(body, "result.json"), mapping_of(centre, TELEGRAM), NIGHT, centre.settings)
    assert (report.entity, report.rows_read, report.rows_loaded, report.rows_rejected) == ("incident", 3, 1, 2)
    [incident] = centre.query(
        "select source, message_id, channel, status, message_text, message_url, author_name,"
        " received_at at time zone 'UTC' as received_at from raw.incident"
    )
    assert incident.pop("received_at").isoformat() == "2022-03-15T05:00:00"
    assert incident == {
        "source": "meals_channel",
        "message_id": "-1001500000001/7",
        "channel": "telegram_channel",
        "status": "new",
        "message_text": "Суп холодный",
        "message_url": "https://t.me/school_meals_66/7",
        "author_name": "Анна К.",
    }
    assert [(number, code) for number, code, _ in centre.rejections()] == [
        (2, "bad_time"),
        (2, "bad_time"),
        (3, "bad_answer"),
    ]
    [line] = centre.query("select landed_path from raw.batch")
    assert Path(line["landed_path"]).read_bytes() == body


def test_a_survey_of_limesurvey_becomes_questions_options_responses_and_answers(centre: Centre) -> None:
    file = centre.write(results(*CODES, ["9", "", "ru"]), "results.csv")
    reports = load_file(file, mapping_of(centre, SURVEY), NIGHT_OF_JUNE, centre.settings)
    assert [(each.entity, each.rows_loaded, each.rows_rejected) for each in reports] == [
        ("survey_question", 4, 0),
        ("survey_option", 8, 0),
        ("survey_response", 2, 1),
        ("survey_answer", 5, 0),
    ]
    answers = centre.query(
        "select survey_id, response_id, question_code, option_code, number, text from raw.survey_answer order by 2, 3"
    )
    assert [tuple(answer.values()) for answer in answers] == [
        ("2022-meals", "7", "meal", "yes", None, None),
        ("2022-meals", "7", "pause", None, 15.0, None),
        ("2022-meals", "7", "wrong", "cold", None, None),
        ("2022-meals", "8", "meal", "-oth-", None, "Дома"),
        ("2022-meals", "8", "wrong", "dear", None, None),
    ]
    responses = centre.query(
        "select response_id, is_complete, submitted_at at time zone 'Asia/Yekaterinburg' as at"
        " from raw.survey_response order by 1"
    )
    assert [
        (each["response_id"], each["is_complete"], each["at"] and each["at"].isoformat()) for each in responses
    ] == [
        ("7", True, "2022-06-01T10:00:00"),
        ("8", False, None),
    ]


def test_where_an_export_does_not_tell_whether_responses_are_complete_it_is_unknown(centre: Centre) -> None:
    load_file(centre.write(b"id,pause\r\n7,15\r\n", "results.csv"), mapping_of(centre, SURVEY), NIGHT, centre.settings)
    assert centre.query("select response_id, is_complete from raw.survey_response") == [
        {"response_id": "7", "is_complete": None}
    ]


def test_the_same_export_twice_changes_nothing_and_a_later_one_adds_what_is_new(centre: Centre) -> None:
    mapping = mapping_of(centre, SURVEY)
    first = load_file(centre.write(results(CODES[0]), "results.csv"), mapping, NIGHT_OF_JUNE, centre.settings)
    again = load_file(centre.write(results(CODES[0]), "results.csv"), mapping, NIGHT_OF_JUNE, centre.settings)
    assert [each.batch_id for each in again] == [each.batch_id for each in first]
    later = load_file(centre.write(results(*CODES), "results.csv"), mapping, NIGHT_OF_JUNE, centre.settings)
    assert [(each.rows_loaded, each.rows_unchanged) for each in later] == [(0, 4), (0, 8), (1, 1), (2, 3)]


def test_a_structure_that_changed_reads_the_same_export_anew(centre: Centre) -> None:
    mapping = mapping_of(centre, SURVEY)
    file = centre.write(results(*CODES), "results.csv")
    load_file(file, mapping, NIGHT_OF_JUNE, centre.settings)
    (centre.folder / "survey.lss").write_text(LSS.replace("Перемена, минут", "Перемена в минутах"), encoding="utf-8")
    changed = load_mapping(mapping.path)
    later = type(NIGHT)(NIGHT_OF_JUNE.start.replace(day=3), NIGHT_OF_JUNE.end.replace(day=4))
    question, *others = load_file(file, changed, later, centre.settings)
    assert (question.rows_loaded, question.rows_unchanged) == (1, 3)
    assert [each.rows_loaded for each in others] == [0, 0, 0]


@pytest.mark.parametrize(
    ("document", "body", "entity", "says"),
    [
        (TELEGRAM, b'{"messages": [', "incident", "export: not JSON, or cut off; export the chat again"),
        (TELEGRAM, gzip.compress(chat(message(7)))[:-9], "incident", "export: the archive is cut off or damaged"),
        (SURVEY, b"id,age\r\n7,40\r\n", "survey_question", "export: column «age» is no question of the structure file"),
        (SURVEY, b"PK\x03\x04no workbook", "survey_question", "export: not a workbook in .xlsx format"),
    ],
)
def test_a_broken_export_is_an_error_and_a_line_of_the_ledger(
    centre: Centre, document: dict[str, Any], body: bytes, entity: str, says: str
) -> None:
    with pytest.raises(FileError, match=re.escape(says)):
        load_file(centre.write(body, "export"), mapping_of(centre, document), NIGHT, centre.settings)
    [line] = centre.query("select entity, status, error, rows_read, landed_path from raw.batch")
    assert (line["entity"], line["status"], line["rows_read"]) == (entity, "failed", 0)
    assert says in line["error"]
    assert Path(line["landed_path"]).read_bytes() == body


def test_the_night_takes_exports_out_of_the_inbox(centre: Centre) -> None:
    mapping_of(centre, TELEGRAM)
    mapping_of(centre, SURVEY)
    inbox = centre.folder / "inbox"
    settings = centre.settings.model_copy(update={"mappings": (centre.folder,), "inbox": str(inbox)})
    for source, name, body in (
        ("meals_channel", "result.json", chat(message(7))),
        ("meals_survey", "r.csv", results()),
    ):
        (inbox / source).mkdir(parents=True)
        (inbox / source / name).write_bytes(body)
    waiting = {incidents: pending_files(NIGHT_OF_JUNE, settings, incidents=incidents) for incidents in (True, False)}
    assert {incidents: [file.name for file in files] for incidents, files in waiting.items()} == {
        True: ["result.json"],
        False: ["r.csv"],
    }
    for files in waiting.values():
        load_pending(files[0], NIGHT_OF_JUNE, settings)
    assert [entity for entity, *_ in counts(centre)] == sorted(["incident", *FOUR])
    assert [pending_files(NIGHT_OF_JUNE, settings, incidents=incidents) for incidents in (True, False)] == [[], []]


def test_an_export_broken_off_between_two_entities_waits_for_the_next_night_and_is_completed(centre: Centre) -> None:
    mapping = mapping_of(centre, SURVEY)
    settings = centre.settings.model_copy(update={"mappings": (centre.folder,), "inbox": str(centre.folder / "inbox")})
    file = UPath(centre.folder / "inbox/meals_survey/results.csv")
    file.parent.mkdir(parents=True)
    file.write_bytes(results(*CODES))

    class Killed(BaseException):
        pass

    def kill_after_options(rows: int) -> None:
        if len(counts(centre)) == 2:
            raise Killed

    with pytest.raises(Killed):
        load_file(file, mapping, NIGHT_OF_JUNE, settings, kill_after_options)
    assert counts(centre) == [("survey_option", 8, 0, 0), ("survey_question", 4, 0, 0)]
    [waiting] = pending_files(NIGHT_OF_JUNE, settings, incidents=False)
    load_pending(waiting, NIGHT_OF_JUNE, settings)
    assert counts(centre) == [
        ("survey_answer", 5, 0, 0),
        ("survey_option", 8, 0, 0),
        ("survey_question", 4, 0, 0),
        ("survey_response", 2, 0, 0),
    ]
    assert pending_files(NIGHT_OF_JUNE, settings, incidents=False) == []


@pytest.mark.parametrize(
    ("document", "changes", "says"),
    [
        (SURVEY, {"limesurvey": None}, "limesurvey: give survey_id and structure"),
        (SURVEY, {"entity": "survey"}, "entity: a file of limesurvey holds survey_question, survey_option"),
        (TELEGRAM, {"fields": {"message_id": "id"}}, "fields: those of telegram are known; leave them out"),
        (TELEGRAM, {"telegram": {"public_name": "@meals"}}, "telegram.public_name: String should match pattern"),
        (
            SURVEY,
            {"limesurvey": SURVEY["limesurvey"] | {"translations": {"tt": "no.csv"}}},
            "limesurvey: there is no file",
        ),
    ],
)
def test_a_wrong_mapping_of_an_export_says_what_to_do(
    centre: Centre, document: dict[str, Any], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(MappingError, match=re.escape(says)):
        mapping_of(centre, document, **changes)
