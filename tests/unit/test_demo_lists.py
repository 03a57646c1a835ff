"""The made-up centre's broadcasts and materials, and the mappings that read its files."""

import csv
import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from otklik.contracts.entities import ENTITIES
from otklik.demo.centre_files import write_centre_files
from otklik.settings import PROJECT

MAPPINGS = sorted((PROJECT / "otklik" / "demo" / "mappings").glob("*.yml"))
OF_LISTS = [path for path in MAPPINGS if path.name != "sverdlovsk.yml"]
FILES = {
    "audience": "audience_history.csv.gz",
    "authorities": "authorities.csv",
    "broadcasts": "broadcasts.csv",
    "materials": "materials.csv",
    "pages": "pages.csv",
    "surveys": "surveys.csv",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("centre")
    write_centre_files(folder)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def test_20_broadcasts_are_held_in_2022(folder: Path) -> None:
    held = rows(folder / "broadcasts.csv")
    assert Counter(row["Начало"][6:10] for row in held) == {"2020": 1, "2021": 12, "2022": 20}
    assert len({row["Код эфира"] for row in held}) == 33


def test_guests_are_heads_and_ministers_named_by_their_posts_only(folder: Path) -> None:
    posts = Counter(row["Гость"].split(" ")[0] for row in rows(folder / "broadcasts.csv"))
    assert posts == {"Глава": 17, "Министр": 16}


def test_a_broadcast_is_the_affair_of_an_authority_of_the_register_on_a_workday(folder: Path) -> None:
    municipality = {row["Наименование"]: row["ОКТМО"] for row in rows(folder / "authorities.csv")}
    for row in rows(folder / "broadcasts.csv"):
        assert row["ОКТМО"] == municipality[row["Орган"]]
        assert bool(row["ОКТМО"]) == row["Гость"].startswith("Глава")
        assert datetime.strptime(row["Начало"][:10], "%d.%m.%Y").weekday() < 5  # noqa: DTZ007


def test_over_1_500_materials_are_published_in_2022(folder: Path) -> None:
    published = rows(folder / "materials.csv")
    assert Counter(row["Опубликован"][6:10] for row in published) == {"2020": 96, "2021": 1_184, "2022": 1_537}
    assert len({row["Код материала"] for row in published}) == 2_817
    assert len({row["Тема"] for row in published}) == 10
    names = {row["Наименование"] for row in rows(folder / "authorities.csv")}
    assert {row["Орган"] for row in published} <= names
    assert 40 < sum(not row["Просмотры"] for row in published) < 130


def test_nothing_was_held_or_published_on_the_last_night_itself(folder: Path) -> None:
    days = [row["Опубликован"][:10] for row in rows(folder / "materials.csv")]
    assert "31.12.2022" not in [*days, *(row["Начало"][:10] for row in rows(folder / "broadcasts.csv"))]


def test_every_file_has_a_mapping() -> None:
    assert [path.stem for path in OF_LISTS] == sorted(FILES)


@pytest.mark.parametrize("path", OF_LISTS, ids=lambda path: path.stem)
def test_a_mapping_names_columns_of_its_file_and_fields_of_its_entity(path: Path, folder: Path) -> None:
    mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
    entity = ENTITIES[mapping["entity"]]
    fields = {name: spec if isinstance(spec, dict) else {"column": spec} for name, spec in mapping["fields"].items()}
    header = set(rows(folder / FILES[path.stem])[0])
    assert {spec["column"] for spec in fields.values() if "column" in spec} == header
    assert set(entity.required) <= set(fields) <= set(entity.fields)


@pytest.mark.parametrize("path", OF_LISTS, ids=lambda path: path.stem)
def test_a_mapping_translates_every_value_into_one_the_contract_knows(path: Path, folder: Path) -> None:
    mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
    codes = ENTITIES[mapping["entity"]].codes
    found = rows(folder / FILES[path.stem])
    for name, spec in mapping["fields"].items():
        if isinstance(spec, dict) and "values" in spec:
            assert {*spec["values"].values(), spec.get("otherwise", codes[name][0])} <= set(codes[name])
            strange = {row[spec["column"]] for row in found} - set(spec["values"])
            assert not strange or "otherwise" in spec, strange


def test_no_two_mappings_describe_the_same_source() -> None:
    sources = [yaml.safe_load(path.read_text(encoding="utf-8"))["source"] for path in MAPPINGS]
    assert len(set(sources)) == len(sources) == 7
