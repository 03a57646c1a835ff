"""Sixty nights built one by one, with late, corrected and deleted rows, equal one full refresh in every mart."""

from itertools import chain

import pytest

from otklik.contracts.incident import EVENTS, INCIDENT
from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.sixty_nights import NIGHTS, sixty_nights

# Of a centre whose residents write little there may be no warning.
MAY_BE_EMPTY = {"mart_early_warning"}


def test_the_sixty_nights_tell_all_that_happens_to_an_incident() -> None:
    rows = [row for file in chain.from_iterable(sixty_nights()) if file.entity == "incident" for row in file.rows]
    for row in rows:
        for later, earlier in INCIDENT.orders.values():
            assert not (row.get(later) and row.get(earlier)) or row[later] >= row[earlier]
        assert all(row[event] <= row["updated_at"] for event in EVENTS if row.get(event))
    for event in EVENTS:
        assert len({row[event] for row in rows if row.get(event)}) > 15, event
    again = {(row["incident_id"], row["reopened_count"]) for row in rows if row.get("reopened_at")}
    assert {count for _, count in again} > {None, 1, 2}
    assert len([count for _, count in again if count is None]) > 5
    deleted = {row["message_id"] for row in rows if row.get("is_deleted")}
    assert len(deleted) > 10
    priorities = {(row["incident_id"], row["priority"]) for row in rows}
    assert len(priorities) > len({row["incident_id"] for row in rows}) + 5


@pytest.mark.timeout(1800)
def test_every_mart_after_sixty_nights_equals_one_full_refresh(by_night: TestWarehouse, at_once: TestWarehouse) -> None:
    nights = 0
    for files in sixty_nights():
        for warehouse in (by_night, at_once):
            for file in files:
                file.load(warehouse)
        by_night.dbt("run")
        nights += 1
    at_once.dbt("run", "--full-refresh")

    assert nights == NIGHTS == 60
    marts = [
        name
        for (name,) in by_night.rows(
            "select relname from pg_class where relnamespace = 'marts'::regnamespace"
            " and relkind in ('r', 'v') order by 1"
        )
    ]
    assert len(marts) > 30
    assert [name for name in marts if by_night.mart(name) != at_once.mart(name)] == []
    assert {name for name in marts if not by_night.mart(name)} <= MAY_BE_EMPTY
