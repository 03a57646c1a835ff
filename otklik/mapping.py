"""A mapping: how one centre's export becomes rows of an entity. It is data, checked before a row is read.

A mapping file in YAML::

    source: boston311                  # names the source everywhere; its inbox is <OTKLIK_INBOX>/boston311/
    entity: incident                 # what a row is (default); or authority, page, page_snapshot, survey…
    region: {code: boston, name: Бостон, time_zone: America/New_York}
    files:
      pattern: "*.zip"                 # which files of the inbox (default: every file)
      date: "incidents_%Y-%m-%d.csv"   # if names carry the night's date (a final .gz or .zip may follow)
    format: csv                        # csv | xlsx | jsonl; each plain, .gz or .zip
    csv: {delimiter: ",", encoding: auto}   # auto | utf-8 | cp1251 | any other Python codec
    xlsx: {sheet: "Лист1"}             # default: the first sheet
    times:
      formats: ["%d.%m.%Y %H:%M:%S", excel]   # tried in turn; excel: serial days
      zone: America/New_York           # default: the region's
    fields:
      message_id: case_enquiry_id      # field: column
      status:
        column: case_status
        values: {Open: registered, Closed: closed}
        otherwise: other               # default: a value not listed rejects the row
      municipality_code:
        column: Муниципалитет
        values_from: {file: ../municipality.csv, key: name, value: oktmo}
      channel: {constant: portal}      # the same for every row

Two formats are a system's own export, whose fields are known: instead of `entity` and `fields` stands what the
export does not tell::

    format: telegram                   # result.json of Telegram Desktop
    telegram: {public_name: school_meals_66}
    # or
    format: limesurvey                 # responses exported by LimeSurvey, CSV or XLSX
    limesurvey:
      survey_id: 2022-school-meals
      structure: meals.lss             # the survey's structure, beside the mapping
      complete: true                   # where the export has no date of submission (default: not known)
      translations: {tt: meals_tt.csv} # exports of the same responses in other languages
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from otklik.contracts.entities import ENTITIES
from otklik.contracts.entity import Entity
from otklik.errors import MappingError
from otklik.layout import Layout
from otklik.mapping_parts import (
    Csv,
    FieldMapping,
    Files,
    LimeSurvey,
    Part,
    Region,
    Telegram,
    Times,
    ValuesFrom,
    Xlsx,
)
from otklik.sources.systems import SYSTEMS

__all__ = ["FieldMapping", "Mapping", "Region", "load_mapping", "load_mappings"]


# Formats of a system's own export, whose fields are known -> the entities such a file holds.
_EXPORTS = {"telegram": SYSTEMS["telegram_channel"].entities, "limesurvey": SYSTEMS["limesurvey"].entities}


class Mapping(Part):
    """A whole mapping file; `path` and `sha256` say where it came from."""

    source: str = Field(pattern=r"^[a-z0-9_]+$")
    entity: str = "incident"
    region: Region
    files: Files = Files()
    format: Literal["csv", "xlsx", "jsonl", "telegram", "limesurvey"] = "csv"
    csv: Csv = Csv()
    xlsx: Xlsx = Xlsx()
    telegram: Telegram = Telegram()
    limesurvey: LimeSurvey | None = None
    times: Times = Times()
    fields: dict[str, FieldMapping] = Field(default={})
    path: Path = Field(exclude=True)
    sha256: str = Field(exclude=True)

    @field_validator("fields", mode="before")
    @classmethod
    def _short_form(cls, fields: Any) -> Any:
        """Let `field: column` stand for `field: {column: column}`."""
        if not isinstance(fields, dict):
            return fields
        return {name: {"column": spec} if isinstance(spec, str) else spec for name, spec in fields.items()}

    @field_validator("entity")
    @classmethod
    def _known_entity(cls, name: str) -> str:
        if name not in ENTITIES:
            raise ValueError(f"«{name}» is no entity; there are {', '.join(ENTITIES)}")
        return name

    @model_validator(mode="after")
    def _an_export_has_fields_of_its_own(self) -> Self:
        if self.format == "limesurvey" and self.limesurvey is None:
            raise ValueError("limesurvey: give survey_id and structure")
        if not self.is_table and self.fields:
            raise ValueError(f"fields: those of {self.format} are known; leave them out")
        if not self.is_table and "entity" in self.model_fields_set and (self.entity,) != self.entities:
            raise ValueError(f"entity: a file of {self.format} holds {', '.join(self.entities)}; leave it out")
        return self

    @model_validator(mode="after")
    def _fields_are_the_contracts(self) -> Self:
        if not self.is_table:
            return self
        contract = self.contract
        if unknown := [name for name in self.fields if name not in contract.fields]:
            raise ValueError(f"fields: no such field as {', '.join(unknown)}; there are {', '.join(contract.fields)}")
        if missing := [name for name in contract.required if name not in self.fields]:
            raise ValueError(f"fields: {', '.join(missing)} must be given a column")
        for name, allowed in contract.codes.items():
            spec = self.fields.get(name)
            targets = [*(spec.values or {}).values(), spec.otherwise, spec.constant] if spec else []
            if wrong := [target for target in targets if target is not None and target not in allowed]:
                raise ValueError(f"fields.{name}: «{wrong[0]}» is not one of {', '.join(allowed)}")
        return self

    @property
    def is_table(self) -> bool:
        """Tell whether the file is rows of one entity, and no export with records of its own."""
        return self.format not in _EXPORTS

    @property
    def entities(self) -> tuple[str, ...]:
        """Return the entities that the file holds."""
        return _EXPORTS.get(self.format, (self.entity,))

    def beside(self, file: str) -> Path:
        """Return the path of a file that the mapping names."""
        return self.path.parent / file

    @property
    def contract(self) -> Entity:
        """Return what a row of a table is."""
        return ENTITIES[self.entity]

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone in which the file writes its moments."""
        return ZoneInfo(self.times.zone or self.region.time_zone)

    @property
    def columns(self) -> dict[str, str]:
        """Return field -> the file's column."""
        return {name: spec.column for name, spec in self.fields.items() if spec.column is not None}

    @property
    def layout(self) -> Layout:
        """Return how the file's rows become rows of its entity."""
        return Layout(
            entity=self.contract,
            columns=self.columns,
            formats=tuple(self.times.formats),
            zone=str(self.zone),
            constants={name: spec.constant for name, spec in self.fields.items() if spec.constant is not None},
            translations=self.translations,
            otherwise={name: spec.otherwise for name, spec in self.fields.items() if spec.otherwise is not None},
        )

    @cached_property
    def translations(self) -> dict[str, dict[str, str]]:
        """Return field -> its translation, from the mapping or from the file it names."""
        inline = {name: spec.values for name, spec in self.fields.items() if spec.values is not None}
        files = {name: spec.values_from for name, spec in self.fields.items() if spec.values_from}
        return inline | {name: _read_values(self.path, name, spec) for name, spec in files.items()}


def load_mapping(path: Path) -> Mapping:
    """Read and check one mapping file; raise MappingError naming the file, the place and what to do."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MappingError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise MappingError(f"{path}: not YAML: {error}") from None
    if not isinstance(document, dict):
        raise MappingError(f"{path}: a mapping file holds keys and values; see `otklik load --help`")
    try:
        mapping = Mapping(**document, path=path, sha256=_sha256(path, content, document))
    except ValidationError as error:
        problems = "; ".join(_problem(item["loc"], item["msg"]) for item in error.errors())
        raise MappingError(f"{path}: {problems}") from None
    # Looked for now, so that a missing file is told before a row is read.
    _ = mapping.translations
    for name in mapping.limesurvey.files if mapping.limesurvey else ():
        if not mapping.beside(name).is_file():
            raise MappingError(f"{path}: limesurvey: there is no file {mapping.beside(name)}")
    return mapping


def load_mappings(folders: Iterable[Path]) -> list[Mapping]:
    """Read every mapping (`*.yml`) of the folders; two may not describe the same source."""
    found: dict[str, Mapping] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.yml"))):
        mapping = load_mapping(path)
        if mapping.source in found:
            raise MappingError(f"{path}: source {mapping.source} is described by {found[mapping.source].path} already")
        found[mapping.source] = mapping
    return list(found.values())


def _sha256(path: Path, content: bytes, document: dict[str, Any]) -> str:
    """Hash the mapping with the files it names: what changes a row changes the hash."""
    digest = hashlib.sha256(content)
    for name in _files_named(document):
        file = path.parent / name
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def _files_named(document: dict[str, Any]) -> Iterator[str]:
    """Yield the files that a mapping names, of which nothing has been checked yet."""
    fields, survey = (document.get(key) for key in ("fields", "limesurvey"))
    for spec in fields.values() if isinstance(fields, dict) else ():
        if isinstance(spec, dict) and isinstance(spec.get("values_from"), dict):
            yield str(spec["values_from"].get("file"))
    if isinstance(survey, dict):
        yield str(survey.get("structure"))
        translations = survey.get("translations")
        yield from map(str, translations.values() if isinstance(translations, dict) else ())


def _problem(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in place)
    message = message.removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _read_values(mapping_path: Path, field: str, spec: ValuesFrom) -> dict[str, str]:
    path = mapping_path.parent / spec.file
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise MappingError(f"{mapping_path}: fields.{field}.values_from: {path}: {error.strerror}") from None
    for column in (spec.key, spec.value):
        if rows and column not in rows[0]:
            raise MappingError(f"{mapping_path}: fields.{field}.values_from: {path} has no column «{column}»")
    return {row[spec.key]: row[spec.value] for row in rows}
