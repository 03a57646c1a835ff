"""Bring Superset to what the files say: what it needs is written whole, then Superset's own Python imports it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

from otklik.dashboards.access import full_access
from otklik.dashboards.assets import FOLDER, read_access, read_assets
from otklik.dashboards.bundle import build_bundle
from otklik.dashboards.help import write_help
from otklik.dashboards.manifest import Manifest
from otklik.dashboards.validate import validate
from otklik.dbt import parse
from otklik.errors import OtklikError
from otklik.runtime.superset import bootstrap_command, prepared_folder, superset_environment
from otklik.settings import PREFIX, Settings


class DashboardError(OtklikError):
    """Dashboards could not be brought to Superset; the message says why."""


def read_manifest(settings: Settings) -> Manifest:
    """Return what dbt knows of the marts, as its files say now. Raises OtklikError when they do not parse."""
    return Manifest.of(parse(settings))


def check(settings: Settings) -> list[str]:
    """Return what is wrong with the files, a sentence each."""
    return validate(read_assets(), read_access(), read_manifest(settings))


def prepare(settings: Settings, files: Path = FOLDER) -> Path:
    """Write what Superset imports and serves, bundle, access and pages of help, into its folder; return that folder.

    Raises AssetError naming the file that asks for what is not there.
    """
    assets = read_assets(files)
    bundle = build_bundle(assets, read_manifest(settings))
    access = yaml.safe_dump(full_access(assets, read_access(files)), allow_unicode=True)
    folder = prepared_folder(settings)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        new = Path(scratch) / "new"
        (new / "help").mkdir(parents=True)
        for path, text in {**bundle, "../access/access.yaml": access}.items():
            (new / "bundle" / path).parent.mkdir(parents=True, exist_ok=True)
            (new / "bundle" / path).write_text(text, encoding="utf-8")
        write_help(new / "help")
        # Emptied rather than replaced: in containers it is a volume.
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            shutil.rmtree(old)
        for part in new.iterdir():
            shutil.move(part, folder / part.name)
    return folder


def apply(settings: Settings, files: Path = FOLDER) -> list[str]:
    """Prepare and import; return the lines of what was done. Raises DashboardError with Superset's last words."""
    prepare(settings, files)
    # Settings of our own process are not inherited: a program is told what it needs and no more.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    done = subprocess.run(
        bootstrap_command(),
        env=inherited | superset_environment(settings),
        cwd=settings.home,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DashboardError("Superset did not take the dashboards:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    return [line for line in done.stdout.splitlines() if line.startswith("superset: ")]
