"""Starting all of Otklik, step by step; what is already done is not done again."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from otklik.dashboards.apply import prepare
from otklik.errors import OtklikError
from otklik.runtime import stamps
from otklik.runtime.airflow import COMPONENTS, airflow_environment, write_passwords
from otklik.runtime.health import airflow_trouble, database_trouble, site_trouble, superset_trouble
from otklik.runtime.ports import conflicts
from otklik.runtime.postgres import Cluster, PostgresError
from otklik.runtime.steps import Steps
from otklik.runtime.superset import bootstrap_command, bootstrap_inputs, superset_environment
from otklik.runtime.supervisor import Supervisor, SupervisorError
from otklik.settings import PREFIX, Settings
from otklik.site import write_start_page
from otklik.warehouse.roles import DatabaseError, check_server, connect_as_admin, prepare_server


class StartError(Exception):
    """Otklik cannot start; the message says what stands in the way and what to do."""


EXPECTED_ERRORS = (
    OtklikError,
    StartError,
    DatabaseError,
    PostgresError,
    SupervisorError,
    psycopg.Error,
    SQLAlchemyError,
)


def start(settings: Settings, steps: Steps, superset: bool = True) -> None:
    """Start every service and wait until each answers."""
    check_ports(settings, steps)
    start_database(settings, steps)
    start_site(settings, steps)
    chains = [lambda: start_airflow(settings, steps)]
    if superset:
        chains.append(lambda: start_superset(settings, steps))
    steps.together(*chains)


def check_ports(settings: Settings, steps: Steps) -> None:
    """Raise StartError, naming setting, port and holder, when a port is taken by something else."""
    with steps.step("Check that the ports are free"):
        if found := conflicts(settings, Supervisor(settings).process_ids()):
            raise StartError("\n".join(found))


def start_site(settings: Settings, steps: Steps) -> None:
    """Start the static site of quality reports and documentation."""
    with steps.step(f"Start the site on port {settings.site_port}"):
        write_start_page(settings)
        Supervisor(settings).start(["site"], site_trouble)


def start_database(settings: Settings, steps: Steps) -> None:
    """Start PostgreSQL, or check the one given, and prepare roles, databases and tables."""
    supervisor = Supervisor(settings)
    if settings.embedded:
        with steps.step(f"Start PostgreSQL on port {settings.db_port}") as step:
            step.note("made a new cluster" if Cluster.of(settings).create(settings.admin_password) else "")
            supervisor.ensure_running()
            supervisor.start(["postgres"], database_trouble)
    else:
        with steps.step(f"Check PostgreSQL at {settings.db_host}:{settings.db_port}"):
            with connect_as_admin(settings) as admin:
                check_server(admin)
            supervisor.ensure_running()
    with steps.step("Prepare roles and databases"):
        prepare_server(settings)
    with steps.step("Bring the warehouse to its version") as step:
        from otklik.warehouse.migrate import upgrade

        step.note("migrated" if upgrade(settings) else "nothing to do")


def start_airflow(settings: Settings, steps: Steps) -> None:
    """Bring Airflow's database to its version and start Airflow."""
    supervisor = Supervisor(settings)
    with steps.step("Bring Airflow's database to its version") as step:
        write_passwords(settings)
        version = importlib.metadata.version("apache-airflow")
        fingerprint = stamps.fingerprint(settings, settings.database("airflow"), [version])
        if stamps.is_done(settings, "airflow", fingerprint):
            step.note("nothing to do")
        else:
            _run(
                "airflow-migrate",
                [sys.executable, "-m", "otklik.runtime.airflow"],
                airflow_environment(settings),
                settings,
            )
            stamps.mark_done(settings, "airflow", fingerprint)
    with steps.step(f"Start Airflow on port {settings.airflow_port}"):
        supervisor.start(COMPONENTS, airflow_trouble)


def start_superset(settings: Settings, steps: Steps) -> None:
    """Prepare Superset's database, users and dashboards, and start it."""
    environment = superset_environment(settings)
    with steps.step("Prepare Superset: database, users, dashboards") as step:
        told = [f"{name}={value}" for name, value in sorted(environment.items()) if name.startswith("OTKLIK_")]
        fingerprint = stamps.fingerprint(settings, settings.database("superset"), told, bootstrap_inputs())
        if stamps.is_done(settings, "superset", fingerprint):
            step.note("nothing to do")
        else:
            prepare(settings)
            _run("superset-bootstrap", bootstrap_command(), environment, settings)
            stamps.mark_done(settings, "superset", fingerprint)
    with steps.step(f"Start Superset on port {settings.superset_port}"):
        Supervisor(settings).start(["superset"], superset_trouble)


def _run(name: str, command: Sequence[str], environment: Mapping[str, str], settings: Settings) -> None:
    """Run a program to its end, its output into `var/log/<name>.log`."""
    log = settings.var / "log" / f"{name}.log"
    # Settings of our own process are not inherited: a program is told what it needs and no more.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with open(log, "wb") as output:
        done = subprocess.run(
            command, env=inherited | dict(environment), cwd=settings.home, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise StartError(f"{name} failed with exit code {done.returncode}:\n{last}\nAll of it: {log}")
