"""The parts of a mapping file, each checked by itself."""

from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from otklik.contracts.entity import OWN


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


class Part(BaseModel):
    """A part of a mapping file: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Region(Part):
    """The region the rows belong to; its zone decides what its days are."""

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    time_zone: Zone


class Files(Part):
    """Which files of the inbox are this source's."""

    pattern: str = "*"
    date: str | None = None


class Csv(Part):
    """How a CSV file is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "auto"


class Xlsx(Part):
    """Which sheet of a workbook holds the rows; None is the first."""

    sheet: str | None = None


class Telegram(Part):
    """What an export of Telegram Desktop does not tell: the channel's public name, without @, for links."""

    public_name: str | None = Field(default=None, pattern=r"^[A-Za-z]\w*$")


class LimeSurvey(Part):
    """What an export of LimeSurvey does not tell; files are named from the folder of the mapping.

    `complete` says whether the responses were submitted where the export has no column of it; None is not known.
    `translations`: language -> an export of the same responses in that language.
    """

    survey_id: str = Field(min_length=1)
    structure: str = Field(min_length=1)
    complete: bool | None = None
    translations: dict[str, str] = Field(default={})

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that belong to it."""
        return self.structure, *self.translations.values()


class Times(Part):
    """How moments are written, and in which zone."""

    formats: list[Annotated[str, AfterValidator(_known_format)]] = Field(
        default=["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"], min_length=1
    )
    zone: Zone | None = None


class ValuesFrom(Part):
    """A translation kept in a CSV file beside the mapping: column `key` -> column `value`."""

    file: str
    key: str
    value: str


class FieldMapping(Part):
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
