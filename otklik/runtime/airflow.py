"""Airflow as Otklik runs it: configured by environment variables alone, state under `var/airflow`."""

import json
import os
import sys
from pathlib import Path

from otklik.settings import PROJECT, Settings
from otklik.sources.systems import SYSTEMS

PROGRAM = Path(sys.prefix) / "bin" / "airflow"
# --skip-serve-logs: those servers listen on every interface, and all of Airflow shares one log folder here.
COMPONENTS = {
    "airflow-api-server": ["api-server"],
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],
    "airflow-dag-processor": ["dag-processor"],
    "airflow-triggerer": ["triggerer", "--skip-serve-logs"],
}
# How many tasks may do such work at the same time. One for each outside system: the rate it allows is that of our
# token, however many tasks there are.
POOLS = {"files": (2, "Files read at the same time")} | {
    name: (1, f"Questions to {name} at the same time") for name in SYSTEMS
}

# Variables that other programs' own settings are read from: Airflow's, and those of stores of files.
_THEIRS = ("AIRFLOW__", "AWS_", "FSSPEC_")


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Return all the variables an Airflow program needs, those of Otklik and PATH included.

    AIRFLOW__… variables of the calling process win; those that open an inbox elsewhere are handed on.
    """
    home = settings.var / "airflow"
    address = f"http://127.0.0.1:{settings.airflow_port}"
    options = {
        "CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__DEFAULT_TIMEZONE": settings.time_zone,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": "4",
        "CORE__FERNET_KEY": settings.airflow_fernet_key,
        # The machine's own name: a full one may cost a slow question to DNS at every task.
        "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "engineer:admin,auditor:viewer",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(settings)),
        "DATABASE__SQL_ALCHEMY_CONN": settings.sqlalchemy_url("airflow"),
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": settings.sqlalchemy_url("airflow"),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(settings.airflow_port),
        "API__BASE_URL": address,
        "API__WORKERS": "1",
        "API__SECRET_KEY": settings.airflow_api_secret_key,
        "API_AUTH__JWT_SECRET": settings.airflow_jwt_secret,
        # A new or changed DAG shows within seconds.
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "LOGGING__BASE_LOG_FOLDER": str(settings.var / "log" / "airflow"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(settings.var / "log" / "airflow" / "dag_processor"),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    # Read first where it is there; connections made in Airflow itself are looked for afterwards.
    if connections_file(settings).exists():
        options |= {
            "SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            "SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(connections_file(settings))}),
        }
    ours = {f"AIRFLOW__{name}": value for name, value in options.items()}
    theirs = {name: value for name, value in os.environ.items() if name.startswith(_THEIRS)}
    return settings.environment() | ours | theirs | {"AIRFLOW_HOME": str(home), "PATH": _path()}


def connections_file(settings: Settings) -> Path:
    """Return the private file that names the outside systems: address, login, password, extra of each."""
    return settings.home / "connections.yaml"


def passwords_file(settings: Settings) -> Path:
    """Return the file Airflow reads its users' passwords from."""
    return settings.var / "airflow" / "passwords.json"


def write_passwords(settings: Settings) -> None:
    """Write the passwords of Airflow's users, readable by the owner only."""
    path = passwords_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    passwords = {
        "engineer": settings.airflow_engineer_login_password,
        "auditor": settings.airflow_auditor_login_password,
    }
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(passwords, file)


def _path() -> str:
    # Airflow starts `airflow` and our commands again, by name.
    return f"{PROGRAM.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def migrate() -> None:
    """Bring Airflow's database to its version and make the pools; runs inside `airflow_environment`."""
    from airflow.cli.cli_parser import get_parser

    pools = {
        name: {"slots": slots, "description": why, "include_deferred": False} for name, (slots, why) in POOLS.items()
    }
    file = Path(os.environ["AIRFLOW_HOME"]) / "pools.json"
    file.write_text(json.dumps(pools), encoding="utf-8")
    # One process for both: Airflow's start-up costs more than either.
    for command in (["db", "migrate"], ["pools", "import", str(file)]):
        arguments = get_parser().parse_args(command)
        arguments.func(arguments)


if __name__ == "__main__":
    migrate()
