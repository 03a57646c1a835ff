"""What a source has no more is written as deleted, once, and is current again when it comes back."""

from datetime import date
from typing import Any

import pytest

from otklik.interval import Interval
from otklik.warehouse.ledger import BatchReport
from otklik.warehouse.versions import VersionLoad
from tests.fixtures.files import ZONE, Centre, counts, csv_text
from tests.fixtures.told import Thing, load_told

FIRST, SECOND, THIRD, FOURTH = (Interval.of_day(date(2022, 3, day), ZONE) for day in (15, 16, 17, 18))
ANSWERS = ["survey_id", "response_id", "question_code", "subquestion_code", "option_code", "text", "updated_at"]
UNDATED = {name: name for name in ANSWERS[:-1]}

CURRENT = """
    select response_id, question_code, option_code, text from (
        select distinct on (survey_id, response_id, question_code, subquestion_code, option_code) *
        from raw.survey_answer
        order by
            survey_id, response_id, question_code, subquestion_code, option_code,
            updated_at desc, batch_id desc, row_number desc
    ) as latest
    where not is_deleted
    order by 1, 2, 3
"""


def answer(response: str, question: str, option: str = "", text: str = "", at: str = "15.03.2022 10:00") -> list[str]:
    return ["s1", response, question, "", option, text, at]


def load(
    centre: Centre, *answers: list[str], night: Interval, fields: dict[str, str] | None = None, name: str = ""
) -> BatchReport:
    """Load the answers as the file of a night."""
    mapping = centre.mapping(entity="survey_answer", fields=fields or {field: field for field in ANSWERS})
    return centre.load(centre.write(csv_text(answers, ANSWERS), name or f"{night.start:%d}.csv"), mapping, night)


def current(centre: Centre) -> list[tuple[Any, ...]]:
    return [tuple(found.values()) for found in centre.query(CURRENT)]


def test_an_answer_that_a_response_has_no_more_is_deleted_and_other_responses_are_left_alone(centre: Centre) -> None:
    first = load(
        centre, answer("r1", "q1", "A"), answer("r1", "q2", "X"), answer("r2", "q1", "A"), answer("r2", "q3", "Z"),
        night=FIRST,
    )  # fmt: skip
    assert (*counts(first), first.rows_deleted) == (4, 4, 0, 0, 0)
    at = "16.03.2022 09:00"
    again = load(centre, answer("r1", "q1", "B", at=at), answer("r1", "q2", "X", at=at), night=SECOND)
    assert (*counts(again), again.rows_deleted) == (2, 2, 0, 0, 1)
    assert [(row[0], row[1], row[2]) for row in current(centre)] == [
        ("r1", "q1", "B"),
        ("r1", "q2", "X"),
        ("r2", "q1", "A"),
        ("r2", "q3", "Z"),
    ]


def test_a_deletion_is_a_version_of_the_night_that_tells_all_that_was_known(centre: Centre) -> None:
    load(centre, answer("r1", "q1", text="звоните 8 912 345-67-89"), answer("r1", "q2", "X"), night=FIRST)
    report = load(centre, answer("r1", "q2", "X"), night=SECOND)
    [deleted] = centre.query(
        "select batch_id, row_number, updated_at::text as at, source, region_code, question_code, text, masked_text"
        " from raw.survey_answer where is_deleted"
    )
    assert deleted == {
        "batch_id": report.batch_id,
        "row_number": -1,
        "at": "2022-03-16 19:00:00+00",
        "source": "centre",
        "region_code": "66",
        "question_code": "q1",
        "text": "звоните 8 912 345-67-89",
        "masked_text": "звоните [скрыто]",
    }


def test_an_answer_left_as_it_was_is_unchanged_and_what_is_missing_beside_it_deleted(centre: Centre) -> None:
    load(centre, answer("r1", "q1", "A"), answer("r1", "q2", "X"), night=FIRST)
    report = load(centre, answer("r1", "q1", "A"), night=SECOND)
    assert (*counts(report), report.rows_deleted) == (1, 0, 0, 1, 1)
    assert [row[1] for row in current(centre)] == ["q1"]


def test_open_text_that_was_rewritten_is_a_new_version_and_no_deletion(centre: Centre) -> None:
    load(centre, answer("r1", "q1", text="было"), night=FIRST)
    report = load(centre, answer("r1", "q1", text="стало", at="16.03.2022 09:00"), night=SECOND)
    assert (*counts(report), report.rows_deleted) == (1, 1, 0, 0, 0)
    assert current(centre) == [("r1", "q1", None, "стало")]


def test_an_answer_that_came_and_was_refused_is_not_taken_for_missing(centre: Centre) -> None:
    load(centre, answer("r1", "q1", "A"), answer("r1", "q2", "X"), answer("r2", "q1", "A"), answer("r2", "q2", "X"),
         night=FIRST)  # fmt: skip
    at = "16.03.2022 09:00"
    again = load(centre, answer("r1", "q1", "B", at=at), answer("r1", "q2", "X", at="soon"),
                 answer("r2", "q1", "B", at=at), night=SECOND)  # fmt: skip
    assert (*counts(again), again.rows_deleted) == (3, 2, 1, 0, 3)
    assert [(row[0], row[1], row[2]) for row in current(centre)] == [
        ("r1", "q1", "B"),
        ("r1", "q2", "X"),
        ("r2", "q1", "B"),
    ]


@pytest.mark.parametrize("fields", [None, UNDATED], ids=["dated", "undated"])
def test_an_answer_that_comes_back_is_current_again_and_then_unchanged(
    centre: Centre, fields: dict[str, str] | None
) -> None:
    load(centre, answer("r1", "q1", "A"), night=FIRST, fields=fields)
    changed = load(centre, answer("r1", "q1", "B"), night=SECOND, fields=fields)
    assert (*counts(changed), changed.rows_deleted) == (1, 1, 0, 0, 1)
    back = load(centre, answer("r1", "q1", "A"), night=THIRD, fields=fields, name="17.csv")
    assert (*counts(back), back.rows_deleted) == (1, 1, 0, 0, 1)
    assert current(centre) == [("r1", "q1", "A", None)]
    same = load(centre, answer("r1", "q1", "A"), night=FOURTH, fields=fields, name="18.csv")
    assert (*counts(same), same.rows_deleted) == (1, 0, 0, 1, 0)
    assert current(centre) == [("r1", "q1", "A", None)]


def test_a_night_made_up_later_deletes_nothing_that_came_after_it(centre: Centre) -> None:
    load(centre, answer("r1", "q1", "B", at="16.03.2022 09:00"), night=SECOND)
    earlier = load(centre, answer("r1", "q1", "A"), answer("r1", "q2", "X"), night=FIRST)
    assert (*counts(earlier), earlier.rows_deleted) == (2, 2, 0, 0, 0)
    assert ("r1", "q1", "B", None) in current(centre)


def test_an_old_file_under_another_name_is_unchanged_though_its_rows_were_deleted_since(centre: Centre) -> None:
    load(centre, answer("r1", "q1", "A"), answer("r1", "q2", "X"), night=FIRST)
    load(centre, answer("r1", "q1", "A"), night=SECOND)
    copy = load(centre, answer("r1", "q1", "A"), answer("r1", "q2", "X"), night=FIRST, name="copy.csv")
    assert (*counts(copy), copy.rows_deleted) == (2, 0, 0, 2, 0)
    assert [row[1] for row in current(centre)] == ["q1"]


def response(number: str, survey: str = "s1") -> Thing:
    return {
        "survey_id": survey, "response_id": number, "is_complete": "true", "updated_at": "2022-03-15T05:00:00+00:00",
    }  # fmt: skip


def listed(centre: Centre, *present: str, night: Interval, things: list[Thing] | None = None) -> BatchReport:
    """Load what a system tells of survey s1, and the listing of all responses it has."""

    def finish(load: VersionLoad) -> None:
        load.delete_absent({"survey_id": "s1"}, "response_id", present, night.end)

    return load_told(centre, "survey_response", things or [], night=night, finish=finish)


def responses(centre: Centre) -> list[tuple[Any, ...]]:
    rows = centre.query(
        "select source, survey_id, response_id from (select distinct on (source, survey_id, response_id) *"
        " from raw.survey_response order by source, survey_id, response_id, updated_at desc, batch_id desc) as latest"
        " where not is_deleted order by 1, 2, 3"
    )
    return [tuple(row.values()) for row in rows]


def test_what_a_listing_lacks_is_deleted_within_its_scope_and_once(centre: Centre) -> None:
    fields = {name: name for name in response("1")}
    elsewhere = centre.write(csv_text([list(response("1").values())], list(fields)))
    mapping = centre.mapping(entity="survey_response", fields=fields, times={"formats": ["%Y-%m-%dT%H:%M:%S%:z"]})
    assert counts(centre.load(elsewhere, mapping)) == (1, 1, 0, 0)
    load_told(centre, "survey_response", [response("1"), response("2"), response("3"), response("2", "s2")])
    report = listed(centre, "1", "3", "4", night=SECOND)
    assert (*counts(report), report.rows_deleted) == (0, 0, 0, 0, 1)
    assert responses(centre) == [
        ("centre", "s1", "1"),
        ("system", "s1", "1"),
        ("system", "s1", "3"),
        ("system", "s2", "2"),
    ]
    again = listed(centre, "1", "3", night=THIRD)
    assert again.rows_deleted == 0


def test_rows_that_come_with_a_listing_are_counted_apart_from_what_it_deletes(centre: Centre) -> None:
    load_told(centre, "survey_response", [response("1"), response("2")])
    bad = response("5") | {"is_complete": "maybe"}
    report = listed(centre, "1", "4", night=SECOND, things=[response("1"), response("4"), bad])
    assert (*counts(report), report.rows_deleted) == (3, 1, 1, 1, 1)
    assert [row[2] for row in responses(centre)] == ["1", "4"]


def test_a_listing_of_nothing_deletes_all_of_its_scope(centre: Centre) -> None:
    load_told(centre, "survey_response", [response("1"), response("2"), response("1", "s2")])
    assert listed(centre, night=SECOND).rows_deleted == 2
    assert responses(centre) == [("system", "s2", "1")]


def test_a_listed_thing_that_comes_back_is_current_again(centre: Centre) -> None:
    load_told(centre, "survey_response", [response("1")])
    listed(centre, night=SECOND)
    report = listed(centre, "1", night=THIRD, things=[response("1")])
    assert (*counts(report), report.rows_deleted) == (1, 1, 0, 0, 0)
    assert responses(centre) == [("system", "s1", "1")]
    assert listed(centre, night=FOURTH).rows_deleted == 1
    assert responses(centre) == []
