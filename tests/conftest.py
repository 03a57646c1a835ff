"""Fixtures every test may use."""

pytest_plugins = ["tests.fixtures.cluster", "tests.fixtures.nights"]
