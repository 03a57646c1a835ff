"""Night by night, with corrected, late and deleted rows, the marts of surveys equal one full refresh."""

from decimal import Decimal

from tests.fixtures import survey_rows
from tests.fixtures.dbt import TestWarehouse, at, message
from tests.fixtures.survey_marts import MARTS, result
from tests.fixtures.survey_rows import (
    ANSWERS,
    PARK,
    PARK_OPTIONS,
    RESPONSES,
    Row,
    answers,
    options,
    question,
    response,
    survey,
)


def test_surveys_equal_a_full_refresh_after_every_night(by_night: TestWarehouse, at_once: TestWarehouse) -> None:
    def load(entity: str, day: str, *rows: Row) -> None:
        for warehouse in (by_night, at_once):
            warehouse.load(entity, day, list(rows))

    # What is published is noted by the nights of incidents.
    for warehouse in (by_night, at_once):
        warehouse.night("2022-03-01", [message("a", "2022-03-01 09:00")])

    def built() -> int:
        """Build the night, compare it with the whole; return how many responses it counted again."""
        by_night.model(marts=MARTS)
        at_once.model("--full-refresh", marts=MARTS)
        whole = at_once.marts(MARTS)
        assert whole == by_night.marts(MARTS)
        [(touched,)] = by_night.rows("select count(*) from intermediate.int_touched_survey_response", role="engineer")
        return int(touched)

    yard, snow = question("yard", "q1", "Есть ли свет?"), question("snow", "q1", "Убирают ли снег?")
    for warehouse in (by_night, at_once):
        survey_rows.load(
            warehouse,
            "2022-03-03",
            questions=[*PARK, yard, snow],
            options=[*PARK_OPTIONS, *options("yard", "q1", yes="Да", no="Нет")],
            responses=[*RESPONSES, response("yard", 1, "2022-03-03 10:00")],
            answers=[*ANSWERS, *answers("yard", 1, {"q1": "yes"})],
        )
    load("survey", "2022-03-03", survey("park", "Парк"), survey("yard", "Двор", closed_on="2022-03-04"))
    load("broadcast", "2022-03-03", {"broadcast_id": "E1", "held_at": at("2022-03-03 12:00"), "views": 1})
    load("material", "2022-03-03", {"material_id": "M1", "published_at": at("2022-03-03 12:00"), "views": 1})
    assert built() == 7

    # One takes an option back, another changes his mind, the unfinished one comes to its end, one is deleted.
    load("survey_response", "2022-03-05", response("park", 4, "2022-03-05 09:00", started_at="2022-03-02 10:00"))
    load("survey_response", "2022-03-05", RESPONSES[5] | {"is_deleted": True})
    load(
        "survey_answer",
        "2022-03-05",
        *answers("park", 1, {"q2": "b"}, is_deleted=True),
        *answers("park", 2, {"q1": "yes"}, is_deleted=True),
        *answers("park", 2, {"q1": "no"}),
    )
    load("broadcast", "2022-03-05", {"broadcast_id": "E1", "held_at": at("2022-03-03 12:00"), "views": 9})
    assert built() == 4
    assert result(by_night, "q1") == {"yes": (4, 2, Decimal("0.5")), "no": (4, 2, Decimal("0.5"))}
    assert result(by_night, "q2") == {
        "a": (4, 3, Decimal("0.75")),
        "b": (4, 1, Decimal("0.25")),
        "c": (4, 1, Decimal("0.25")),
        "-oth-": (4, 0, 0),
    }
    assert by_night.rows("select survey_id, is_completed from marts.dim_survey order by 1") == [
        ("park", False),
        ("yard", True),
    ]

    # A night filled in afterwards brings an answer older than the one known, and a response nobody knew of.
    load("survey_response", "2022-03-04", response("yard", 2, "2022-03-04 10:00"))
    load("survey_answer", "2022-03-04", *answers("park", 2, {"q1": "yes"}), *answers("yard", 2, {"q1": "no"}))
    assert built() == 2
    assert result(by_night, "q1") == {"yes": (4, 2, Decimal("0.5")), "no": (4, 2, Decimal("0.5"))}
    assert result(by_night, "q1", "yard") == {"yes": (2, 1, Decimal("0.5")), "no": (2, 1, Decimal("0.5"))}

    # Words alone change: the title of one survey, a question of another; a third offers an option.
    load("survey", "2022-03-11", survey("park", "Парк у реки"))
    load("survey_question", "2022-03-11", yard | {"text": "Горит ли свет?"})
    load("survey_option", "2022-03-11", *options("snow", "q1", yes="Да"))
    load("material", "2022-03-11", {"material_id": "M1", "published_at": at("2022-03-03 12:00"), "is_deleted": True})
    load("material", "2022-03-11", {"material_id": "M2", "published_at": at("2022-03-11 12:00")})
    assert built() == 0
    assert result(by_night, "q1", "snow") == {"yes": (0, 0, None)}
    words = "select distinct title, question_text from marts.mart_survey_result where question_code = 'q1' order by 1"
    assert by_night.rows(words) == [
        ("Двор", "Горит ли свет?"),
        ("Парк у реки", "Нужен ли парк?"),
        (None, "Убирают ли снег?"),
    ]
    assert by_night.rows("select survey_id from marts.dim_survey where is_completed order by 1") == [
        ("park",),
        ("yard",),
    ]
