"""Fixtures every test may use."""

pytest_plugins = ["tests.fixtures.cluster", "tests.fixtures.dbt_warehouses"]
