"""The services and the supervisor that keeps them running (supervisord)."""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from supervisor.xmlrpc import Faults, SupervisorTransport

from otklik.runtime.airflow import COMPONENTS, PROGRAM, airflow_environment
from otklik.runtime.ports import family_of
from otklik.runtime.postgres import Cluster
from otklik.runtime.superset import superset_command, superset_environment
from otklik.settings import PREFIX, Settings

_BIN = Path(sys.prefix) / "bin"
# The longest path of a unix socket Linux takes.
_SOCKET_LIMIT = 107
# Running, or about to: what exits after a while is started again at once.
_UP = ("RUNNING", "STARTING", "BACKOFF", "EXITED")
# The supervisor itself gives up only on what exits within a second, and would start what takes longer to fail for ever.
_STARTS = 3


class SupervisorError(Exception):
    """A service cannot be started or stopped; the message names its log."""


@dataclass(frozen=True)
class Program:
    """One service under the supervisor. Lower priorities start first and stop last."""

    name: str
    command: list[str]
    priority: int
    environment: Mapping[str, str] = field(repr=False)
    autostart: bool = False
    stopsignal: str = "TERM"
    user: str | None = None


def programs(settings: Settings) -> list[Program]:
    """Return every service of Otklik; an existing PostgreSQL is none of ours."""
    airflow = airflow_environment(settings)
    services = [Program(name, [str(PROGRAM), *part], 20, airflow) for name, part in COMPONENTS.items()]
    services.append(Program("superset", superset_command(settings), 20, superset_environment(settings)))
    site = ["--factory", "otklik.runtime.site:app", "--host", "127.0.0.1", "--port", str(settings.site_port)]
    services.append(Program("site", [str(_BIN / "uvicorn"), *site], 20, settings.environment()))
    if settings.embedded:
        cluster = Cluster.of(settings)
        # SIGINT: stop now and cleanly, without waiting for clients to leave.
        database = Program("postgres", cluster.command(), 10, {"LC_ALL": "C.UTF-8"}, True, "INT", cluster.user)
        services.insert(0, database)
    return services


@dataclass(frozen=True)
class Supervisor:
    """The supervisord of one home."""

    settings: Settings

    @property
    def run(self) -> Path:
        return self.settings.var / "run"

    @property
    def configuration(self) -> Path:
        return self.run / "supervisord.conf"

    @property
    def services(self) -> Path:
        """The folder of services of one's own: files of supervisord's configuration, taken in at the next start."""
        return self.run / "services"

    @property
    def log(self) -> Path:
        return self.settings.var / "log"

    @property
    def pid_file(self) -> Path:
        return self.run / "supervisord.pid"

    @property
    def socket(self) -> Path:
        """The control socket; in a private folder of the temporary one where `var/run` is too deep for it."""
        path = self.run / "supervisor.sock"
        # supervisord binds a name of its own first: this one, a dot and its process id.
        if len(os.fsencode(path)) + len(".4194304") <= _SOCKET_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"otklik-{os.geteuid()}-{digest}" / "supervisor.sock"

    def process_ids(self) -> set[int]:
        """Return the process ids of the supervisor and all it runs; empty when it does not run."""
        ids = family_of(self.pid_file)
        return ids if ids and self._is_ours(int(self.pid_file.read_text())) else set()

    def ensure_running(self) -> None:
        """Start the supervisor, or hand it the present configuration; changed services that ran are restarted."""
        for folder in (self.run, self.log, self.log / "airflow", self.settings.var / "airflow"):
            folder.mkdir(parents=True, exist_ok=True)
        self._make_socket_folder()
        self._write_configuration()
        if self.process_ids():
            self._update()
            return
        self.socket.unlink(missing_ok=True)
        # Services get their settings from the configuration, each no more than it needs.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        command = [str(_BIN / "supervisord"), "-c", str(self.configuration)]
        started = subprocess.run(command, env=inherited, check=False, capture_output=True, text=True)
        if started.returncode:
            said = started.stderr.strip() or started.stdout.strip()
            # It may repeat a whole line of the configuration, secrets included.
            raise SupervisorError(f"supervisord did not start: {said.partition(' in value ')[0]}")
        self._wait(self.socket.exists, "supervisord did not open its socket")

    def start(self, names: Iterable[str], trouble: Callable[[Settings], str | None], seconds: float = 180) -> None:
        """Start services side by side, those that do not run yet, and wait until `trouble` finds none.

        Raises SupervisorError with the end of the log of a service that gives up, or with the last trouble.
        """
        wanted = list(names)
        states = self.states()
        for name in wanted:
            if states.get(name) not in _UP:
                self._start(name)
        deadline = time.monotonic() + seconds
        starts: dict[str, set[int]] = {name: set() for name in wanted}
        while (found := trouble(self.settings)) or "STARTING" in map(self.states().get, wanted):
            processes = self._processes()
            states = {name: process["statename"] for name, process in processes.items()}
            for name in processes.keys() & starts:
                starts[name].add(processes[name]["start"])
            if dead := [name for name in wanted if states.get(name) not in _UP or len(starts[name]) > _STARTS]:
                raise SupervisorError(
                    f"{dead[0]} does not stay up:\n{self.tail(dead[0])}\nMore: {self.log / dead[0]}.log"
                )
            if time.monotonic() > deadline:
                raise SupervisorError(
                    f"{', '.join(wanted)}: {found or 'still starting'} after {seconds:.0f} s; see {self.log}"
                )
            time.sleep(0.25)

    def states(self) -> dict[str, str]:
        """Return the state of every service by name: RUNNING, STOPPED, FATAL…; empty when nothing runs."""
        return {name: process["statename"] for name, process in self._processes().items()}

    def shutdown(self, seconds: float = 90) -> bool:
        """Stop everything and the supervisor itself; return whether anything ran."""
        ids = self.process_ids()
        if not ids:
            return False
        # All at once, the database last: left to itself the supervisor waits for one after the other.
        for name, state in self.states().items():
            if state in _UP and name != "postgres":
                self._call("stopProcess", name, False)
        self._wait(lambda: "STOPPING" not in self.states().values(), "some services did not stop", seconds)
        self._call("shutdown")
        self._wait(lambda: not any(map(_is_alive, ids)), "some services did not stop", seconds)
        if self.socket.parent != self.run:
            self.socket.parent.rmdir()
        return True

    def tail(self, name: str, lines: int = 15) -> str:
        """Return the last lines of a service's log."""
        path = self.log / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"

    def _processes(self) -> dict[str, dict[str, Any]]:
        """Return what the supervisor knows of every service, by name; empty when nothing runs."""
        if not self.process_ids():
            return {}
        return {process["name"]: process for process in self._call("getAllProcessInfo")}

    def _is_ours(self, pid: int) -> bool:
        try:
            return str(self.configuration) in psutil.Process(pid).cmdline()
        except psutil.Error:
            return False

    def _make_socket_folder(self) -> None:
        folder = self.socket.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder != self.run and (folder.is_symlink() or folder.stat().st_uid != os.geteuid()):
            raise SupervisorError(f"{folder} belongs to somebody else; remove it or move the project to a shorter path")

    def _write_configuration(self) -> None:
        environment = Environment(
            loader=PackageLoader("otklik.runtime", ""), undefined=StrictUndefined, autoescape=select_autoescape()
        )
        environment.filters |= {"escape_percent": lambda text: text.replace("%", "%%"), "quote": _quote}
        environment.filters["shell"] = shlex.join
        text = environment.get_template("supervisord.conf.j2").render(
            run=self.run,
            log=self.log,
            home=self.settings.home,
            socket=self.socket,
            root=os.geteuid() == 0,
            programs=programs(self.settings),
            services=" ".join(map(str, sorted(self.services.glob("*.conf")))),
        )
        with open(os.open(self.configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def _update(self) -> None:
        # supervisorctl knows which services a new configuration touches; it stops those, and we start them again.
        ran = [name for name, state in self.states().items() if state in _UP]
        command = [str(_BIN / "supervisorctl"), "-c", str(self.configuration), "update"]
        subprocess.run(command, check=True, capture_output=True, text=True)
        for name in ran:
            if self.states().get(name) == "STOPPED":
                self._start(name)

    def _start(self, name: str) -> None:
        try:
            self._call("startProcess", name, False)
        except Fault as fault:
            # The supervisor may have started it by itself in the meantime.
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise SupervisorError(f"{name} did not start: {fault.faultString}; see {self.log / name}.log") from None

    def _call(self, method: str, *arguments: object) -> Any:
        # The address is a formality: the transport goes to the socket.
        transport = SupervisorTransport(serverurl=f"unix://{self.socket}")
        with ServerProxy("http://127.0.0.1", transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _wait(self, condition: Callable[[], bool], failure: str, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise SupervisorError(f"{failure} within {seconds:.0f} s; see {self.log / 'supervisord.log'}")
            time.sleep(0.1)


def _quote(value: str) -> str:
    # supervisord knows no escapes, only two kinds of quotes.
    return f"'{value}'" if '"' in value else f'"{value}"'


def _is_alive(pid: int) -> bool:
    try:
        # Where nobody buries orphans, as in some containers, the dead stay listed.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
