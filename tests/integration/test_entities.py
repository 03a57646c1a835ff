"""Each entity of the contracts loads from a file by its mapping alone: good rows typed, bad ones with their reasons."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from otklik.contracts.entities import ENTITIES
from otklik.interval import Interval
from otklik.mapping import Mapping
from otklik.warehouse.ledger import BatchReport
from tests.fixtures.files import NIGHT, ZONE, Centre, counts, csv_text

NEXT = Interval.of_day(date(2022, 3, 16), ZONE)
AT, HELD = "15.03.2022 10:00", datetime(2022, 3, 15, 5, tzinfo=UTC)
TOMORROW = "16.03.2022 10:00"
LONG_KEY, LONG_NAME, LONG_TEXT = "к" * 201, "и" * 1_001, "т" * 100_001


@dataclass(frozen=True)
class Case:
    """A good row, what of it is stored other than as text, and what breaks it: (cells, code, column)."""

    good: dict[str, str]
    typed: dict[str, Any] = field(default_factory=dict)
    broken: Sequence[tuple[dict[str, str], str, str | None]] = ()
    unknown_but: frozenset[str] = frozenset()


def missing(*names: str) -> list[tuple[dict[str, str], str, str | None]]:
    return [({name: ""}, "missing", name) for name in names]


CASES = {
    "authority": Case(
        good={
            "authority_id": "a1", "name": "Управление дорог", "level": "municipal", "founder": "Администрация",
            "municipality_code": "65720000", "municipality": "Реж", "valid_from": "01.03.2022",
            "valid_to": "31.12.2022",
        },
        typed={"valid_from": date(2022, 3, 1), "valid_to": date(2022, 12, 31)},
        broken=[
            *missing("authority_id", "name"),
            ({"authority_id": LONG_KEY}, "too_long", "authority_id"),
            ({"founder": LONG_NAME}, "too_long", "founder"),
            ({"level": "world"}, "unknown_level", "level"),
            ({"valid_from": "весной"}, "bad_time", "valid_from"),
            ({"valid_to": "28.02.2022"}, "ended_before_begun", "valid_to"),
        ],
    ),
    "page": Case(
        good={
            "page_id": "p1", "network": "vk", "external_id": "club1", "authority_id": "a1", "name": "Дороги",
            "url": "https://vk.com/club1", "opened_on": "01.02.2020", "closed_on": "01.03.2022",
            "valid_from": "01.03.2022", "valid_to": "01.03.2022",
        },
        typed={
            "opened_on": date(2020, 2, 1), "closed_on": date(2022, 3, 1),
            "valid_from": date(2022, 3, 1), "valid_to": date(2022, 3, 1),
        },
        broken=[
            *missing("page_id", "network", "external_id", "authority_id"),
            ({"network": "fidonet"}, "unknown_network", "network"),
            ({"opened_on": "31.02.2020"}, "bad_time", "opened_on"),
            ({"valid_to": "28.02.2022"}, "ended_before_begun", "valid_to"),
            ({"closed_on": "31.01.2020"}, "closed_before_opened", "closed_on"),
        ],
    ),
    "page_snapshot": Case(
        good={
            "page_id": "p1", "network": "ok", "external_id": "57", "observed_at": AT, "method": "live",
            "members_count": "0", "not_read": "", "not_read_detail": "", "name": "Дороги", "is_verified": "true",
            "has_description": "false", "has_avatar": "true", "has_cover": "false", "has_government_mark": "true",
            "posts_7_days": "12", "reach_7_days": "123456789012",
        },
        typed={
            "observed_at": HELD, "members_count": 0, "not_read": None, "not_read_detail": None, "is_verified": True,
            "has_description": False, "has_avatar": True, "has_cover": False, "has_government_mark": True,
            "posts_7_days": 12, "reach_7_days": 123_456_789_012,
        },
        broken=[
            *missing("page_id", "network", "external_id", "observed_at", "method"),
            ({"network": "fax"}, "unknown_network", "network"),
            ({"method": "guess"}, "unknown_method", "method"),
            ({"not_read": "tired"}, "unknown_not_read", "not_read"),
            ({"observed_at": TOMORROW}, "in_future", "observed_at"),
            ({"members_count": ""}, "neither_count_nor_reason", None),
            ({"members_count": "-1"}, "negative", "members_count"),
            ({"posts_7_days": "1,5"}, "bad_number", "posts_7_days"),
            ({"is_verified": "да"}, "bad_flag", "is_verified"),
        ],
        unknown_but=frozenset({"members_count"}),
    ),
    "survey": Case(
        good={
            "survey_id": "s1", "system": "limesurvey", "external_id": "123456", "title": "Школьное питание",
            "topic": "Образование", "municipality_code": "65720000", "opened_on": "01.03.2022",
            "closed_on": "01.03.2022",
        },
        typed={"opened_on": date(2022, 3, 1), "closed_on": date(2022, 3, 1)},
        broken=[
            *missing("survey_id", "system", "external_id", "title"),
            ({"system": "paper"}, "unknown_system", "system"),
            ({"closed_on": "28.02.2022"}, "closed_before_opened", "closed_on"),
        ],
    ),
    "survey_question": Case(
        good={
            "survey_id": "s1", "question_code": "q1", "subquestion_code": "sq1", "language": "ru", "position": "3",
            "kind": "single", "source_kind": "L", "text": "Довольны ли вы?",
        },
        typed={"position": 3},
        broken=[
            *missing("survey_id", "question_code", "language", "kind"),
            ({"subquestion_code": LONG_KEY}, "too_long", "subquestion_code"),
            ({"kind": "essay"}, "unknown_kind", "kind"),
            ({"position": "-3"}, "negative", "position"),
            ({"position": "третий"}, "bad_number", "position"),
            ({"text": LONG_TEXT}, "too_long", "text"),
        ],
    ),
    "survey_option": Case(
        good={
            "survey_id": "s1", "question_code": "q1", "option_code": "A1", "language": "ru", "position": "1",
            "text": "Да",
        },
        typed={"position": 1},
        broken=missing("survey_id", "question_code", "option_code", "language"),
    ),
    "survey_response": Case(
        good={
            "survey_id": "s1", "response_id": "7", "language": "ru", "started_at": AT, "submitted_at": AT,
            "is_complete": "true",
        },
        typed={"started_at": HELD, "submitted_at": HELD, "is_complete": True},
        broken=[
            *missing("survey_id", "response_id"),
            ({"is_complete": "1"}, "bad_flag", "is_complete"),
            ({"started_at": "утром"}, "bad_time", "started_at"),
        ],
    ),
    "survey_answer": Case(
        good={
            "survey_id": "s1", "response_id": "7", "question_code": "q1", "subquestion_code": "sq1",
            "option_code": "A1", "number": "4.5", "text": "Пишите на ivan@mail.ru",
        },
        typed={"number": 4.5, "masked_text": "Пишите на [скрыто]", "has_text": True},
        broken=[
            *missing("survey_id", "response_id", "question_code"),
            ({"option_code": "", "number": "", "text": ""}, "says_nothing", None),
            ({"number": "много"}, "bad_number", "number"),
        ],
        unknown_but=frozenset({"option_code"}),
    ),
    "broadcast": Case(
        good={
            "broadcast_id": "b1", "held_at": AT, "title": "Прямая линия", "guest_post": "Министр",
            "authority": "Минздрав", "municipality_code": "65720000", "municipality": "Реж", "network": "other",
            "url": "https://example.org/b1", "duration_minutes": "90", "views": "0",
        },
        typed={"held_at": HELD, "duration_minutes": 90, "views": 0},
        broken=[
            *missing("broadcast_id", "held_at"),
            ({"held_at": TOMORROW}, "in_future", "held_at"),
            ({"network": "tv"}, "unknown_network", "network"),
            ({"duration_minutes": "-90"}, "negative", "duration_minutes"),
            ({"views": "1e3"}, "bad_number", "views"),
        ],
    ),
    "material": Case(
        good={
            "material_id": "m1", "published_at": AT, "title": "Памятка", "topic": "ЖКХ", "authority": "Минстрой",
            "network": "telegram", "format": "infographic", "url": "https://example.org/m1", "views": "1000",
        },
        typed={"published_at": HELD, "views": 1_000},
        broken=[
            *missing("material_id", "published_at"),
            ({"published_at": TOMORROW}, "in_future", "published_at"),
            ({"network": "tv"}, "unknown_network", "network"),
            ({"format": "poem"}, "unknown_format", "format"),
            ({"views": "-1"}, "negative", "views"),
        ],
    ),
}  # fmt: skip


def mapping(centre: Centre, entity: str, **changes: Any) -> Mapping:
    """Return a mapping whose columns are called like the fields."""
    columns = {name: name for name in CASES[entity].good}
    formats = {"formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"]}
    return centre.mapping(entity=entity, times=formats, fields=columns | changes)


def load(
    centre: Centre, entity: str, *rows: dict[str, str], night: Interval = NIGHT, name: str = "a.csv", **changes: Any
) -> BatchReport:
    """Load rows that are like the good one but for these cells."""
    good = CASES[entity].good
    header = [*good, *dict.fromkeys(name for row in rows for name in row if name not in good)]
    content = csv_text([[(good | row).get(name, "") for name in header] for row in rows], header)
    return centre.load(centre.write(content, name), mapping(centre, entity, **changes), night)


def stored(centre: Centre, entity: str) -> list[dict[str, Any]]:
    """Return the rows of the entity's table in the order of their loading."""
    return sorted(centre.query(f"table raw.{entity}"), key=lambda row: (row["batch_id"], row["row_number"]))


@pytest.mark.parametrize("entity", CASES)
def test_a_good_row_is_stored_typed_with_what_every_row_has(centre: Centre, entity: str) -> None:
    report = load(centre, entity, {})
    assert counts(report) == (1, 1, 0, 0)
    [row] = stored(centre, entity)
    assert len(row.pop("row_hash")) > 10
    assert row == CASES[entity].good | CASES[entity].typed | {
        "batch_id": report.batch_id,
        "row_number": 2,
        "region_code": "66",
        "source": "centre",
        "updated_at": NIGHT.end,
        "is_deleted": False,
    }


@pytest.mark.parametrize("entity", CASES)
def test_what_is_not_told_is_unknown(centre: Centre, entity: str) -> None:
    case = CASES[entity]
    told = {*ENTITIES[entity].required, *case.unknown_but}
    assert counts(load(centre, entity, {name: "  " for name in case.good if name not in told})) == (1, 1, 0, 0)
    [row] = stored(centre, entity)
    assert {name for name in case.good if row[name] is None} == case.good.keys() - told


@pytest.mark.parametrize("entity", CASES)
def test_each_rule_broken_refuses_the_row_with_its_reason(centre: Centre, entity: str) -> None:
    broken = CASES[entity].broken
    report = load(centre, entity, *(cells for cells, _, _ in broken), {})
    assert counts(report) == (len(broken) + 1, 1, len(broken), 0)
    expected = [(number, code, column) for number, (_, code, column) in enumerate(broken, start=2)]
    assert centre.rejections() == expected


@pytest.mark.parametrize("entity", CASES)
def test_a_version_of_the_future_is_refused_because_it_would_outlive_all_that_come(centre: Centre, entity: str) -> None:
    report = load(centre, entity, {"updated_at": TOMORROW}, {"updated_at": AT}, updated_at="updated_at")
    assert counts(report) == (2, 1, 1, 0)
    assert centre.rejections() == [(2, "in_future", "updated_at")]


@pytest.mark.parametrize("entity", CASES)
def test_every_rule_of_the_contract_is_broken_here(entity: str) -> None:
    contract = ENTITIES[entity]
    reasons = {(code, column) for _, code, column in CASES[entity].broken}
    assert {("missing", name) for name in contract.required} <= reasons
    assert {(f"unknown_{name}", name) for name in contract.codes} <= reasons
    assert set(contract.schema._schema_validation_rules()) <= {code for code, _ in reasons} | {"in_future"}


def test_every_entity_but_the_incident_is_tested_here() -> None:
    assert ENTITIES.keys() - CASES.keys() == {"incident"}


def test_a_register_sent_again_gives_a_version_of_what_changed_and_counts_the_rest(centre: Centre) -> None:
    rows = [{"authority_id": f"a{n}"} for n in range(3)]
    assert counts(load(centre, "authority", *rows)) == (3, 3, 0, 0)
    rows[1] = rows[1] | {"name": "Управление дорог и мостов"}
    assert counts(load(centre, "authority", *rows, {"authority_id": "a3"}, night=NEXT)) == (4, 2, 0, 2)
    versions = [(row["authority_id"], row["name"], row["updated_at"]) for row in stored(centre, "authority")]
    assert versions[3:] == [
        ("a1", "Управление дорог и мостов", NEXT.end),
        ("a3", "Управление дорог", NEXT.end),
    ]
    assert centre.query("select count(*) as n from raw.authority where is_deleted") == [{"n": 0}]


def test_a_key_with_an_unknown_part_is_the_same_key_again(centre: Centre) -> None:
    assert counts(load(centre, "authority", {"valid_from": ""}, {"valid_from": ""}, {})) == (3, 2, 0, 1)
    assert counts(load(centre, "authority", {"valid_from": ""}, name="b.csv", night=NEXT)) == (1, 0, 0, 1)
    report = load(
        centre, "authority", {"valid_from": "", "name": "Иначе"}, {"valid_from": ""}, name="c.csv", night=NEXT
    )
    assert counts(report) == (2, 1, 1, 0)
    assert centre.rejections() == [(3, "duplicate_key", "authority_id")]


def test_two_stretches_of_time_of_one_authority_are_two_things(centre: Centre) -> None:
    before = {"valid_from": "01.01.2021", "valid_to": "28.02.2022", "name": "Дорожный отдел"}
    assert counts(load(centre, "authority", before, {})) == (2, 2, 0, 0)
    assert counts(load(centre, "authority", {}, before, name="b.csv", night=NEXT)) == (2, 0, 0, 2)


def test_a_constant_is_the_same_for_every_row_whatever_its_type(centre: Centre) -> None:
    constants = {
        "network": {"constant": "max"},
        "observed_at": {"constant": AT},
        "members_count": {"constant": "5"},
        "is_verified": {"constant": "false"},
        "method": {"constant": "file"},
    }
    report = load(centre, "page_snapshot", {"page_id": "p1"}, {"page_id": "p2"}, **constants)
    assert counts(report) == (2, 2, 0, 0)
    names = ("page_id", *constants)
    assert [tuple(row[name] for name in names) for row in stored(centre, "page_snapshot")] == [
        ("p1", "max", HELD, 5, False, "file"),
        ("p2", "max", HELD, 5, False, "file"),
    ]
    assert load(centre, "page", {}, valid_from={"constant": "01.03.2022"}).rows_loaded == 1
    [page] = stored(centre, "page")
    assert page["valid_from"] == date(2022, 3, 1)


def test_a_constant_that_cannot_be_read_refuses_its_rows_and_is_not_taken_for_unknown(centre: Centre) -> None:
    assert counts(load(centre, "page", {}, valid_from={"constant": "весной"})) == (1, 0, 1, 0)
    assert centre.rejections() == [(2, "bad_time", "valid_from")]


def test_a_contradiction_is_told_by_its_whole_key_though_a_part_of_it_is_a_constant(centre: Centre) -> None:
    rows = [{"response_id": "7"}, {"response_id": "7", "language": "en"}]
    assert counts(load(centre, "survey_response", *rows, survey_id={"constant": "s1"})) == (2, 1, 1, 0)
    assert centre.rejections() == [(3, "duplicate_key", "response_id")]
    assert counts(load(centre, "survey_response", *rows, name="b.csv", night=NEXT)) == (2, 0, 1, 1)
    told = centre.query("select reasons->0->>'value' as value from raw.rejected_row order by rejected_row_id")
    assert [row["value"] for row in told] == ["7", "s1, 7"]


def test_flags_and_codes_are_translated_and_what_is_not_listed_is_refused(centre: Centre) -> None:
    flag = {"column": "is_complete", "values": {"Да": "true", "Нет": "false"}}
    rows = [{"response_id": str(n), "is_complete": cell} for n, cell in enumerate(("Да", "Нет", "Ага"))]
    assert counts(load(centre, "survey_response", *rows, is_complete=flag)) == (3, 2, 1, 0)
    assert [row["is_complete"] for row in stored(centre, "survey_response")] == [True, False]
    assert centre.rejections() == [(4, "bad_flag", "is_complete")]
    network = {"column": "network", "values": {"ВК": "vk"}, "otherwise": "other"}
    rows = [{"material_id": str(n), "network": cell} for n, cell in enumerate(("ВК", "ТВ", ""))]
    assert counts(load(centre, "material", *rows, network=network)) == (3, 3, 0, 0)
    assert [row["network"] for row in stored(centre, "material")] == ["vk", "other", None]


def test_days_of_a_workbook_are_serial_numbers(centre: Centre) -> None:
    spec = mapping(centre, "survey").model_dump()["fields"]
    serial = centre.mapping(entity="survey", times={"formats": ["excel"]}, fields=spec)
    good = CASES["survey"].good | {"opened_on": "44621", "closed_on": "44622.75"}
    centre.load(centre.write(csv_text([list(good.values())], list(good))), serial)
    [row] = stored(centre, "survey")
    assert (row["opened_on"], row["closed_on"]) == (date(2022, 3, 1), date(2022, 3, 2))


def test_open_texts_of_answers_are_not_repeated_in_reasons(centre: Centre) -> None:
    load(centre, "survey_answer", {"text": "тайна\x00"})
    assert centre.rejections() == [(2, "nul_byte", "text")]
    [refused] = centre.query("select reasons::text as reasons from raw.rejected_row")
    assert "тайна" not in refused["reasons"]
