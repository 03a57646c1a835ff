"""`otklik dashboards apply`: what the files say is what Superset has, however often."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from otklik.dashboards.apply import apply
from otklik.dashboards.assets import FOLDER
from otklik.dashboards.bundle import asset_uuid
from otklik.settings import Settings

KINDS = {"dbs": "databases", "tables": "datasets", "slices": "charts", "dashboards": "dashboards"}


def kept(settings: Settings) -> dict[str, list[Any]]:
    """Number and uuid of everything of the files that Superset has."""
    with psycopg.connect(settings.dsn("superset")) as connection:
        return {
            kind: connection.execute(
                f"select id, uuid::text from {table} where is_managed_externally order by id"  # noqa: S608 - ours
            ).fetchall()
            for table, kind in KINDS.items()
        }


@pytest.fixture
def files(night: Settings, tmp_path: Path) -> Iterator[Path]:
    """A copy of the files, to be changed; what the project's own say is there again afterwards."""
    yield shutil.copytree(FOLDER, tmp_path / "assets")
    apply(night)


def test_a_second_time_changes_nothing(night: Settings) -> None:
    before = kept(night)
    apply(night)
    assert kept(night) == before
    assert {kind: len(found) for kind, found in before.items()} == {
        kind: len(list((FOLDER / kind).glob("*.yaml"))) for kind in KINDS.values()
    }


def test_a_chart_whose_file_is_removed_goes_and_takes_nothing_with_it(night: Settings, files: Path) -> None:
    chart, dashboard = files / "charts" / "passing.yaml", files / "dashboards" / "response_time.yaml"
    shutil.copyfile(files / "charts" / "distribution.yaml", chart)
    placed = yaml.safe_load(dashboard.read_text(encoding="utf-8"))
    without = dashboard.read_text(encoding="utf-8")
    placed["rows"].append([{"chart": "passing", "width": 12, "height": 40}])
    for wanted in placed["filters"]:
        if "distribution" in wanted.get("except", []):
            wanted["except"].append("passing")
    dashboard.write_text(yaml.safe_dump(placed, allow_unicode=True), encoding="utf-8")
    before, uuid = kept(night), asset_uuid("charts", "passing")
    apply(night, files)
    assert uuid in {found for _, found in kept(night)["charts"]}
    chart.unlink()
    dashboard.write_text(without, encoding="utf-8")
    told = apply(night, files)
    assert kept(night) == before
    assert [line for line in told if "removed" in line] == ["superset: removed slice: Сколько ждали ответа"]
