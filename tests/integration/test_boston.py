"""A real file of 58,251 requests, against numbers worked out straight from it with the standard library."""

from datetime import date

import psycopg
import pytest
from upath import UPath

from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.settings import PROJECT, Settings
from tests.fixtures import boston
from tests.fixtures.files import counts

# The export was made after the last closing in it, on 31 October 2019.
NIGHT = Interval.of_day(date(2019, 11, 1), boston.ZONE)

pytestmark = pytest.mark.skipif(not boston.ARCHIVE.exists(), reason=f"the real file is not here: {boston.ARCHIVE}")


def test_every_row_of_the_real_file_is_accounted_for(warehouse: Settings) -> None:
    mapping = load_mapping(PROJECT / "examples/boston311.yml")
    [report] = load_file(UPath(boston.ARCHIVE), mapping, NIGHT, warehouse)
    assert counts(report) == (58_251, 58_251, 0, 0)

    [again] = load_file(UPath(boston.ARCHIVE), mapping, NIGHT, warehouse)
    assert again == report
    with psycopg.connect(warehouse.dsn("engineer")) as connection:
        stored = connection.execute(
            """
            select count(*), count(distinct message_id), count(first_response_at), count(due_at), count(municipality),
                   count(*) filter (where first_response_at <= due_at)
            from raw.incident
            """
        ).fetchone()
        batches = connection.execute("select count(*) from raw.batch").fetchone()
    assert batches == (1,)
    # Straight from the file: 3,681 are never closed and 10,981 have no target; where there are both dates,
    # the file's own word on being on time is the oracle.
    rows = boston.rows()
    both = [r for r in rows if r["closed_dt"] and r["target_dt"]]
    assert stored == (
        58_251,
        58_251,
        58_251 - 3_681,
        58_251 - 10_981,
        sum(1 for r in rows if r["neighborhood"].strip()),
        sum(1 for r in both if r["ontime"] == "ONTIME"),
    )
