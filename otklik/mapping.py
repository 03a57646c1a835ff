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
"""

import csv
import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from otklik.contracts.entities import ENTITIES
from otklik.contracts.entity import OWN, Entity
from otklik.errors import MappingError
from otklik.layout import Layout


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"«{zone}» is not a time zone; use an IANA name such as Asia/Yekaterinburg")
    return zone


def _known_encoding(encoding: str) -> str:
    if encoding != "auto":
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(f"«{encoding}» is not an encoding; use auto, utf-8 or cp1251") from None
    return encoding


def _known_format(form: str) -> str:
    if form != "excel" and "%" not in form:
        raise ValueError(f"«{form}» is not a time format; write it like %d.%m.%Y %H:%M:%S, or excel")
    return form


Zone = Annotated[str, AfterValidator(_known_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Region(_Part):
    """The region the rows belong to; its zone decides what its days are."""

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    time_zone: Zone


class Files(_Part):
    """Which files of the inbox are this source's."""

    pattern: str = "*"
    date: str | None = None


class Csv(_Part):
    """How a CSV file is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "auto"


class Xlsx(_Part):
    """Which sheet of a workbook holds the rows; None is the first."""

    sheet: str | None = None


class Times(_Part):
    """How moments are written, and in which zone."""

    formats: list[Annotated[str, AfterValidator(_known_format)]] = Field(
        default=["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"], min_length=1
    )
    zone: Zone | None = None


class ValuesFrom(_Part):
    """A translation kept in a CSV file beside the mapping: column `key` -> column `value`."""

    file: str
    key: str
    value: str


class FieldMapping(_Part):
    """One field: the file's column and how its values translate, or what is the same for every row."""

    column: str | None = Field(default=None, min_length=1)
    constant: str | None = Field(default=None, min_length=1)
    values: dict[str, str] | None = None
    values_from: ValuesFrom | None = None
    otherwise: str | None = None

    @field_validator("column")
    @classmethod
    def _not_ours(cls, column: str | None) -> str | None:
        if column == OWN[0]:
            raise ValueError(f"«{column}» is what the number of a row is called here; name the column otherwise")
        return column

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, values: Any) -> Any:
        # YAML reads `1: closed` and `yes: closed` as numbers and booleans; a file holds text.
        return {str(key): str(value) for key, value in values.items()} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _one_translation(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give a column, or a constant for every row")
        if self.values is not None and self.values_from is not None:
            raise ValueError("give values or values_from, not both")
        if self.otherwise is not None and self.values is None and self.values_from is None:
            raise ValueError("otherwise needs values or values_from")
        return self


class Mapping(_Part):
    """A whole mapping file; `path` and `sha256` say where it came from."""

    source: str = Field(pattern=r"^[a-z0-9_]+$")
    entity: str = "incident"
    region: Region
    files: Files = Files()
    format: Literal["csv", "xlsx", "jsonl"] = "csv"
    csv: Csv = Csv()
    xlsx: Xlsx = Xlsx()
    times: Times = Times()
    fields: dict[str, FieldMapping]
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
    def _fields_are_the_contracts(self) -> Self:
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
    def contract(self) -> Entity:
        """Return what a row of the file is."""
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
    # Read now, so that a missing file of values is told before a row is.
    _ = mapping.translations
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
    """Hash the mapping with the files it takes values from: what changes a row changes the hash."""
    digest = hashlib.sha256(content)
    fields = document.get("fields")
    for spec in fields.values() if isinstance(fields, dict) else ():
        if isinstance(spec, dict) and isinstance(spec.get("values_from"), dict):
            values = path.parent / str(spec["values_from"].get("file"))
            digest.update(values.read_bytes() if values.is_file() else b"")
    return digest.hexdigest()


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
