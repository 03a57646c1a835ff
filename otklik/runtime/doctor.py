"""What may be wrong with an installation, looked at one by one."""

import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from otklik.errors import PlaceError, UnreachableError
from otklik.places import Place
from otklik.runtime import superset
from otklik.runtime.health import airflow_trouble, site_trouble, superset_trouble
from otklik.runtime.ports import conflicts, ports_of
from otklik.runtime.supervisor import Supervisor
from otklik.settings import PROJECT, Settings, SettingsError, get_settings
from otklik.warehouse.roles import DatabaseError, check_server, connect_as_admin

# The environments, a year of history and the logs of a small installation.
NEEDED_DISK_GB = 5
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Finding:
    """What was found, whether that is well, and what to do about it."""

    well: bool
    what: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Yield a finding for each thing looked at; nothing is changed and no step needs another."""
    yield _python()
    yield _environment("Airflow's environment", Path(sys.prefix), PROJECT / "requirements.txt")
    yield _environment("Superset's environment", superset.PROGRAMS.parent, superset.FOLDER / "requirements.txt")
    yield _chromium()
    try:
        settings = get_settings()
    except SettingsError as error:
        yield Finding(False, f"Settings: {error}", "Run `otklik up`, or mend the variables named.")
        return
    yield _secrets(settings)
    yield _disk(settings)
    yield _place("The inbox", Place.inbox(settings))
    yield _place("The landing zone", Place.landing(settings))
    yield _ports(settings)
    for check in (_database, _migrations, _airflow, _superset, _site):
        yield check(settings)


def differences(prefix: Path, lock: Path) -> list[str]:
    """Return what an environment lacks or has in another version than its lock says."""
    installed = {
        canonicalize_name(found.metadata["Name"]): found.version
        for found in distributions(path=[str(path) for path in prefix.glob("lib/python*/site-packages")])
    }
    pinned = re.findall(r"^([A-Za-z0-9][^\\\n]*)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = []
    for requirement in map(Requirement, pinned):
        has = installed.get(canonicalize_name(requirement.name))
        if requirement.marker and not requirement.marker.evaluate():
            continue
        if has is None or not requirement.specifier.contains(has, prereleases=True):
            found.append(f"{requirement.name}{requirement.specifier} (has {has or 'none'})")
    return found


def _judge(well: bool, what: str, advice: str) -> Finding:
    return Finding(well, what, "" if well else advice)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return _judge(sys.version_info[:2] == (3, 11), f"Python {version}", "Use Python 3.11, then `make setup`.")


def _environment(name: str, prefix: Path, lock: Path) -> Finding:
    wrong = differences(prefix, lock)
    if not wrong:
        return Finding(True, f"{name} is as locked")
    what = f"{name} differs from {lock.relative_to(PROJECT)} in {len(wrong)} packages, the first: {wrong[0]}"
    return Finding(False, what, "Run `make setup`.")


def _chromium() -> Finding:
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found:
        return Finding(True, f"Chromium for the tests: {found}")
    return Finding(True, "No Chromium on PATH; only browser tests need it", "`make test` gets one.")


def _secrets(settings: Settings) -> Finding:
    path = settings.env_file
    if not path.exists():
        return Finding(True, f"{path} is not there: all settings come from the environment")
    mode = stat.S_IMODE(path.stat().st_mode)
    return _judge(not mode & 0o077, f"{path} has mode {mode:03o}", f"Others may read the secrets: chmod 600 {path}")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free / 1e9
    what = f"{free:.0f} GB free at {settings.home}"
    return _judge(free >= NEEDED_DISK_GB, what, f"Otklik needs {NEEDED_DISK_GB} GB: free some, or move the project.")


def _place(name: str, place: Place) -> Finding:
    try:
        place.check()
    except (PlaceError, UnreachableError) as error:
        return Finding(False, f"{name}: {error}", f"Mend it, or set {place.setting} to where it is.")
    return Finding(True, f"{name} is {place.address}")


def _ports(settings: Settings) -> Finding:
    found = conflicts(settings, Supervisor(settings).process_ids())
    if found:
        return Finding(False, "Ports: a conflict", " ".join(found))
    return Finding(True, f"Ports {', '.join(map(str, ports_of(settings).values()))} are free or ours")


def _database(settings: Settings) -> Finding:
    try:
        with connect_as_admin(settings) as admin:
            check_server(admin)
            version = admin.info.parameter_status("server_version")
            return Finding(True, f"PostgreSQL {version} at {settings.db_host}:{settings.db_port}, rights suffice")
    except DatabaseError as error:
        return Finding(False, "PostgreSQL", str(error))


def _migrations(settings: Settings) -> Finding:
    from sqlalchemy.exc import SQLAlchemyError

    from otklik.warehouse.migrate import at_head

    advice = "Run `otklik up`."
    try:
        well = at_head(settings)
        return _judge(well, f"The warehouse's tables are {'' if well else 'not '}at this version", advice)
    except SQLAlchemyError as error:
        return Finding(False, f"The warehouse's tables cannot be looked at: {str(error).splitlines()[0]}", advice)


def _service(name: str, log: str, trouble: Callable[[Settings], str | None], settings: Settings) -> Finding:
    found = trouble(settings)
    if found is None:
        return Finding(True, f"{name} is healthy")
    return Finding(False, f"{name}: {found}", f"Run `otklik up`; its log is {settings.var / 'log' / log}.")


def _airflow(settings: Settings) -> Finding:
    return _service("Airflow", "airflow-*.log", airflow_trouble, settings)


def _superset(settings: Settings) -> Finding:
    return _service("Superset", "superset.log", superset_trouble, settings)


def _site(settings: Settings) -> Finding:
    return _service("The site", "site.log", site_trouble, settings)
