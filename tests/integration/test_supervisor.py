"""The supervisor: services start, come back when they die, follow changed settings, and stop together."""

import os
import signal
import stat
from collections.abc import Iterator
from io import StringIO

import httpx
import psutil
import pytest
from rich.console import Console

from otklik.runtime import stamps
from otklik.runtime.health import site_trouble
from otklik.runtime.ports import conflicts
from otklik.runtime.steps import Steps
from otklik.runtime.supervisor import Supervisor, SupervisorError
from otklik.runtime.up import start_database, start_site
from otklik.settings import Settings, get_settings
from otklik.warehouse.roles import connect_as_admin
from tests.fixtures.cluster import environment, free_port, scratch_home


def start(settings: Settings) -> Steps:
    with Steps(Console(file=StringIO())) as steps:
        start_database(settings, steps)
        start_site(settings, steps)
    return steps


@pytest.fixture(scope="module")
def running() -> Iterator[Settings]:
    with scratch_home():
        settings = get_settings()
        try:
            start(settings)
            yield settings
        finally:
            Supervisor(settings).shutdown()


def listener(port: int) -> int:
    """The id of the process that listens on a port."""
    (holder,) = {
        c.pid for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == port
    }
    return int(holder)


def page(settings: Settings) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{settings.site_port}/", trust_env=False)


def test_services_that_were_not_asked_for_do_not_run(running: Settings) -> None:
    states = Supervisor(running).states()
    assert {name for name, state in states.items() if state == "RUNNING"} == {"postgres", "site"}
    assert states["airflow-scheduler"] == states["superset"] == "STOPPED"


def test_the_site_serves_its_folder_on_loopback_and_nothing_above_it(running: Settings) -> None:
    (running.var / "site" / "index.html").write_text("<p>Отклик</p>")
    assert page(running).text == "<p>Отклик</p>"
    assert httpx.get(f"http://127.0.0.1:{running.site_port}/%2e%2e/run/supervisord.conf").status_code == 404
    listeners = [c for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == running.site_port]
    assert {c.laddr.ip for c in listeners if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_files_with_secrets_are_the_owners_alone(running: Settings) -> None:
    supervisor = Supervisor(running)
    assert stat.S_IMODE(supervisor.configuration.stat().st_mode) == 0o600
    assert stat.S_IMODE(supervisor.socket.stat().st_mode) == 0o700


def test_superset_is_told_no_secret_of_the_pipeline(running: Settings) -> None:
    configuration = Supervisor(running).configuration.read_text()
    section = configuration.split("[program:superset]")[1].split("[program:")[0]
    assert running.reader_password in section
    for secret in (running.author_key, running.owner_password, running.loader_password, running.engineer_password):
        assert secret not in section


def test_our_own_ports_are_no_conflict(running: Settings) -> None:
    assert conflicts(running, Supervisor(running).process_ids()) == []
    assert len(conflicts(running)) == 2


def test_a_service_that_dies_comes_back(running: Settings) -> None:
    died = listener(running.site_port)
    os.kill(died, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(died)] if psutil.pid_exists(died) else [], timeout=10)
    Supervisor(running).start(["site"], site_trouble)
    assert listener(running.site_port) != died


def test_starting_again_leaves_what_runs_alone(running: Settings) -> None:
    before = listener(running.site_port), listener(running.db_port)
    start(running)
    assert (listener(running.site_port), listener(running.db_port)) == before


def test_a_changed_setting_restarts_the_services_it_touches(running: Settings) -> None:
    old, new = running.site_port, free_port()
    told = {name.removeprefix("OTKLIK_"): value for name, value in running.environment().items()}
    with environment(**told | {"SITE_PORT": str(new)}):
        start(get_settings())
        assert page(get_settings()).status_code in (200, 404)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{old}/", trust_env=False)
    start(running)
    assert site_trouble(running) is None


def test_a_service_that_cannot_start_is_named_with_the_end_of_its_log(running: Settings) -> None:
    supervisor = Supervisor(running)
    folder = running.var / "site"
    folder.rename(running.var / "kept")
    folder.write_text("not a folder")
    os.kill(listener(running.site_port), signal.SIGKILL)
    with pytest.raises(SupervisorError) as failure:
        supervisor.start(["site"], site_trouble)
    folder.unlink()
    (running.var / "kept").rename(folder)
    assert str(failure.value).startswith("site does not stay up:")
    assert "FileExistsError" in str(failure.value)
    assert str(failure.value).endswith(f"More: {running.var / 'log' / 'site.log'}")
    supervisor.start(["site"], site_trouble)


def test_a_service_that_takes_its_time_to_fail_is_named_all_the_same(running: Settings) -> None:
    supervisor = Supervisor(running)
    supervisor.services.mkdir(exist_ok=True)
    configuration = supervisor.services / "late.conf"
    command = "command = sh -c 'sleep 1.5; echo No luck; exit 1'"
    log = f"stdout_logfile = {supervisor.log}/late.log"
    configuration.write_text(f"[program:late]\n{command}\n{log}\nautostart = false\nautorestart = true\n")
    supervisor.ensure_running()
    with pytest.raises(SupervisorError) as failure:
        supervisor.start(["late"], lambda _: "it does not answer")
    configuration.unlink()
    supervisor.ensure_running()
    assert str(failure.value).startswith("late does not stay up:")
    assert "No luck" in str(failure.value)


def test_work_is_done_again_when_its_database_or_its_inputs_changed(running: Settings) -> None:
    inputs = running.home / "inputs.yml"
    inputs.write_text("a: 1")

    def fingerprint() -> str:
        return stamps.fingerprint(running, "otklik_superset", ["6.1.0"], [inputs])

    first = fingerprint()
    stamps.mark_done(running, "trial", first)
    assert stamps.is_done(running, "trial", fingerprint())
    inputs.write_text("a: 2")
    assert not stamps.is_done(running, "trial", fingerprint())
    inputs.write_text("a: 1")
    assert stamps.is_done(running, "trial", fingerprint())
    with connect_as_admin(running) as admin:
        admin.execute("drop database otklik_superset")
        admin.execute("create database otklik_superset owner otklik_superset")
    assert not stamps.is_done(running, "trial", fingerprint())


def test_stopping_ends_every_process_and_can_be_repeated() -> None:
    with scratch_home():
        supervisor = Supervisor(get_settings())
        start(get_settings())
        processes = supervisor.process_ids()
        assert len(processes) > 5
        assert supervisor.shutdown() is True
        left = [psutil.Process(process) for process in processes if psutil.pid_exists(process)]
        # Where nobody buries orphans, as in some containers, the dead stay listed.
        assert {process.status() for process in left} <= {psutil.STATUS_ZOMBIE}
        assert supervisor.shutdown() is False


def test_a_home_too_deep_for_a_socket_still_works() -> None:
    with scratch_home() as home:
        deep = home / ("d" * 60) / ("e" * 60)
        told = {name.removeprefix("OTKLIK_"): value for name, value in get_settings().environment().items()}
        for place in ("INBOX", "LANDING", "MAPPINGS"):
            del told[place]
        with environment(**told | {"HOME": str(deep)}):
            supervisor = Supervisor(get_settings())
            try:
                start(get_settings())
                assert supervisor.states()["postgres"] == "RUNNING"
                assert len(str(supervisor.socket)) < 108
                assert stat.S_IMODE(supervisor.socket.parent.stat().st_mode) == 0o700
            finally:
                supervisor.shutdown()
            assert not supervisor.socket.parent.exists()
