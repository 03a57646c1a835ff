"""The outside systems of the made-up region: stand-ins on this machine, and Airflow's connections to them."""

import json
import os
import shlex
import sys
from pathlib import Path

import httpx
import yaml

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.credentials_file import kept_credentials
from otklik.runtime.airflow import connections_file
from otklik.runtime.ports import next_free
from otklik.runtime.supervisor import Supervisor
from otklik.settings import Settings

# The evening of the last night, an hour before it ends.
NOW = "2022-12-31T23:00:00+05:00"
REGION = "66"
_FIRST_PORT = 8190

_SERVICE = """\
[program:standin]
command = {command}
directory = {home}
autostart = false
autorestart = true
startsecs = 1
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}/standin.log
stdout_logfile_maxbytes = 10MB
"""


def prepare_outside(settings: Settings) -> None:
    """Write what the supervisor needs to run the stand-ins, and the connections to them; kept when they are there."""
    facts = _facts(settings)
    if not facts.exists():
        facts.parent.mkdir(parents=True, exist_ok=True)
        facts.write_text(json.dumps({"port": next_free(_FIRST_PORT)}), encoding="utf-8")
    port = standin_port(settings)
    credentials_path = settings.var / "demo" / "credentials.json"
    credentials = kept_credentials(credentials_path)
    supervisor = Supervisor(settings)
    supervisor.services.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "otklik.demo.standin", "--port", str(port), "--now", NOW, "--no-limits"]
    command += ["--credentials", str(credentials_path)]
    service = _SERVICE.format(command=shlex.join(command), home=settings.home, log=supervisor.log)
    _write_private(supervisor.services / "standin.conf", service)
    _write_private(connections_file(settings), yaml.safe_dump(connections(port, credentials)))


def start_outside(settings: Settings) -> None:
    """Start the stand-ins and wait until they answer."""
    port = standin_port(settings)
    Supervisor(settings).start(["standin"], lambda _: _trouble(port))


def standin_port(settings: Settings) -> int:
    """Return the loopback port of the stand-ins."""
    return int(json.loads(_facts(settings).read_text(encoding="utf-8"))["port"])


def connections(port: int, credentials: Credentials) -> dict[str, dict[str, object]]:
    """Return Airflow's connections to the stand-ins: without limits there, and unhurried by ours."""
    base = f"http://127.0.0.1:{port}"

    def connection(path: str, login: str = "", password: str = "", **extra: str) -> dict[str, object]:
        access = {"login": login, "password": password}
        return {"conn_type": "http", "host": f"{base}/{path}", **access, "extra": {"rate": "0", **extra}}

    channel = {"region": REGION, "chat": "@school_meals_66"}
    return {
        "vk": connection("vk", password=credentials.vk_token),
        "ok": connection(
            "ok",
            credentials.ok_application_key,
            credentials.ok_application_secret,
            access_token=credentials.ok_access_token,
        ),
        "telegram": connection("telegram", password=credentials.telegram_token),
        "max": connection("max", password=credentials.max_token),
        "limesurvey": connection("limesurvey", credentials.limesurvey_user, credentials.limesurvey_password),
        "yandex_forms": connection(
            "yandex", password=credentials.yandex_token, organisation=credentials.yandex_organisation
        ),
        "kobo": connection("kobo", password=credentials.kobo_token),
        "telegram_channel": connection("telegram", password=credentials.telegram_token, **channel),
    }


def _facts(settings: Settings) -> Path:
    return settings.var / "demo" / "standin.json"


def _trouble(port: int) -> str | None:
    try:
        httpx.get(f"http://127.0.0.1:{port}/_control/log", timeout=5)
    except httpx.HTTPError as error:
        return f"the stand-ins on port {port} do not answer: {error}"
    return None


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
