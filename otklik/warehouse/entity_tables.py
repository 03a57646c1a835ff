"""The tables of `raw` that hold the versions of an entity's rows, one for each contract, all of one form."""

from typing import Any

import polars as pl
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from otklik.contracts.entity import Entity

_TYPES: dict[Any, TypeEngine[Any]] = {
    pl.String: Text(),
    pl.Datetime: DateTime(timezone=True),
    pl.Date: Date(),
    pl.Boolean: Boolean(),
    pl.Int32: Integer(),
    pl.Int64: BigInteger(),
    pl.Float64: Double(),
}
_PERSONAL = "Personal data: never leaves raw"


def entity_table(entity: Entity, metadata: MetaData) -> Table:
    """Return the table `raw.<entity>`: a row a version, never changed once written.

    No foreign key to the ledger: it would cost a check a row on tables loaded by the million; both are written in
    one transaction, and a checkpoint compares them every night. The one B-tree finds a key's versions, and a row
    of a batch is in it once; a batch's rows lie together, so BRIN finds them.
    """
    columns = entity.schema.columns()
    fields = [
        Column(
            name,
            _TYPES[columns[name].dtype.base_type()],
            nullable=columns[name].nullable,
            comment=_PERSONAL if name in entity.personal else None,
        )
        for name in entity.fields
        if name != "updated_at"
    ]
    return Table(
        entity.name,
        metadata,
        Column("batch_id", BigInteger, nullable=False),
        Column("row_number", BigInteger, nullable=False, comment="Row in the file or answer; a header is row 1"),
        Column("region_code", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column(
            "updated_at",
            DateTime(timezone=True),
            nullable=False,
            comment="Source's own update time, else the end of the night",
        ),
        Column("row_hash", Text, nullable=False, comment="Of all fields; equal hash means unchanged"),
        Column("is_deleted", Boolean, nullable=False, server_default="false", comment="The source has it no more"),
        *fields,
        *_derived(entity),
        Index(f"{entity.name}_by_key", *_indexed(entity), unique=True, postgresql_nulls_not_distinct=True),
        Index(
            f"{entity.name}_by_batch",
            "batch_id",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "32", "autosummarize": "on"},
        ),
        *_by_age(entity),
        schema="raw",
        comment=f"Grain: one version of one {entity.name.replace('_', ' ')}, as a source told it",
    )


def _by_age(entity: Entity) -> list[Index]:
    """Return the index by which messages too old to be kept are found."""
    if not entity.author:
        return []
    return [
        Index(
            f"{entity.name}_by_received_at",
            "received_at",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "32", "autosummarize": "on"},
        )
    ]


def _derived(entity: Entity) -> list[Column[Any]]:
    derived: list[Column[Any]] = []
    if entity.author:
        why = "HMAC-SHA-256 of the author, hex; NULL where the author is unknown"
        derived.append(Column("author_hash", Text, comment=why))
    if entity.masked:
        why = f"{entity.masked} without phones, e-mails and numbers of documents; NULL where it has none"
        derived.append(Column("masked_text", Text, comment=why))
    if entity.told:
        has_text = Computed(f"{entity.told} is not null", persisted=True)
        derived.append(Column(f"has_{entity.told}", Boolean, has_text, comment="Whether there is one, for the models"))
    return derived


def _indexed(entity: Entity) -> list[str]:
    columns = entity.schema.columns()
    # A part of the key that may be unknown is compared in another way, which an index does not serve: it comes last.
    known = [name for name in entity.key if not columns[name].nullable]
    maybe = [name for name in entity.key if columns[name].nullable]
    return [*known, "updated_at", "batch_id", "row_number", *maybe, "region_code"]
