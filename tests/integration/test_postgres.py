"""The embedded cluster: closed to the outside, run by no superuser of the system, its data kept."""

import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import psycopg
import pytest

from otklik.runtime.postgres import Cluster
from otklik.settings import Settings, get_settings
from tests.fixtures.cluster import running, scratch_home


@pytest.fixture(scope="module")
def server() -> Iterator[Settings]:
    with scratch_home():
        settings = get_settings()
        with running(Cluster.of(settings), settings):
            yield settings


def postmaster(settings: Settings) -> psutil.Process:
    return psutil.Process(int((Cluster.of(settings).data / "postmaster.pid").read_text().split()[0]))


def test_it_is_postgresql_18_in_utf8(server: Settings) -> None:
    with psycopg.connect(server.admin_dsn()) as connection:
        assert connection.info.server_version // 10000 == 18
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("select upper('ё') || lower('Ж')").fetchone() == ("Ёж",)


def test_it_listens_on_loopback_only_and_on_no_socket_file(server: Settings) -> None:
    addresses = {c.laddr[:2] for c in postmaster(server).net_connections("all") if c.status == psutil.CONN_LISTEN}
    assert addresses == {("127.0.0.1", server.db_port)}
    with psycopg.connect(server.admin_dsn()) as connection:
        assert connection.execute("show unix_socket_directories").fetchone() == ("",)


def test_it_lets_nobody_in_without_a_password_even_locally(server: Settings) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(f"postgresql://otklik_admin@127.0.0.1:{server.db_port}/postgres")
    with psycopg.connect(server.admin_dsn()) as connection:
        methods = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert methods == [("scram-sha-256",)]


def test_it_never_runs_as_root_and_nobody_else_reads_its_data(server: Settings) -> None:
    data = Cluster.of(server).data.resolve()
    assert postmaster(server).uids().effective != 0
    assert data.stat().st_uid == postmaster(server).uids().effective
    assert data.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the user PostgreSQL runs as")
def test_a_home_the_system_user_cannot_enter_is_left_closed() -> None:
    with scratch_home() as home:
        home.chmod(0o700)
        settings = get_settings()
        server = Cluster.of(settings)
        with running(server, settings):
            outside = server.data.resolve()
            assert home not in outside.parents
            assert home.stat().st_mode & 0o777 == 0o700
        server.remove()
        assert not outside.exists()
        assert not server.data.is_symlink()


def test_data_survive_a_restart_and_a_second_making() -> None:
    with scratch_home():
        settings = get_settings()
        server = Cluster.of(settings)
        with running(server, settings), psycopg.connect(settings.admin_dsn(), autocommit=True) as connection:
            connection.execute("create table kept (a integer)")
        assert server.create(settings.admin_password) is False
        with running(server, settings), psycopg.connect(settings.admin_dsn()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_sigint_stops_it_at_once_though_clients_are_connected() -> None:
    with scratch_home():
        settings = get_settings()
        with running(Cluster.of(settings), settings):
            with psycopg.connect(settings.admin_dsn()):
                process = postmaster(settings)
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=20) in (0, None)
            control = [str(Cluster.of(settings).programs / "pg_controldata"), str(Cluster.of(settings).data.resolve())]
            assert "shut down" in subprocess.run(control, capture_output=True, text=True, check=True).stdout
