"""Rows of text, wherever they come from, and rows refused."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from otklik.contracts.reasons import Reason
from otklik.sources.utf8 import show

ROW_NUMBER = "row_number"
_DEEPEST = 100


@dataclass(frozen=True)
class Rejected:
    """A row refused, with the reasons and what the source said: {column: value}."""

    row_number: int
    reasons: list[Reason]
    original: Mapping[str, Any]


@dataclass(frozen=True)
class TextRows:
    """A chunk: `frame` has `row_number` and the source's columns, all text; `broken` are no rows at all.

    `said` keeps what a system said of each row where that is more than the columns of the frame.
    `odd` is False where no NUL byte and no misplaced byte can be in the text.
    """

    frame: pl.DataFrame
    broken: list[Rejected] = field(default_factory=list)
    said: Mapping[int, Mapping[str, Any]] | None = None
    odd: bool = True

    def only(self, numbers: Sequence[int]) -> "TextRows":
        """Return the rows with these numbers, and nothing of what is no row."""
        said = None if self.said is None else {number: self.said[number] for number in numbers}
        frame = on_its_own(self.frame.filter(pl.col(ROW_NUMBER).is_in(list(numbers))))
        return replace(self, frame=frame, broken=[], said=said)

    def originals(self, numbers: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """Return row number -> what the source said, as it can be stored and read."""
        if self.said is not None:
            return {number: storable(self.said[number]) for number in numbers}
        frame = self.frame.filter(pl.col(ROW_NUMBER).is_in(list(numbers)))
        return {row.pop(ROW_NUMBER): shown(row) for row in frame.to_dicts()}


def on_its_own(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without the memory of those they were filtered from: polars keeps all of its text alive."""
    return pl.DataFrame.deserialize(rows.serialize()) if rows.height else rows.clear()


def shown(cells: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return cells of text as they can be stored and read."""
    return {show(name): None if text is None else show(text) for name, text in cells.items()}


def storable(value: Any, deep: int = 0) -> Any:
    """Return a value of JSON as the database takes it.

    It refuses NUL bytes, lone surrogates and numbers without end; what is nested deeper than anyone means is left out.
    """
    if isinstance(value, str):
        return show(value.encode("utf-8", "backslashreplace").decode())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if not isinstance(value, Iterable):
        return value
    if deep == _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {storable(str(key)): storable(inner, deep + 1) for key, inner in value.items()}
    return [storable(inner, deep + 1) for inner in value]
