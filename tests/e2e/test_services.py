"""All services together: healthy, closed to the outside, each login with its rights, and not started twice."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from otklik.demo.outside import standin_port
from otklik.runtime.airflow import passwords_file
from otklik.runtime.supervisor import Supervisor
from otklik.settings import Settings


def otklik(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.prefix) / "bin" / "otklik", *arguments]
    environment = os.environ | {"COLUMNS": "120", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def airflow(settings: Settings, user: str, password: str) -> httpx.Client:
    """A client of Airflow's API logged in as `user`."""
    base = f"http://127.0.0.1:{settings.airflow_port}"
    login = httpx.post(f"{base}/auth/token", json={"username": user, "password": password}, trust_env=False)
    login.raise_for_status()
    token = login.json()["access_token"]
    return httpx.Client(base_url=f"{base}/api/v2", headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def test_status_and_doctor_find_all_well(night: Settings) -> None:
    status = otklik("status")
    # Seven of its own, and the stand-ins of the made-up region.
    assert (status.returncode, status.stdout.count("RUNNING")) == (0, 8)
    doctor = otklik("doctor")
    assert "✗" not in doctor.stdout
    assert doctor.returncode == 0


def test_starting_again_repeats_no_work_and_touches_no_service(night: Settings) -> None:
    before = {psutil.Process(pid) for pid in Supervisor(night).process_ids()}
    services = {process for process in before if process.ppid() == int(Supervisor(night).pid_file.read_text())}
    again = otklik("up")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("nothing to do") == 3
    assert len(services) == 8
    assert all(process.is_running() for process in services)


def test_up_prints_an_address_and_a_login_for_each_kind_of_reader(night: Settings) -> None:
    told = otklik("up").stdout
    for user in ("leadership", "analyst", "auditor", "engineer"):
        assert getattr(night, f"superset_{user}_login_password") in told
    for port in (night.superset_port, night.airflow_port, night.site_port):
        assert f"http://127.0.0.1:{port}/" in told


def test_nothing_listens_beyond_loopback(night: Settings) -> None:
    own = Supervisor(night).process_ids()
    listeners = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in own]
    assert {c.laddr.ip for c in listeners} == {"127.0.0.1"}
    ports = {night.db_port, night.airflow_port, night.superset_port, night.site_port, standin_port(night)}
    assert {c.laddr.port for c in listeners} == ports


def test_an_auditor_reads_airflow_and_an_engineer_runs_it(night: Settings) -> None:
    with airflow(night, "auditor", night.airflow_auditor_login_password) as auditor:
        seen = auditor.get("/dags").json()["dags"]
        assert {dag["dag_id"] for dag in seen} >= {"incidents", "marts"}
        assert auditor.patch("/dags/incidents", json={"is_paused": True}).status_code == httpx.codes.FORBIDDEN
    with airflow(night, "engineer", night.airflow_engineer_login_password) as engineer:
        assert engineer.patch("/dags/incidents", json={"is_paused": False}).status_code == httpx.codes.OK


def test_airflow_refuses_a_wrong_password_and_keeps_the_right_ones_private(night: Settings) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        airflow(night, "engineer", "guess")
    assert stat.S_IMODE(passwords_file(night).stat().st_mode) == 0o600


def test_airflows_own_command_works_on_this_installation(night: Settings) -> None:
    listed = otklik("airflow", "dags", "list", "--output", "plain")
    assert listed.returncode == 0
    assert "incidents" in listed.stdout
