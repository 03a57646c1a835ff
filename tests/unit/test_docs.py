"""The reference pages name everything there is."""

import re

import pytest
from pydantic import BaseModel

from otklik.contracts import reasons
from otklik.contracts.incident import CODES
from otklik.mapping import FIELDS, Mapping
from otklik.settings import PREFIX, PROJECT, Generated, Settings

ENGINEERS = (PROJECT / "docs/engineers.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\n]+)`", ENGINEERS))

# Wordings that several codes share; the codes are named one by one.
WORDINGS = {"unknown_value", "out_of_order"}
REASON_CODES = (reasons._MESSAGES.keys() - WORDINGS) | reasons.ORDERS.keys() | {f"unknown_{field}" for field in CODES}


@pytest.mark.parametrize("code", sorted(REASON_CODES | {"unknown_municipality"}))
def test_every_reason_for_refusing_a_row_is_explained(code: str) -> None:
    assert code in NAMED


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_a_mapping_is_listed(field: str) -> None:
    assert field in NAMED


@pytest.mark.parametrize("value", [value for values in CODES.values() for value in values])
def test_every_value_of_a_closed_list_is_listed(value: str) -> None:
    assert value in NAMED


@pytest.mark.parametrize("key", [name for name in Mapping.model_fields if name not in ("path", "sha256")])
def test_every_key_of_a_mapping_is_explained(key: str) -> None:
    part = Mapping.model_fields[key].annotation
    if isinstance(part, type) and issubclass(part, BaseModel) and key != "region":
        assert {f"{key}.{inner}" for inner in part.model_fields} <= NAMED
    else:
        assert NAMED & {key, f"{key}.<field>"}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    generated = any(isinstance(mark, Generated) for mark in Settings.model_fields[name].metadata)
    endings = {f"{PREFIX}…_{ending}" for ending in ("PASSWORD", "KEY", "SECRET")}
    assert PREFIX + name.upper() in NAMED or (generated and endings <= NAMED)


def test_every_make_target_is_listed() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) - {"help"} <= NAMED
