"""What can come into `raw`: each entity with its contract and its key."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dataframely as dy

OWN = ("row_number", "known_at")
"""Columns of a contract that are not the source's."""


@dataclass(frozen=True)
class Entity:
    """One kind of row: `name` is that of the ledger and of its table, `raw.<name>`.

    `key` is the source's own key without the version; the latest `updated_at` of a key is its state.
    """

    name: str
    schema: type[dy.Schema]
    key: tuple[str, ...]
    required: tuple[str, ...]
    """Fields a mapping must give a column or a constant."""
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields whose values are a closed list -> the list."""
    events: tuple[str, ...] = ("updated_at",)
    """Moments of things that have happened, so none can lie in the future (a deadline can)."""
    orders: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Rule of the contract -> (the later moment, the earlier one)."""
    personal: frozenset[str] = frozenset()
    """Fields whose values must not be repeated in a reason, a log or a report."""
    author: tuple[str, ...] = ()
    """Fields that tell who wrote it, the surest first; the keyed hash of the first one known stands for them."""
    masked: str | None = None
    """The field of free text of which a copy without phones, addresses and numbers of documents is kept."""
    told: str | None = None
    """The field of text of which models ask whether there is one: they may not read it."""
    group: tuple[str, ...] = ()
    """Part of the key that names rows which always come together: what a later group lacks was deleted."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields a source can give."""
        return tuple(name for name in self.schema.column_names() if name not in OWN)
