"""Loopback ports: who holds them, and what to do about it."""

import errno
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from otklik.settings import Settings


def ports_of(settings: Settings) -> dict[str, int]:
    """Return the setting and the number of every port Otklik opens itself."""
    ports = {
        "OTKLIK_AIRFLOW_PORT": settings.airflow_port,
        "OTKLIK_SUPERSET_PORT": settings.superset_port,
        "OTKLIK_SITE_PORT": settings.site_port,
    }
    return {"OTKLIK_DB_PORT": settings.db_port} | ports if settings.embedded else ports


def conflicts(settings: Settings, own: Iterable[int] = ()) -> list[str]:
    """Return a sentence for every port that cannot be had; `own` are the process ids that may hold them.

    Each names the setting, the port, the process that holds it, and how to change it.
    """
    mine = set(own)
    found = []
    ports = ports_of(settings)
    for setting, port in ports.items():
        twins = [other for other, number in ports.items() if number == port and other != setting]
        if twins:
            found.append(f"{setting} and {twins[0]} are both {port}; give each its own in {settings.env_file}.")
        elif not _free(port) and not (holders := _holders(port)) & mine:
            found.append(
                f"Port {port} ({setting}) is in use by {_describe(holders)}. "
                f"Stop it, or set another port: {setting}={next_free(port)} in {settings.env_file}."
            )
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            # Anything else, a privileged port say, is told by the service itself.
            return error.errno != errno.EADDRINUSE
    return True


def _holders(port: int) -> set[int]:
    return {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid
    }


def _describe(holders: set[int]) -> str:
    for pid in sorted(holders):
        try:
            command = " ".join(psutil.Process(pid).cmdline()[:4])
        except psutil.Error:
            continue
        return f"process {pid} ({command[:120]})"
    return "a process of another user"


def next_free(port: int) -> int:
    """Return the first loopback port above `port` that nobody listens on."""
    return next(candidate for candidate in range(port + 1, 65536) if _free(candidate))


def family_of(pid_file: Path) -> set[int]:
    """Return the ids of the process named in a pid file and all its descendants; empty when it is gone."""
    try:
        parent = psutil.Process(int(pid_file.read_text()))
        return {parent.pid, *(child.pid for child in parent.children(recursive=True))}
    except (OSError, ValueError, psutil.NoSuchProcess):
        return set()
