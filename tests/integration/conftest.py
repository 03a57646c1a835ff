"""Fixtures of the tests that talk to a real PostgreSQL."""

from pathlib import Path

import pytest

from otklik.settings import Settings
from tests.fixtures.files import Centre


@pytest.fixture
def centre(warehouse: Settings, tmp_path: Path) -> Centre:
    """A centre with an empty warehouse and a folder for its files."""
    return Centre(warehouse, tmp_path)
