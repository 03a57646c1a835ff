"""Kinds of columns that the contracts share, and what every row of every entity has."""

from collections.abc import Sequence

import dataframely as dy
import polars as pl

NAME_LENGTH = 1_000
TEXT_LENGTH = 100_000
KEY_LENGTH = 200


def key() -> dy.String:
    """Return a part of the source's own key."""
    return dy.String(nullable=False, max_length=KEY_LENGTH)


def name(*, nullable: bool = True) -> dy.String:
    """Return a short text."""
    return dy.String(nullable=nullable, max_length=NAME_LENGTH)


def text() -> dy.String:
    """Return a long text."""
    return dy.String(nullable=True, max_length=TEXT_LENGTH)


def code(allowed: Sequence[str], *, nullable: bool = True) -> dy.String:
    """Return a value of a closed list."""
    return dy.String(nullable=nullable, check={"known": lambda column: column.is_in(list(allowed))})


def count() -> dy.Int64:
    """Return a number of things, unknown or not negative."""
    return dy.Int64(nullable=True, min=0)


def flag() -> dy.Bool:
    """Return yes, no or unknown."""
    return dy.Bool(nullable=True)


def moment(*, nullable: bool = True) -> dy.Datetime:
    """Return a moment in UTC."""
    return dy.Datetime(nullable=nullable, time_zone="UTC", time_unit="us")


def have_happened(*events: str) -> pl.Expr:
    """Hold where none of these moments is later than what the row can know of."""
    return pl.all_horizontal((pl.col(event) <= pl.col("known_at")).fill_null(True) for event in events)


class Row(dy.Schema):
    """What every row has: its number in the file or answer, the end of the night it came with, its version.

    `updated_at` is the source's own time of the row's last change, or NULL where the source has none.
    """

    row_number = dy.Int64(nullable=False)
    known_at = moment(nullable=False)
    updated_at = moment()

    @dy.rule()
    def in_future(cls) -> pl.Expr:
        return have_happened("updated_at")
