"""The reference pages name everything there is."""

import re

import pytest
from pydantic import BaseModel

from otklik.contracts import reasons
from otklik.contracts.entities import ENTITIES
from otklik.contracts.entity import Entity
from otklik.mapping import FieldMapping, Mapping
from otklik.settings import PREFIX, PROJECT, Generated, Settings

ENGINEERS = (PROJECT / "docs/engineers.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", ENGINEERS))
SECTIONS = {
    name: text.split("\n### ")[0]
    for name, text in re.findall(r"^#### `(\w+)`(.*?)(?=^#### |\Z)", ENGINEERS, re.MULTILINE | re.DOTALL)
}

# Wordings that several codes share; the codes are named one by one.
WORDINGS = {"unknown_value", "out_of_order"}
ORDERS = {rule for entity in ENTITIES.values() for rule in entity.orders}
UNKNOWN = {f"unknown_{field}" for entity in ENTITIES.values() for field in entity.codes}
REASON_CODES = (reasons._MESSAGES.keys() - WORDINGS) | ORDERS | UNKNOWN | {"unknown_municipality"}


def each_entity(values: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(values, ENTITIES.values(), ids=ENTITIES)


def fields_listed(entity: Entity) -> list[str]:
    """Return the names in the first column of the entity's table, required ones as `**name**`."""
    cells = re.findall(r"^\| ([*`].*?) \|", SECTIONS[entity.name], re.MULTILINE)
    return [name for cell in cells for name in cell.replace("`", "").split(", ")]


@pytest.mark.parametrize("code", sorted(REASON_CODES))
def test_every_reason_for_refusing_a_row_is_explained(code: str) -> None:
    assert code in NAMED


@each_entity("entity")
def test_every_rule_of_a_contract_has_its_reason(entity: Entity) -> None:
    assert set(entity.schema._schema_validation_rules()) <= REASON_CODES


@each_entity("entity")
def test_the_fields_of_an_entity_are_listed_each_once_and_no_others(entity: Entity) -> None:
    listed = [name.strip("*") for name in fields_listed(entity)]
    assert sorted(listed) == sorted(entity.fields)


@each_entity("entity")
def test_the_fields_in_bold_are_those_a_mapping_must_give(entity: Entity) -> None:
    assert {name.strip("*") for name in fields_listed(entity) if name.startswith("**")} == set(entity.required)


@each_entity("entity")
def test_the_key_of_an_entity_is_told(entity: Entity) -> None:
    assert f"Key: {', '.join(f'`{name}`' for name in entity.key)}." in SECTIONS[entity.name]


@each_entity("entity")
def test_every_value_of_a_closed_list_is_listed_beside_its_field(entity: Entity) -> None:
    lines = SECTIONS[entity.name].splitlines()
    for field, values in entity.codes.items():
        [line] = [line for line in lines if re.match(rf"\| \**`{field}`", line)]
        assert [value for value in values if f"`{value}`" not in line] == []


@pytest.mark.parametrize("key", [name for name in Mapping.model_fields if name not in ("path", "sha256")])
def test_every_key_of_a_mapping_is_explained(key: str) -> None:
    part = Mapping.model_fields[key].annotation
    if isinstance(part, type) and issubclass(part, BaseModel) and key != "region":
        assert {f"{key}.{inner}" for inner in part.model_fields} <= NAMED
    else:
        assert NAMED & {key, f"{key}.<field>"}


@pytest.mark.parametrize("key", FieldMapping.model_fields)
def test_every_key_of_a_field_is_explained(key: str) -> None:
    assert f"fields.<field>.{key}" in NAMED


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    generated = any(isinstance(mark, Generated) for mark in Settings.model_fields[name].metadata)
    endings = {f"{PREFIX}…_{ending}" for ending in ("PASSWORD", "KEY", "SECRET")}
    assert PREFIX + name.upper() in NAMED or (generated and endings <= NAMED)


def test_every_make_target_is_listed() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) - {"help"} <= NAMED
