"""From rows of text to typed rows: translate, parse, and hold each row against its contract."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import polars as pl

from otklik.contracts.reasons import reason, reasons_of
from otklik.layout import Layout
from otklik.sources.local_time import to_utc
from otklik.sources.rows import ROW_NUMBER, Rejected, TextRows
from otklik.sources.utf8 import MISPLACED

_EXCEL_EPOCH = pl.datetime(1899, 12, 30)
_EXCEL_DAYS = 2_958_466
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Checked:
    """A chunk split in two: `valid` has the contract's columns, `rejected` the rows with reasons."""

    valid: pl.DataFrame
    rejected: list[Rejected]


def check_rows(rows: TextRows, layout: Layout, known_at: dt.datetime) -> Checked:
    """Type the rows as the layout says and split them by the contract.

    `known_at` (UTC) is the end of the night the rows came with: a later event has not happened yet.
    """
    schema = layout.entity.schema
    typed = _within_calendar(_typed(rows.frame, layout, known_at), layout)
    flags = _unreadable(typed, layout, odd=rows.odd)
    kept, failure = schema.filter(typed.select(schema.column_names()))
    valid = pl.DataFrame(kept)
    bad = valid.head(0) if valid.height == typed.height else _without(typed, valid)
    if flags:
        unreadable = typed.select(ROW_NUMBER, *(flag.alias(name) for name, flag in flags.items()))
        unreadable = unreadable.filter(pl.any_horizontal(*flags))
        valid = _without(valid, unreadable)
        bad = _without(typed, valid).join(unreadable, on=ROW_NUMBER, how="left", maintain_order="left")
    if bad.is_empty():
        return Checked(valid, rows.broken)
    details = failure.details()
    rules = [column for column in details.columns if column not in schema.column_names()]
    broken = bad.join(details.select(ROW_NUMBER, *rules), on=ROW_NUMBER, how="left", maintain_order="left")
    return Checked(valid, [*rows.broken, *_rejected(broken.to_dicts(), list(flags), rules, rows, layout)])


def _without(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return rows.join(others.select(ROW_NUMBER), on=ROW_NUMBER, how="anti", maintain_order="left")


def _rejected(
    broken: list[dict[str, Any]], flags: list[str], rules: list[str], rows: TextRows, layout: Layout
) -> Iterator[Rejected]:
    originals = rows.originals([row[ROW_NUMBER] for row in broken])
    for row in broken:
        unreadable = [flag for flag in flags if row[flag]]
        # What could not be read is NULL to the contract: saying «missing» too would mislead.
        silent = {flag.partition("|")[0] for flag in unreadable}
        failed = [rule for rule in rules if row[rule] == "invalid" and rule.partition("|")[0] not in silent]
        reasons = list(reasons_of(layout.entity, row, [*unreadable, *failed], layout.columns))
        yield Rejected(row[ROW_NUMBER], reasons, originals[row[ROW_NUMBER]])


def refuse_unread(number: int, problem: str, original: Mapping[str, Any]) -> Rejected:
    """Return a record out of which nothing could be read, as a refused row."""
    return Rejected(number, [reason("bad_answer", value=problem)], original)


def _typed(frame: pl.DataFrame, layout: Layout, known_at: dt.datetime) -> pl.DataFrame:
    """Return the fields typed, and the text they came from as `<field>|text`."""
    types = {name: column.dtype for name, column in layout.entity.schema.columns().items()}
    texts = _texts(frame, layout)
    given = [*layout.columns, *layout.constants]
    absent = [field for field in layout.entity.fields if field not in given]
    return texts.with_columns(
        pl.lit(known_at, dtype=types["known_at"]).alias("known_at"),
        *(_field(field, pl.col(f"{field}|text"), types[field], layout).alias(field) for field in given),
        *(pl.lit(None, dtype=types[field]).alias(field) for field in absent),
    )


def _texts(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Return the mapped cells trimmed, and constants, as `<field>|text`; a blank cell is an unknown value."""
    trimmed = {f"{field}|text": pl.col(column).str.strip_chars() for field, column in layout.columns.items()}
    constants = {f"{field}|text": pl.lit(text) for field, text in layout.constants.items()}
    texts = frame.select(ROW_NUMBER, **trimmed).with_columns(**constants)
    # To write a column anew costs more than trimming it, so only one with a blank in it is.
    blank = texts.select((pl.col(*trimmed).str.len_bytes() == 0).any()).row(0, named=True)
    return texts.with_columns(pl.when(pl.col(name) != "").then(name).alias(name) for name in trimmed if blank[name])


def _field(field: str, text: pl.Expr, kind: Any, layout: Layout) -> pl.Expr:
    values = layout.translations.get(field)
    if values is not None:
        translated = text.replace_strict(values, default=layout.otherwise.get(field), return_dtype=pl.String)
        # An unknown value stays unknown: `otherwise` is for values that are there.
        text = pl.when(text.is_not_null()).then(translated)
    if isinstance(kind, pl.Datetime):
        return pl.coalesce(map(partial(_moment, text, layout.zone), layout.formats))
    if kind == pl.Date:
        return pl.coalesce(map(partial(_day, text), layout.formats))
    if kind == pl.Boolean:
        return text.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    if not kind.is_numeric():
        return text
    number = text.cast(kind, strict=False)
    # Neither NaN nor infinity is a number of anything.
    return pl.when(number.is_finite()).then(number) if kind.is_float() else number


def _moment(text: pl.Expr, zone: str, form: str) -> pl.Expr:
    """Parse a moment by one format into UTC."""
    if form == "excel":
        days = _excel_days(text)
        # Serial days carry about 10 microseconds of noise: round to the second they mean.
        seconds = (days * 86_400).round().cast(pl.Int64, strict=False)
        local = _EXCEL_EPOCH + pl.duration(seconds=seconds)
    elif form.endswith("z"):
        return text.str.strptime(pl.Datetime("us", "UTC"), form, strict=False)
    else:
        # Most moments are there once: remembering them costs more than it saves.
        local = text.str.strptime(pl.Datetime("us"), form, strict=False, cache=False)
    return to_utc(local, zone)


def _day(text: pl.Expr, form: str) -> pl.Expr:
    if form == "excel":
        return (_EXCEL_EPOCH + pl.duration(days=_excel_days(text).floor().cast(pl.Int64))).dt.date()
    return text.str.strptime(pl.Date, form, strict=False, cache=False)


# Made once, because a moment costs polars more to take in than thousands of them to compare with it; but not at
# import: a literal starts polars' threads, and a process that forks after that hangs.
@cache
def _days() -> tuple[pl.Expr, pl.Expr]:
    return pl.lit(dt.date.min), pl.lit(dt.date.max)


@cache
def _moments() -> tuple[pl.Expr, pl.Expr]:
    return pl.lit(dt.datetime.min.replace(tzinfo=dt.UTC)), pl.lit(dt.datetime.max.replace(tzinfo=dt.UTC))


def _excel_days(text: pl.Expr) -> pl.Expr:
    """Return serial days, NULL beyond the days that Excel has."""
    days = text.cast(pl.Float64, strict=False)
    return pl.when(days.is_between(0, _EXCEL_DAYS, closed="left")).then(days)


def _within_calendar(typed: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Return the rows with days and moments outside the years 1 to 9999 unread: no reader of `raw` can take them."""
    ends: dict[str, tuple[Any, Any]] = {
        field: _days() if kind == pl.Date else _moments()
        for field, kind in typed.schema.items()
        if f"{field}|text" in typed.columns and kind.is_temporal()
    }
    beyond = [(pl.col(field).min() < first) | (pl.col(field).max() > last) for field, (first, last) in ends.items()]
    if not ends or not typed.select(pl.any_horizontal(beyond)).item():
        return typed
    return typed.with_columns(
        pl.when(pl.col(field).is_between(first, last)).then(field).alias(field) for field, (first, last) in ends.items()
    )


def _unreadable(typed: pl.DataFrame, layout: Layout, *, odd: bool) -> dict[str, pl.Expr]:
    """Return `<field>|<rule>` -> whether the row breaks it, for the few rules that any row breaks."""
    possible = dict(_possible_flags(layout, odd=odd))
    if not possible:
        return {}
    broken = typed.select(flag.any().alias(name) for name, flag in possible.items()).row(0, named=True)
    return {name: flag for name, flag in possible.items() if broken[name]}


def _possible_flags(layout: Layout, *, odd: bool) -> Iterable[tuple[str, pl.Expr]]:
    columns = layout.entity.schema.columns()
    for field in (*layout.columns, *layout.constants):
        text, kind = pl.col(f"{field}|text"), columns[field].dtype
        lost = text.is_not_null() & pl.col(field).is_null()
        if isinstance(kind, pl.Datetime) or kind == pl.Date:
            yield f"{field}|bad_time", lost
        elif kind == pl.Boolean:
            yield f"{field}|bad_flag", lost
        elif kind.is_numeric():
            yield f"{field}|bad_number", lost
        elif field in layout.translations:
            yield f"{field}|unknown_value", lost
        if odd:
            yield f"{field}|nul_byte", text.str.contains("\x00", literal=True).fill_null(False)
            yield f"{field}|bad_encoding", text.str.contains(MISPLACED).fill_null(False)
