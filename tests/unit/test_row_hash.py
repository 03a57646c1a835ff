"""What is stored beside every row in `raw` stays what it is."""

from datetime import UTC, date, datetime

import polars as pl

from otklik.warehouse.row_hash import row_hash


def test_a_row_has_the_hash_that_it_is_stored_with() -> None:
    # A change would make every row of every source news.
    rows = pl.DataFrame(
        {
            "message_id": ["m1"],
            "message_text": ["Яма"],
            "reopened_count": [2],
            "is_resolved": [True],
            "share": [0.5],
            "day": [date(2022, 3, 15)],
            "received_at": [datetime(2022, 3, 15, 12, tzinfo=UTC)],
            "status": [None],
        }
    )
    assert rows.select(row_hash(rows, rows.columns)).item() == 16_952_637_938_050_228_226
