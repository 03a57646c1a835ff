"""A row's hash is its own, and a file's keys are remembered with the first row that had each."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from otklik.warehouse.row_hash import row_hash
from otklik.warehouse.seen import SeenKeys


def first_rows(chunks: list[list[int]]) -> list[int | None]:
    """Return what SeenKeys says of keys given in chunks, rows numbered from 2 on."""
    seen, number, found = SeenKeys(), 2, []
    for keys in chunks:
        numbers = pl.Series(range(number, number + len(keys)), dtype=pl.Int64)
        found += seen.first_rows(pl.Series(keys, dtype=pl.UInt64), numbers).to_list()
        number += len(keys)
    return found


def by_dictionary(keys: list[int]) -> list[int | None]:
    first: dict[int, int] = {}
    return [None if first.setdefault(key, number) == number else first[key] for number, key in enumerate(keys, start=2)]


@pytest.mark.parametrize("distinct", [1, 50, 5_000, 1_000_000])
@pytest.mark.parametrize("sizes", [[1] * 300, [1, 1_000, 3, 700, 0, 20, 5_000, 1], [4_000] * 10, [5_000, 40, 40, 40]])
def test_the_first_row_of_every_key_is_that_of_a_dictionary(sizes: list[int], distinct: int) -> None:
    chance = np.random.default_rng(20220315)
    # Spread over all 64 bits, as hashes are.
    keys = [int(key) * 0x9E3779B97F4A7C15 % 2**64 for key in chance.integers(0, distinct, sum(sizes))]
    ends = np.cumsum(sizes)
    chunks = [keys[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    assert first_rows(chunks) == by_dictionary(keys)


def test_a_key_repeated_within_a_chunk_points_to_its_first_row_in_the_file() -> None:
    assert first_rows([[7, 7, 8], [], [8, 9, 7, 9, 9], [9]]) == [None, 2, None, 4, None, 2, 6, 6, 6]


def test_the_smallest_and_the_greatest_hash_are_keys_like_any_other() -> None:
    assert first_rows([[0, 2**64 - 1], [2**64 - 1, 0]]) == [None, None, 3, 2]


def test_a_look_up_stays_cheap_however_many_chunks_there_were() -> None:
    seen = SeenKeys()
    for number in range(2, 2_002):
        seen.first_rows(pl.Series([number * 7], dtype=pl.UInt64), pl.Series([number], dtype=pl.Int64))
    assert len(seen._runs) <= 3 * np.log2(2_000)
    assert sum(len(keys) for keys, _ in seen._runs) == 2_000


MOMENT = datetime(2022, 3, 15, 5, tzinfo=UTC)
ROWS = [
    ("a", "b", 1, date(2022, 3, 15), MOMENT, True),
    ("a", "b", 1, date(2022, 3, 15), MOMENT, None),
    ("a", "b", 1, date(2022, 3, 15), None, True),
    ("a", "b", 1, None, MOMENT, True),
    ("a", "b", None, date(2022, 3, 15), MOMENT, True),
    ("a", None, 1, date(2022, 3, 15), MOMENT, True),
    (None, "a", 1, date(2022, 3, 15), MOMENT, True),
    ("a", "", 1, date(2022, 3, 15), MOMENT, True),
    ("", "a", 1, date(2022, 3, 15), MOMENT, True),
    ("ab", "", 1, date(2022, 3, 15), MOMENT, True),
    (None, None, None, None, None, None),
    ("a", "b", 1, date(2022, 3, 16), MOMENT, True),
    ("a", "b", 1, date(2022, 3, 15), MOMENT.replace(microsecond=1), True),
    ("a", "b", 11, date(2022, 3, 15), MOMENT, True),
    ("a", "b", 1, date(2022, 3, 15), MOMENT, False),
]
COLUMNS = {
    "one": pl.String,
    "other": pl.String,
    "number": pl.Int64,
    "day": pl.Date,
    "moment": pl.Datetime("us", "UTC"),
    "flag": pl.Boolean,
}


def hashes(rows: list[tuple[object, ...]]) -> list[int]:
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return frame.select(row_hash(frame, list(COLUMNS))).to_series().to_list()


def test_rows_that_differ_in_anything_have_different_hashes() -> None:
    assert len(set(hashes(ROWS))) == len(ROWS)


def test_a_row_has_the_same_hash_in_whatever_chunk_it_comes() -> None:
    assert [hashes([row])[0] for row in ROWS] == hashes(ROWS)
    assert hashes(ROWS[:7]) + hashes(ROWS[7:]) == hashes(ROWS)


def test_a_chunk_without_rows_has_no_hashes() -> None:
    assert hashes([]) == []


def test_a_column_that_nobody_knows_changes_no_hash() -> None:
    frame = pl.DataFrame(ROWS, schema=COLUMNS, orient="row").with_columns(later=pl.lit(None, pl.String))
    assert frame.select(row_hash(frame, [*COLUMNS, "later"])).to_series().to_list() == hashes(ROWS)
