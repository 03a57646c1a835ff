"""The roles and databases of the warehouse, on a real server."""

import psycopg
import pytest

from otklik.settings import DATABASE_ROLES, Settings


def ask(settings: Settings, role: str, question: str) -> object:
    with psycopg.connect(settings.dsn(role)) as connection:
        return connection.execute(question).fetchone()[0]


@pytest.mark.parametrize("role", DATABASE_ROLES)
def test_every_role_enters_the_warehouse_with_its_password(warehouse: Settings, role: str) -> None:
    assert ask(warehouse, role, "select current_user") == f"otklik_{role}"
    assert ask(warehouse, role, "show timezone") == "UTC"
