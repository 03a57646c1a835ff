"""The keys that a file has had, in 12 bytes each, however many rows it has."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import polars_hash as plh


def text_hash(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
    """Return a hash of 64 bits of these columns of each row; unknown differs from every value."""
    # What is known, then which columns it belongs to: a column of nothing costs nothing.
    known = [name for name in columns if rows[name].null_count() < rows.height]
    texts = [_as_text(rows, name) for name in known]
    text = pl.concat_str([*texts, _known_columns(rows, columns)], separator="\x1f", ignore_nulls=True)
    return plh.concat_str(text).nchash.xxh3_64()


def _as_text(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column as text, moments and numbers as whole numbers."""
    column = pl.col(name)
    return column if rows.schema[name] == pl.String else column.to_physical().cast(pl.String)


def _known_columns(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
    """Return, as text, the sum of 2 to the power of the place of each column that is known in the row."""
    always, sometimes = 0, []
    for place, name in enumerate(columns):
        unknown = rows[name].null_count()
        if not unknown:
            always += 1 << place
        elif unknown < rows.height:
            sometimes.append(pl.col(name).is_not_null().cast(pl.UInt64) * (1 << place))
    if not sometimes:
        # As long as the rows: a chunk may have none.
        return pl.repeat(str(always), pl.len())
    return (sum(sometimes, pl.lit(always, pl.UInt64))).cast(pl.String)


class SeenKeys:
    """Remembers a hash of every key and the first row that had it.

    Kept as a few sorted runs of growing size, so that a look-up costs little and so does adding to them. Two keys
    may share a hash (once in a million files of ten million rows): a key found here is suspected, not proven.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[np.ndarray, np.ndarray]] = []

    def first_rows(self, keys: pl.Series, numbers: pl.Series) -> pl.Series:
        """Return the first row number of each key that was there before, NULL for a key that is new; remember those.

        `keys` are hashes, `numbers` the row numbers of the rows they belong to.
        """
        hashes, rows = keys.to_numpy(), numbers.to_numpy().astype(np.uint32)
        order = np.argsort(hashes, kind="stable")
        ordered, ordered_rows = hashes[order], rows[order]
        is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, bool)
        found = np.where(is_first, 0, ordered_rows[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))])
        for run_keys, run_rows in self._runs:
            places = np.minimum(np.searchsorted(run_keys, ordered), len(run_keys) - 1)
            hit = run_keys[places] == ordered
            found[hit] = run_rows[places[hit]]
        self._add(ordered[found == 0], ordered_rows[found == 0])
        first = np.empty(len(order), dtype=np.int64)
        first[order] = found
        return pl.Series("first", first).replace(0, None)

    def _add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        # Runs of like size are merged, so there are never more than the logarithm of their number.
        while self._runs and len(self._runs[-1][0]) <= 2 * len(keys):
            last_keys, last_rows = self._runs.pop()
            places = np.searchsorted(last_keys, keys)
            keys, rows = np.insert(last_keys, places, keys), np.insert(last_rows, places, rows)
        if len(keys):
            self._runs.append((keys, rows))
