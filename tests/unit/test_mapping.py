"""A mapping is checked before a row is read, and what is wrong is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from otklik.errors import MappingError
from otklik.mapping import load_mapping, load_mappings
from otklik.settings import PROJECT
from tests.fixtures.files import MAPPING


def write(folder: Path, name: str = "centre.yml", **changes: Any) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(MAPPING | changes, allow_unicode=True), encoding="utf-8")
    return path


def fields(**changes: Any) -> dict[str, Any]:
    return MAPPING["fields"] | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "Мой центр"}, "source: String should match pattern"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        (
            {"fields": fields(answer="Ответ")},
            "fields: no such field as answer; there are updated_at, message_id, incident_id",
        ),
        ({"fields": {"message_id": "Номер"}}, "fields: incident_id, status, received_at must be given a column"),
        (
            {"fields": fields(status={"column": "Статус", "values": {"Новое": "fresh"}})},
            "fields.status: «fresh» is not one of new, registered",
        ),
        ({"times": {"formats": ["dd.mm.yyyy"]}}, "«dd.mm.yyyy» is not a time format; write it like %d.%m.%Y"),
        ({"times": {"zone": "Урал"}}, "times.zone: «Урал» is not a time zone"),
        ({"csv": {"encoding": "win"}}, "csv.encoding: «win» is not an encoding; use auto, utf-8 or cp1251"),
        (
            {
                "fields": fields(
                    municipality_code={"column": "М", "values_from": {"file": "no.csv", "key": "a", "value": "b"}}
                )
            },
            "fields.municipality_code.values_from: ",
        ),
        (
            {"fields": fields(authority={"column": "О", "otherwise": "x"})},
            "fields.authority: otherwise needs values or values_from",
        ),
    ],
)
def test_a_wrong_mapping_is_refused_by_file_and_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_text_that_is_not_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "centre.yml"
    path.write_text("source: [centre\nregion: 66")
    with pytest.raises(MappingError, match="line 2"):
        load_mapping(path)


def test_values_are_taken_from_a_file_beside_the_mapping_and_belong_to_its_hash(tmp_path: Path) -> None:
    registry = tmp_path / "municipality.csv"
    registry.write_text("name,oktmo\nРеж,65720000\n")
    spec = {"column": "М", "values_from": {"file": "municipality.csv", "key": "name", "value": "oktmo"}}
    path = write(tmp_path, fields=fields(municipality_code=spec))
    before = load_mapping(path)
    assert before.translations["municipality_code"] == {"Реж": "65720000"}
    registry.write_text("name,oktmo\nРеж,65720000\nАсбест,65730000\n")
    assert load_mapping(path).sha256 != before.sha256


def test_two_mappings_of_one_source_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yml")
    write(tmp_path, "b.yml")
    with pytest.raises(MappingError, match=r"b\.yml: source centre is described by .*a\.yml already"):
        load_mappings([tmp_path])


def test_numbers_and_booleans_of_yaml_are_the_texts_a_file_holds(tmp_path: Path) -> None:
    spec = {"column": "Статус", "values": {1: "new", 2: "closed"}}
    mapping = load_mapping(write(tmp_path, fields=fields(status=spec)))
    assert mapping.translations["status"] == {"1": "new", "2": "closed"}


@pytest.mark.parametrize("path", sorted((PROJECT / "examples").glob("*.yml")), ids=lambda path: path.name)
def test_the_examples_are_valid(path: Path) -> None:
    assert load_mapping(path).source == path.stem
