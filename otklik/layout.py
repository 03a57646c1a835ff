"""How rows of text become rows of a contract: which column is which field, how values and moments are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import polars as pl

from otklik.contracts.entity import Entity
from otklik.sources.rows import ROW_NUMBER

ISO_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%:z")
ISO_DAYS = ("%Y-%m-%d",)


@dataclass(frozen=True)
class Layout:
    """What a mapping file says of a source's rows, or what holds for every source that speaks the contract's words.

    `columns`: field -> column of the rows; `constants`: field -> text; `translations`: field -> {theirs: ours};
    `otherwise`: field -> what an unlisted value becomes. `formats` are tried in turn, in time zone `zone`.
    """

    entity: Entity
    columns: Mapping[str, str]
    formats: tuple[str, ...]
    zone: str
    constants: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    otherwise: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def plain(cls, entity: Entity) -> Self:
        """Return the layout of records: columns named like the fields, moments in ISO 8601."""
        return cls(entity, {name: name for name in entity.fields}, (*ISO_MOMENTS, *ISO_DAYS), "UTC")

    @property
    def public(self) -> frozenset[str]:
        """Return the columns of the rows that are fields which tell of no person."""
        return frozenset(column for name, column in self.columns.items() if name not in self.entity.personal)

    def keys(self, rows: pl.DataFrame, numbers: Sequence[int]) -> pl.DataFrame:
        """Return `row_number` and the key, as text, of the rows with these numbers; a blank part is unknown."""
        texts = {
            name: pl.col(self.columns[name]) if name in self.columns else pl.lit(self.constants.get(name), pl.String)
            for name in self.entity.key
        }
        named = rows.select(ROW_NUMBER, **texts).filter(pl.col(ROW_NUMBER).is_in(list(numbers)))
        return named.with_columns(pl.col(*texts).str.strip_chars().replace("", None))
