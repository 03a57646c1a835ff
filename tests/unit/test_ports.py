"""A port in use is told with its setting, its holder and a way out, before anything starts."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from otklik.runtime.ports import conflicts
from otklik.settings import Settings, get_settings
from tests.fixtures.cluster import environment, scratch_home


@pytest.fixture
def settings() -> Iterator[Settings]:
    with scratch_home():
        yield get_settings()


@pytest.fixture
def taken(settings: Settings) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", settings.superset_port)):
        yield settings.superset_port


def test_free_ports_are_no_conflict(settings: Settings) -> None:
    assert conflicts(settings) == []


def test_a_taken_port_is_told_with_setting_holder_and_way_out(settings: Settings, taken: int) -> None:
    (told,) = conflicts(settings)
    assert told.startswith(f"Port {taken} (OTKLIK_SUPERSET_PORT) is in use by process {os.getpid()} (")
    assert told.endswith(f"in {settings.home / '.env'}.")


def test_the_port_offered_instead_is_free(settings: Settings, taken: int) -> None:
    (told,) = conflicts(settings)
    offered = int(told.rsplit("OTKLIK_SUPERSET_PORT=", 1)[1].split()[0])
    assert offered > taken
    socket.create_server(("127.0.0.1", offered)).close()


def test_a_port_our_own_services_hold_is_no_conflict(settings: Settings, taken: int) -> None:
    assert conflicts(settings, own=[os.getpid()]) == []


def test_a_port_just_left_by_a_server_is_free(settings: Settings) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", settings.site_port)))
        client = stack.enter_context(socket.create_connection(("127.0.0.1", settings.site_port)))
        served, _ = server.accept()
        # Closed by the server's side first: the system keeps the address in TIME_WAIT for a minute.
        served.close()
        client.close()
    assert conflicts(settings) == []


def test_two_settings_with_one_port_are_told(settings: Settings) -> None:
    same = {name.removeprefix("OTKLIK_"): value for name, value in settings.environment().items()}
    with environment(**same | {"SITE_PORT": str(settings.airflow_port)}):
        assert conflicts(get_settings())[0] == (
            f"OTKLIK_AIRFLOW_PORT and OTKLIK_SITE_PORT are both {settings.airflow_port}; "
            f"give each its own in {settings.home / '.env'}."
        )


def test_the_port_of_an_existing_server_is_not_ours_to_take(settings: Settings) -> None:
    given = {name.removeprefix("OTKLIK_"): value for name, value in settings.environment().items()}
    with socket.create_server(("127.0.0.1", settings.db_port)):
        address = f"postgresql://dba:dba@127.0.0.1:{settings.db_port}/postgres"
        with environment(**given | {"DATABASE_URL": address}):
            assert conflicts(get_settings()) == []
        assert len(conflicts(settings)) == 1
