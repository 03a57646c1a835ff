"""Fixtures of the tests that talk to a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from otklik.settings import Settings
from tests.fixtures.files import Centre


@pytest.fixture
def centre(warehouse: Settings, tmp_path: Path) -> Centre:
    """A centre with an empty warehouse and a folder for its files."""
    return Centre(warehouse, tmp_path)


@pytest.fixture(scope="module")
def driver() -> Iterator[Popen[str]]:
    """What runs nights that can be killed, for one module of tests."""
    from tests.fixtures.killed import driving

    with driving() as process:
        yield process
