"""The keys that a file has had, in 12 bytes each, however many rows it has."""

import numpy as np
import polars as pl

# A mark for each beginning of a hash, 32 MB of which only what is used becomes memory: with ten million keys
# in it, three new keys of four are still known to be new by one look.
_MARK_BITS = 25
# Runs are merged by so many, up to a size that takes 35 MB while it is made.
_MERGED, _LONGEST = 8, 1 << 20


class SeenKeys:
    """Remembers a hash of every key and the first row that had it.

    Kept as a few sorted runs of growing size, so that a look-up costs little and so does adding to them; most keys
    are new, and what is marked as seen tells that without a look-up. Two keys may share a hash (once in a million
    files of ten million rows): a key found here is suspected, not proven.
    """

    def __init__(self) -> None:
        self._marks = np.zeros(1 << _MARK_BITS, dtype=bool)
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
        marks = (ordered >> np.uint64(64 - _MARK_BITS)).astype(np.intp)
        suspects = np.flatnonzero(self._marks[marks])
        self._marks[marks] = True
        for run_keys, run_rows in self._runs:
            places = np.minimum(np.searchsorted(run_keys, ordered[suspects]), len(run_keys) - 1)
            hit = run_keys[places] == ordered[suspects]
            found[suspects[hit]] = run_rows[places[hit]]
        self._add(ordered[found == 0], ordered_rows[found == 0])
        first = np.empty(len(order), dtype=np.int64)
        first[order] = found
        return pl.Series("first", first).replace(0, None)

    def _add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        if len(keys):
            self._runs.append((keys, rows))
        # Runs of like size are merged, so there are few to look into.
        while len(self._runs) >= _MERGED and self._are_alike(self._runs[-_MERGED:]):
            merged, self._runs[-_MERGED:] = self._runs[-_MERGED:], []
            keys, rows = (np.concatenate(parts) for parts in zip(*merged, strict=True))
            # A stable sort finds the runs in it and merges them.
            order = np.argsort(keys, kind="stable")
            self._runs.append((keys[order], rows[order]))

    def _are_alike(self, runs: list[tuple[np.ndarray, np.ndarray]]) -> bool:
        sizes = [len(keys) for keys, _ in runs]
        return sizes[0] < 2 * sizes[-1] and sum(sizes) <= _LONGEST
