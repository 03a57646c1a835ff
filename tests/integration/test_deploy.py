"""The one-shot steps of docker-compose.yml, on a real server."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from otklik.settings import PROJECT, Settings
from otklik.warehouse.roles import connect_as_admin


@pytest.fixture
def empty_database(cluster: Settings) -> Iterator[str]:
    """The name of a warehouse that is not there yet; dropped afterwards."""
    name = f"otklik_{uuid.uuid4().hex[:12]}"
    yield name
    with connect_as_admin(cluster) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def init(cluster: Settings, database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    told = cluster.environment() | {"OTKLIK_DB_NAME": database, "OTKLIK_DATABASE_URL": cluster.admin_dsn()}
    command = [sys.executable, str(PROJECT / "deploy/init.py"), *arguments]
    return subprocess.run(command, env=os.environ | told, check=False, capture_output=True, text=True)


def test_an_empty_server_becomes_a_warehouse_and_a_second_run_changes_nothing(
    cluster: Settings, empty_database: str
) -> None:
    first, second = init(cluster, empty_database, "warehouse"), init(cluster, empty_database, "warehouse")
    assert (first.returncode, first.stdout) == (0, "warehouse: migrated\n"), first.stderr
    assert (second.returncode, second.stdout) == (0, "warehouse: nothing to do\n"), second.stderr
    address = cluster.dsn("loader").replace(f"/{cluster.db_name}", f"/{empty_database}")
    with psycopg.connect(address) as loader:
        assert loader.execute("select count(*) from raw.batch").fetchone() == (0,)


def test_a_step_that_does_not_exist_is_refused_with_those_that_do(cluster: Settings, empty_database: str) -> None:
    refused = init(cluster, empty_database, "superset")
    assert (refused.returncode, refused.stderr) == (1, "usage: python deploy/init.py warehouse|airflow|dashboards\n")
