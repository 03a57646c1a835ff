"""A hash of a row, the same today and in ten years."""

import hashlib
from collections.abc import Iterable
from functools import cache

import polars as pl
import polars_hash as plh


def row_hash(rows: pl.DataFrame, columns: Iterable[str]) -> pl.Expr:
    """Return a hash of 64 bits of these columns of each row; unknown differs from every value.

    The sum of each known value times a number of its column's own, as numbers of 64 bits wrap: a column that becomes
    known of a contract later changes no hash of a row that does not have it.
    """
    # A column of nothing adds nothing.
    known = [name for name in columns if rows[name].null_count() < rows.height]
    # As long as the rows: a chunk may have none.
    nothing = pl.repeat(0, pl.len(), dtype=pl.UInt64)
    return pl.sum_horizontal(nothing, *(_value_hash(name, rows.schema[name]) for name in known))


@cache
def _value_hash(name: str, kind: pl.DataType) -> pl.Expr:
    """Return a number of 64 bits for each value of a column, NULL for an unknown one."""
    column = pl.col(name)
    if kind == pl.String or kind.is_float():
        number = plh.concat_str(column.cast(pl.String)).nchash.xxh3_64()
    else:
        number = column.to_physical().cast(pl.Int64).reinterpret(signed=False)
    times, plus = (pl.lit(_constant(name, what), pl.UInt64) for what in ("times", "plus"))
    return number * times + plus


def _constant(name: str, what: str) -> int:
    """Return an odd number of 64 bits, ever the same for a column."""
    return int.from_bytes(hashlib.blake2b(f"{name} {what}".encode(), digest_size=8).digest(), "big") | 1
