"""MetricFlow's own command `mf` on this installation, asking as the analyst's role, which can only read."""

import hashlib
import sys
from pathlib import Path

from otklik.dbt import PROGRAM as DBT
from otklik.dbt import dbt_environment
from otklik.errors import OtklikError
from otklik.programs import run_logged
from otklik.settings import PROJECT, Settings

PROGRAM = Path(sys.executable).with_name("mf")


def metricflow_environment(settings: Settings) -> dict[str, str]:
    """Return the variables `mf` needs, those of Otklik included, with the metrics as the files define them now.

    Raises OtklikError when the files do not parse.
    """
    # `mf` looks for the metrics in target/ of the project's folder and nowhere else. It is given a folder of its own
    # that looks like the project: what a night of dbt is writing is not in its way, nor it in the night's.
    home = settings.var / "metricflow"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    project = home / "dbt_project.yml"
    project.unlink(missing_ok=True)
    project.symlink_to(PROJECT / "dbt_project" / "dbt_project.yml")
    environment = dbt_environment(settings, "live") | {
        "OTKLIK_DBT_ROLE": "analyst",
        "DBT_TARGET_PATH": str(home / "target"),
    }
    _parse_what_changed(home, environment)
    return environment | {
        "DBT_PROJECT_DIR": str(home),
        # It unpickles a file of the temporary folder: not of one that everybody may write to.
        "TMPDIR": str(home),
        # It asks the package index for a newer version of itself at every question: that fails at once.
        "https_proxy": "http://127.0.0.1:9",
    }


def _parse_what_changed(home: Path, environment: dict[str, str]) -> None:
    digest = hashlib.sha256()
    for path in sorted((PROJECT / "dbt_project").rglob("*")):
        if path.suffix in (".sql", ".yml"):
            digest.update(f"{path}\0".encode() + path.read_bytes())
    stamp = home / "parsed"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    if run_logged([str(DBT), "parse", "--quiet"], environment):
        raise OtklikError("the dbt project does not parse, so no metric is known; dbt's last words are above")
    stamp.write_text(digest.hexdigest())
