"""From rows of text to typed incidents: translate, parse, and hold each row against the contract."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl

from otklik.contracts.incident import Incident
from otklik.contracts.reasons import reasons_of
from otklik.mapping import FIELDS, FieldMapping, Mapping
from otklik.sources.files.rows import MISPLACED, ROW_NUMBER, Rejected, TextRows, originals

_EXCEL_EPOCH = pl.datetime(1899, 12, 30)
_TYPES = {name: column.dtype for name, column in Incident.columns().items()}


@dataclass(frozen=True)
class Checked:
    """A chunk split in two: `valid` has the contract's columns, `rejected` the rows with reasons."""

    valid: pl.DataFrame
    rejected: list[Rejected]


def to_incidents(rows: TextRows, mapping: Mapping, known_at: dt.datetime) -> Checked:
    """Type the rows as the mapping says and split them by the contract.

    `known_at` (UTC) is the end of the night the rows came with: a later event has not happened yet.
    """
    typed = _typed(rows.frame, mapping, known_at)
    flags = [column for column in typed.columns if "|" in column and not column.endswith("|text")]
    convertible = ~pl.any_horizontal(flags) if flags else pl.lit(True)
    kept, failure = Incident.filter(typed.select(Incident.column_names()))
    valid = pl.DataFrame(kept).join(
        typed.filter(convertible).select(ROW_NUMBER), on=ROW_NUMBER, how="semi", maintain_order="left"
    )

    bad = typed.join(valid.select(ROW_NUMBER), on=ROW_NUMBER, how="anti", maintain_order="left")
    details = failure.details()
    rules = [column for column in details.columns if column not in _TYPES]
    broken = bad.join(details.select(ROW_NUMBER, *rules), on=ROW_NUMBER, how="left", maintain_order="left")
    return Checked(valid, [*rows.broken, *_rejected(broken, flags, rules, rows.frame, mapping)])


def _rejected(
    broken: pl.DataFrame, flags: list[str], rules: list[str], frame: pl.DataFrame, mapping: Mapping
) -> Iterator[Rejected]:
    if broken.is_empty():
        return
    texts = originals(frame.join(broken.select(ROW_NUMBER), on=ROW_NUMBER, how="semi"))
    for row in broken.to_dicts():
        unreadable = [flag for flag in flags if row[flag]]
        # What could not be read is NULL to the contract: saying «missing» too would mislead.
        silent = {flag.partition("|")[0] for flag in unreadable}
        failed = [rule for rule in rules if row[rule] == "invalid" and rule.partition("|")[0] not in silent]
        reasons = list(reasons_of(row, [*unreadable, *failed], mapping.columns))
        yield Rejected(row[ROW_NUMBER], reasons, texts[row[ROW_NUMBER]])


def _typed(frame: pl.DataFrame, mapping: Mapping, known_at: dt.datetime) -> pl.DataFrame:
    """Return the fields typed, the text they came from (`<field>|text`) and what could not be read.

    A flag column `<field>|<rule>` exists only for rules that can break: a NUL byte or a misplaced byte
    is rare enough that looking for it once in the whole column pays.
    """
    texts = frame.select(
        ROW_NUMBER,
        pl.lit(known_at, dtype=_TYPES["known_at"]).alias("known_at"),
        *(_text(spec).alias(f"{field}|text") for field, spec in mapping.fields.items()),
    )
    typed = texts.with_columns(_field(field, mapping) for field in mapping.fields)
    absent = [field for field in FIELDS if field not in mapping.fields]
    return typed.with_columns(
        *(pl.lit(None, dtype=_TYPES[field]).alias(field) for field in absent),
        *(flag for field in mapping.fields for flag in _unreadable(texts, field)),
    )


def _text(spec: FieldMapping) -> pl.Expr:
    """Trim; a blank cell is an unknown value."""
    text = pl.col(spec.column).str.strip_chars()
    return pl.when(text != "").then(text)


def _field(field: str, mapping: Mapping) -> pl.Expr:
    text, spec, kind = pl.col(f"{field}|text"), mapping.fields[field], _TYPES[field]
    values = mapping.translations.get(field)
    if values is not None:
        typed = text.replace_strict(values, default=spec.otherwise, return_dtype=pl.String)
        # An unknown value stays unknown: `otherwise` is for values that are there.
        typed = pl.when(text.is_not_null()).then(typed)
    elif isinstance(kind, pl.Datetime):
        typed = pl.coalesce(map(partial(_moment, text, mapping), mapping.times.formats))
    elif kind.is_integer():
        typed = text.cast(kind, strict=False)
    else:
        typed = text
    return typed.alias(field)


def _moment(text: pl.Expr, mapping: Mapping, form: str) -> pl.Expr:
    """Parse a moment by one format into UTC.

    An hour that a change of clocks repeats is taken as its first passing; one it skips cannot be read.
    """
    zone = str(mapping.zone)
    if form == "excel":
        days = text.cast(pl.Float64, strict=False)
        # Serial days carry about 10 microseconds of noise: round to the second they mean.
        seconds = (days * 86_400).round().cast(pl.Int64, strict=False)
        local = _EXCEL_EPOCH + pl.duration(seconds=seconds)
    elif "%z" in form:
        return text.str.strptime(pl.Datetime("us", "UTC"), form, strict=False)
    else:
        local = text.str.strptime(pl.Datetime("us"), form, strict=False)
    return local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _unreadable(texts: pl.DataFrame, field: str) -> Iterator[pl.Expr]:
    text, kind = pl.col(f"{field}|text"), _TYPES[field]
    lost = text.is_not_null() & pl.col(field).is_null()
    if isinstance(kind, pl.Datetime):
        yield lost.alias(f"{field}|bad_time")
    elif kind.is_integer():
        yield lost.alias(f"{field}|bad_number")
    else:
        yield lost.alias(f"{field}|unknown_value")
    for rule, found in (
        ("nul_byte", text.str.contains("\x00", literal=True)),
        ("bad_encoding", text.str.contains(MISPLACED)),
    ):
        if texts.select(found.any()).item():
            yield found.fill_null(False).alias(f"{field}|{rule}")
