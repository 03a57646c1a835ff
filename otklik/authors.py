"""The keyed hash that stands for an author everywhere outside `raw`."""

import hashlib
import hmac

import polars as pl


def author_hashes(rows: pl.DataFrame, key: str) -> pl.Series:
    """Return HMAC-SHA-256 (hex) of each row's author, NULL where the file names none.

    The author is known by id, else by profile link, else by name; each distinct one is hashed once.
    """
    author = rows.select(pl.coalesce("author_id", "author_url", pl.col("author_name").str.to_lowercase())).to_series()
    distinct = author.drop_nulls().unique()
    secret = key.encode()
    hashed = [hmac.new(secret, name.encode(), hashlib.sha256).hexdigest() for name in distinct]
    return author.replace_strict(distinct, pl.Series(hashed, dtype=pl.String), default=None, return_dtype=pl.String)
