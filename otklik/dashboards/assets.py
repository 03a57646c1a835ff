"""The short files of ``superset/assets``: what people see, each file one database, dataset, chart or dashboard.

A file holds the keys that matter, under Superset's own names, and refers to another file by its name without the
ending (``dataset: incident``). Whatever dbt's manifest knows (columns, labels, formats, metrics) is not said again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from otklik.errors import OtklikError
from otklik.settings import PROJECT

FOLDER = PROJECT / "superset" / "assets"
KINDS = ("databases", "datasets", "charts", "dashboards")
_REQUIRED = {
    "databases": ("database_name", "sqlalchemy_uri", "expose_in_sqllab"),
    "datasets": ("columns",),
    "charts": ("slice_name", "dataset", "viz_type", "params"),
    "dashboards": ("dashboard_title", "slug", "rows", "filters"),
}

Asset = dict[str, Any]
Assets = dict[str, dict[str, Asset]]


class AssetError(OtklikError):
    """A file of dashboards asks for what is not there; the message names the file and what it asks for."""

    def __init__(self, kind: str, name: str, what: str) -> None:
        super().__init__(f"superset/assets/{kind}/{name}.yaml: {what}")


def read_assets(folder: Path = FOLDER) -> Assets:
    """Return all files: kind → file name without ending → content.

    Raises AssetError naming the file when it is not a mapping, lacks a key, or refers to a file that is absent.
    """
    assets: Assets = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for path in sorted((folder / kind).glob("*.yaml")):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise AssetError(kind, path.stem, f"expected keys and values, found {type(content).__name__}")
            if missing := [key for key in _REQUIRED[kind] if key not in content]:
                raise AssetError(kind, path.stem, f"lacks {', '.join(missing)}")
            assets[kind][path.stem] = content
    for kind, name, wanted_kind, wanted in _references(assets):
        if wanted not in assets[wanted_kind]:
            raise AssetError(kind, name, f"refers to {wanted_kind}/{wanted}.yaml, which is not there")
    return assets


def read_access(folder: Path = FOLDER) -> Asset:
    """Return ``roles.yaml``: roles, logins and row rules."""
    access: Asset = yaml.safe_load((folder / "roles.yaml").read_text(encoding="utf-8"))
    return access


def charts_of(dashboard: Asset) -> list[str]:
    """Return the charts that stand on a dashboard, from top to bottom."""
    return [place["chart"] for row in dashboard["rows"] for place in row if "chart" in place]


def datasets_of(assets: Assets, dashboard: str) -> list[str]:
    """Return the datasets that a dashboard's charts and filters read, each once."""
    content = assets["dashboards"][dashboard]
    read = [assets["charts"][chart]["dataset"] for chart in charts_of(content)]
    read += [filtered["dataset"] for filtered in content["filters"] if "dataset" in filtered]
    return list(dict.fromkeys(read))


def columns_of(dataset: Asset) -> list[str]:
    """Return the names of the columns of a dataset."""
    return [column if isinstance(column, str) else column["column_name"] for column in dataset["columns"]]


def marts_of(dataset: Asset) -> list[str]:
    """Return the relations (schema.table) that a dataset reads."""
    if "sql" not in dataset:
        return [f"marts.{dataset['models'][0]}"]
    # Imported here: starting Superset reads these files, too, and asks nothing of their SQL.
    import sqlglot
    from sqlglot import exp

    tables = sqlglot.parse_one(dataset["sql"], dialect="postgres").find_all(exp.Table)
    return sorted({f"{table.db}.{table.name}" for table in tables if table.db})


def _references(assets: Assets) -> Iterator[tuple[str, str, str, str]]:
    """Who refers to whom: (kind, name, kind referred to, name referred to)."""
    for name, dataset in assets["datasets"].items():
        yield "datasets", name, "databases", dataset.get("database", "warehouse")
    for name, chart in assets["charts"].items():
        yield "charts", name, "datasets", chart["dataset"]
    for name, dashboard in assets["dashboards"].items():
        excepted = [chart for filtered in dashboard["filters"] for chart in filtered.get("except", [])]
        for chart in charts_of(dashboard) + excepted:
            yield "dashboards", name, "charts", chart
        for filtered in dashboard["filters"]:
            if "dataset" in filtered:
                yield "dashboards", name, "datasets", filtered["dataset"]
