"""An embedded PostgreSQL as it runs in production, durable and tuned the same, with an empty warehouse; thrown away."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otklik.runtime.health import database_trouble
from otklik.runtime.postgres import Cluster
from otklik.settings import PREFIX, Settings, ensure_env_file, get_settings
from otklik.warehouse.migrate import upgrade
from otklik.warehouse.roles import connect_as_admin, prepare_server

_START_SECONDS = 60


@contextmanager
def throwaway_warehouse() -> Iterator[Settings]:
    """Run a cluster of its own with a migrated warehouse; yield its settings, which child processes have too.

    Everything is in a folder of the system's temporary one (TMPDIR names another), deleted afterwards.
    """
    home = Path(tempfile.mkdtemp(prefix="otklik-benchmark-"))
    # As root PostgreSQL runs as another user, who must be able to pass.
    home.chmod(0o711)
    settings = _settings(home)
    cluster = Cluster.of(settings)
    try:
        cluster.create(settings.admin_password)
        server = cluster.start()
        try:
            _wait_until_ready(settings, server)
            prepare_server(settings)
            upgrade(settings)
            yield settings
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    finally:
        cluster.remove()
        shutil.rmtree(home, ignore_errors=True)


def empty(settings: Settings) -> None:
    """Make the warehouse and its landing zone as if nothing had ever come, and leave the server no pages to write."""
    shutil.rmtree(settings.landing, ignore_errors=True)
    with connect_as_admin(settings, settings.database("owner")) as admin:
        tables = admin.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname = any(%s)",
            [["raw", "quality"]],
        )
        admin.execute(f"truncate {', '.join(name for (name,) in tables)}")
        admin.execute("checkpoint")


def _settings(home: Path) -> Settings:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {f"{PREFIX}HOME": str(home), f"{PREFIX}DB_PORT": str(port)}
    get_settings.cache_clear()
    ensure_env_file()
    return get_settings()


def _wait_until_ready(settings: Settings, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while trouble := database_trouble(settings):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The database of the benchmark does not start: {trouble}")
        time.sleep(0.1)
