"""Superset as Otklik runs it: its own environment under `superset/.venv`, state under `var/superset`."""

import os
from pathlib import Path

from dotenv import dotenv_values

from otklik.settings import PROJECT, Settings

FOLDER = PROJECT / "superset"
PROGRAMS = FOLDER / ".venv" / "bin"

# All it is told: it reads marts as a reader, an analyst or an auditor and keeps a database of its own.
_TOLD = (
    "OTKLIK_SUPERSET_",
    "OTKLIK_DB_",
    "OTKLIK_READER_PASSWORD",
    "OTKLIK_ANALYST_PASSWORD",
    "OTKLIK_AUDITOR_PASSWORD",
    "OTKLIK_HOME",
    "OTKLIK_TIME_ZONE",
    "OTKLIK_SITE_PORT",
    "PGSSL",
)


def superset_environment(settings: Settings) -> dict[str, str]:
    """Return all the variables Superset needs, without the secrets of the pipeline."""
    # Logins that a centre adds to roles.yaml have variables no setting knows.
    added = {name: value for name, value in dotenv_values(settings.env_file).items() if value} | dict(os.environ)
    told = added | settings.environment()
    shared = {name: value for name, value in told.items() if name.startswith(_TOLD)}
    return shared | {
        "SUPERSET_CONFIG_PATH": str(FOLDER / "superset_config.py"),
        "SUPERSET_HOME": str(settings.var / "superset"),
        "FLASK_APP": "superset.app:create_app()",
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def superset_command(settings: Settings) -> list[str]:
    """Return the command that serves Superset on loopback."""
    # A chart waits for the database most of its time, so threads serve many. What is kept is bound by Python, of which
    # a process runs one thread at a time: a second process halves what readers wait, and more threads lengthen it.
    options = {
        "bind": f"127.0.0.1:{settings.superset_port}",
        "worker-class": "gthread",
        "workers": "2",
        "threads": "8",
        # A reader looks at a page longer than gunicorn waits for the next request unless told; one that is sent just
        # when its connection is closed is lost.
        "keep-alive": "75",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [str(PROGRAMS / "gunicorn"), *flags, "--timeout", "120", "superset.app:create_app()"]


def prepared_folder(settings: Settings) -> Path:
    """Return the folder of what Superset is given to import and to serve: the dashboards' bundle and pages of help."""
    return settings.var / "superset" / "prepared"


def bootstrap_command() -> list[str]:
    """Return the command that prepares Superset's database, users and dashboards."""
    return [str(PROGRAMS / "python"), str(FOLDER / "bootstrap.py")]


def bootstrap_inputs() -> list[Path]:
    """Return the files the outcome of the bootstrap depends on: Superset's, and what the marts and the help are."""
    folders = (FOLDER, PROJECT / "dbt_project" / "models", PROJECT / "docs", PROJECT / "otklik" / "dashboards")
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not {".venv", "__pycache__"} & set(path.relative_to(folder).parts)
    )
