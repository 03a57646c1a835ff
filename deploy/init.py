"""One-shot steps of docker-compose.yml, each safe to repeat: `python deploy/init.py warehouse|airflow|dashboards`."""

import os
import sys

from otklik.settings import get_settings


def prepare_warehouse() -> None:
    """Make roles and databases on the server of OTKLIK_DATABASE_URL, and migrate the warehouse."""
    from otklik.warehouse.migrate import upgrade
    from otklik.warehouse.roles import prepare_server

    settings = get_settings()
    prepare_server(settings)
    print("warehouse:", "migrated" if upgrade(settings) else "nothing to do")


def prepare_airflow() -> None:
    """Write the passwords of Airflow's users and migrate its database; does not return."""
    from otklik.runtime.airflow import airflow_environment, write_passwords

    settings = get_settings()
    write_passwords(settings)
    # Airflow reads its configuration from the environment once, at import: hence a fresh process.
    os.execve(sys.executable, [sys.executable, "-m", "otklik.runtime.airflow"], airflow_environment(settings))


def prepare_dashboards() -> None:
    """Write what Superset imports and serves, for its containers to read."""
    from otklik.dashboards.apply import prepare

    print("dashboards:", prepare(get_settings()))


STEPS = {"warehouse": prepare_warehouse, "airflow": prepare_airflow, "dashboards": prepare_dashboards}

if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in STEPS]:
        sys.exit(f"usage: python deploy/init.py {'|'.join(STEPS)}")
    STEPS[sys.argv[1]]()
