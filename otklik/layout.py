"""How rows of text become rows of a contract: which column is which field, how values and moments are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from otklik.contracts.entity import Entity

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
