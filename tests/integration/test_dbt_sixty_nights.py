"""Sixty nights built one by one, with late, corrected and deleted rows, equal one full refresh in every mart."""

import pytest

from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.sixty_nights import NIGHTS, sixty_nights

# Of a centre whose residents write little there may be no warning.
MAY_BE_EMPTY = {"mart_early_warning"}


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
