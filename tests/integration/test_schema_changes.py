"""A field that appears, vanishes or changes its type at a source is told once, with the batch that noticed it."""

from datetime import date
from typing import Any

import pytest

from otklik.errors import FileError
from otklik.interval import Interval
from otklik.warehouse.ledger import BatchReport
from otklik.warehouse.versions import VersionLoad
from tests.fixtures.files import HEADER, ZONE, Centre, csv_text, row
from tests.fixtures.told import Thing, load_told

NIGHTS = [Interval.of_day(date(2022, 3, day), ZONE) for day in range(15, 20)]


def changes(centre: Centre, report: BatchReport | None = None) -> list[tuple[Any, ...]]:
    """Return (field, change, types before, types after) of a batch, or of all."""
    rows = centre.query(
        "select batch_id, field, change, types_before, types_after from quality.schema_change order by field, change"
    )
    return [tuple(found.values())[1:] for found in rows if report is None or found["batch_id"] == report.batch_id]


def load_night(centre: Centre, night: int, *things: Thing) -> BatchReport:
    """Load responses of a survey, each with what else the system said of it."""
    known = {"survey_id": "s1", "is_complete": "true"}
    numbered = [known | {"response_id": f"{night}-{n}"} | thing for n, thing in enumerate(things)]
    return load_told(centre, "survey_response", numbered, night=NIGHTS[night])


def test_a_first_load_and_a_load_of_the_same_shape_tell_nothing(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1, "b": {"c": "x"}})
    load_night(centre, 1, {"a": 2, "b": {"c": "y"}})
    assert changes(centre) == []
    fields = centre.query("select field, types, is_present, kind from quality.source_field order by field")
    assert [tuple(found.values()) for found in fields] == [
        ("a", ["number"], True, "system.thing"),
        ("b", ["object"], True, "system.thing"),
        ("b.c", ["string"], True, "system.thing"),
        ("is_complete", ["string"], True, "system.thing"),
        ("response_id", ["string"], True, "system.thing"),
        ("survey_id", ["string"], True, "system.thing"),
    ]


def test_a_field_that_appears_is_told_once(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1})
    report = load_night(centre, 1, {"a": 1}, {"a": 1, "new": [{"deep": True}]})
    load_night(centre, 2, {"a": 1, "new": [{"deep": False}]})
    assert (
        changes(centre, report)
        == changes(centre)
        == [
            ("new", "appeared", None, ["array"]),
            ("new[].deep", "appeared", None, ["boolean"]),
        ]
    )


def test_a_field_that_vanishes_is_told_once_and_again_when_it_is_back(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1, "b": "x"})
    gone = load_night(centre, 1, {"b": "x"})
    load_night(centre, 2, {"b": "x"})
    assert changes(centre, gone) == changes(centre) == [("a", "vanished", ["number"], None)]
    back = load_night(centre, 3, {"a": 1, "b": "x"})
    assert changes(centre, back) == [("a", "appeared", None, ["number"])]


def test_a_field_that_only_some_things_have_does_not_vanish(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1}, {})
    load_night(centre, 1, {}, {})
    load_night(centre, 2, {"a": 1}, {})
    assert changes(centre) == []


def test_a_field_of_another_type_is_told_with_both(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1, "b": "x", "c": 1})
    report = load_night(centre, 1, {"a": "1", "b": ["x"], "c": 2.5})
    load_night(centre, 2, {"a": "2", "b": [], "c": 3})
    assert (
        changes(centre, report)
        == changes(centre)
        == [
            ("a", "retyped", ["number"], ["string"]),
            ("b", "retyped", ["string"], ["array"]),
        ]
    )


def test_a_field_that_is_null_everywhere_keeps_its_type(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1, "b": None})
    load_night(centre, 1, {"a": None, "b": None})
    load_night(centre, 2, {"a": 2, "b": "x"})
    assert changes(centre) == []
    report = load_night(centre, 3, {"a": None, "b": 7})
    assert changes(centre, report) == [("b", "retyped", ["string"], ["number"])]


def test_a_night_without_things_says_nothing_of_their_fields(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1})
    load_night(centre, 1)
    load_night(centre, 2, {"a": 1})
    assert changes(centre) == []


def test_columns_of_a_file_are_watched_mapped_or_not(centre: Centre) -> None:
    def load(night: int, header: list[str], cells: list[str]) -> BatchReport:
        return centre.load(centre.write(csv_text([cells], header), f"{night}.csv"), night=NIGHTS[night])

    load(0, [*HEADER, "Лишний"], [*row("1"), "x"])
    load(1, [*HEADER, "Лишний"], [*row("2"), ""])
    assert changes(centre) == []
    report = load(2, [*HEADER, "Новый"], [*row("3"), "x"])
    assert changes(centre, report) == [
        ("Лишний", "vanished", ["string"], None),
        ("Новый", "appeared", None, ["string"]),
    ]


def test_a_name_that_the_database_cannot_hold_is_told_as_it_can_be_read(centre: Centre) -> None:
    load_night(centre, 0, {"a": 1})
    load_night(centre, 1, {"a": 1, "b\x00": 1, "c\ud800": 1})
    assert [field for field, *_ in changes(centre)] == ["b␀", "c\\ud800"]


def test_a_load_that_fails_leaves_the_fields_as_they_were(centre: Centre) -> None:
    def fail(load: VersionLoad) -> None:
        raise FileError("cut off")

    load_night(centre, 0, {"a": 1})
    things = [{"survey_id": "s1", "response_id": "1", "is_complete": "true", "b": 1}]
    with pytest.raises(FileError):
        load_told(centre, "survey_response", things, night=NIGHTS[1], finish=fail)
    assert changes(centre) == []
    known = centre.query("select field from quality.source_field where is_present and field in ('a', 'b')")
    assert known == [{"field": "a"}]
