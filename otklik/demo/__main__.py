"""`make demo`: a whole centre on this machine, with a made-up region's two years and its last night."""

import shutil
import sys
from datetime import date
from pathlib import Path

from dotenv import dotenv_values, set_key
from rich.console import Console
from upath import UPath

from otklik.cli import addresses
from otklik.contracts.entities import ENTITIES
from otklik.demo.centre_files import write_centre_files
from otklik.demo.outside import prepare_outside, start_outside
from otklik.demo.region import generate
from otklik.demo.watch import NightError, watch_night
from otklik.errors import OtklikError
from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import Mapping, load_mapping, load_mappings
from otklik.runtime.steps import Steps
from otklik.runtime.up import (
    EXPECTED_ERRORS,
    check_ports,
    start_airflow,
    start_database,
    start_site,
    start_superset,
)
from otklik.settings import PROJECT, Settings, SettingsError, ensure_env_file, get_settings

MAPPINGS = PROJECT / "otklik" / "demo" / "mappings"
FIRST_DAY, LAST_DAY_OF_HISTORY, NIGHT = date(2020, 11, 1), date(2022, 12, 30), date(2022, 12, 31)
# The demo's clock is the region's: the scheduler has one night to run, and it is long past.
DEMO = {
    "OTKLIK_MAPPINGS": str(MAPPINGS),
    "OTKLIK_FIRST_NIGHT": NIGHT.isoformat(),
    "OTKLIK_LAST_NIGHT": NIGHT.isoformat(),
    "OTKLIK_SUPERSET_AUTHORITY": "Администрация города Нижний Тагил",
}


def main() -> int:
    """Start everything, load the region, let the scheduler run the night; return the exit code."""
    screen, errors = Console(), Console(stderr=True)
    try:
        settings = demo_settings()
        with Steps(errors) as steps:
            check_ports(settings, steps)
            prepare_outside(settings)
            start_database(settings, steps)
            start_site(settings, steps)
            steps.together(lambda: run_the_night(settings, steps), lambda: start_superset(settings, steps))
    except (*EXPECTED_ERRORS, SettingsError, OtklikError, NightError) as error:
        errors.print(f"[bold red]Error:[/] {error}", highlight=False, soft_wrap=True)
        return 1
    screen.print(addresses(settings, superset=True))
    return 0


def demo_settings() -> Settings:
    """Return the settings of the demo, written into `.env` at its first start."""
    from otklik.settings import _home

    path = _home() / ".env"
    present = dotenv_values(path) if path.exists() else {}
    for name, value in DEMO.items():
        if present.get(name, value) != value:
            raise SettingsError(
                f"{path} sets {name} to {present[name]}: this installation is in use. "
                "Try the demo in another clone, or `make clean` this one"
            )
    if not path.exists():
        path.touch(mode=0o600)
    for name, value in DEMO.items():
        set_key(path, name, value, quote_mode="never")
    ensure_env_file()
    get_settings.cache_clear()
    return get_settings()


def run_the_night(settings: Settings, steps: Steps) -> None:
    """Bring the files, load the history by hand as a centre would, and leave the last night to the scheduler."""
    folder = settings.var / "demo"
    mapping = load_mapping(MAPPINGS / "sverdlovsk.yml")
    with steps.step("Make up a region: Sverdlovsk oblast, November 2020 to December 2022") as step:
        if (folder / "notes").exists():
            step.note("nothing to do")
        else:
            files = generate(folder)
            inbox = Path(settings.inbox) / mapping.source
            inbox.mkdir(parents=True, exist_ok=True)
            shutil.copy(files.night, inbox)
    with steps.step("Load its history") as step:
        step.note(load_history(settings, mapping))
    with steps.step("Load the centre's lists: authorities, pages, audiences, surveys, broadcasts, materials") as step:
        step.note(load_lists(settings))
    with steps.step("Start the stand-ins for social networks and survey systems"):
        start_outside(settings)
    start_airflow(settings, steps)
    watch_night(settings, steps)


def load_history(settings: Settings, mapping: Mapping) -> str:
    """Load the monthly files and say what became of their rows."""
    interval = Interval.of_days(FIRST_DAY, LAST_DAY_OF_HISTORY, settings.zone)
    files = sorted((settings.var / "demo").glob("history_*"))
    reports = [report for file in files for report in load_file(UPath(file), mapping, interval, settings)]
    read, rejected = (sum(getattr(report, name) for report in reports) for name in ("rows_read", "rows_rejected"))
    return f"{read:,} rows, {rejected} rejected"


def load_lists(settings: Settings) -> str:
    """Load the centre's own lists and say how many rows each has."""
    interval = Interval.of_days(FIRST_DAY, LAST_DAY_OF_HISTORY, settings.zone)
    folder = settings.var / "demo" / "lists"
    files = sorted(folder.glob("*.csv*")) or write_centre_files(folder)
    by_source = {file.name.partition(".")[0].partition("_")[0]: file for file in files}
    told = []
    for mapping in sorted(load_mappings([MAPPINGS]), key=lambda mapping: list(ENTITIES).index(mapping.entity)):
        if mapping.entity != "incident":
            [report] = load_file(UPath(by_source[mapping.source]), mapping, interval, settings)
            told.append(f"{report.rows_read:,} {mapping.source}")
    return ", ".join(told)


if __name__ == "__main__":
    sys.exit(main())
