"""The short files of ``superset/assets`` as the bundle Superset's importer reads.

A file holds the keys that matter, under Superset's own names, and refers to another file by its
name without the ending (``dataset: incident``). What the importer insists on besides is added here.
Uuids are derived from kind and file name: the same file is the same object on every installation,
a renamed file is a new object and the old one goes.
"""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

ASSETS = Path(__file__).parent / "assets"
KINDS = ("databases", "datasets", "charts", "dashboards")
_NAMESPACE = UUID("6f746b6c-696b-4000-8000-000000000066")
_VERSION = "1.0.0"

Asset = dict[str, Any]


def asset_uuid(kind: str, name: str) -> str:
    """Uuid of the asset in ``assets/<kind>/<name>.yaml``."""
    return str(uuid5(_NAMESPACE, f"{kind}/{name}"))


def read_assets(folder: Path = ASSETS) -> dict[str, dict[str, Asset]]:
    """All asset files: kind → file name without ending → content.

    Raises ValueError naming the file when it is not a mapping, or refers to a file that is absent.
    """
    assets: dict[str, dict[str, Asset]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for path in sorted((folder / kind).glob("*.yaml")):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError(f"{path}: expected keys and values, found {type(content).__name__}.")
            assets[kind][path.stem] = content
    for kind, name, wanted_kind, wanted in _references(assets):
        if wanted not in assets[wanted_kind]:
            raise ValueError(f"{folder / kind / name}.yaml refers to {wanted_kind}/{wanted}.yaml, which is not there.")
    return assets


def build_bundle(assets: dict[str, dict[str, Asset]]) -> dict[str, str]:
    """Path → YAML text of every asset, in Superset's import format, with its metadata file."""
    full: dict[str, Asset] = {"metadata.yaml": {"version": _VERSION, "type": "assets"}}
    builders = {
        "databases": _database,
        "datasets": _dataset,
        "charts": _chart,
        "dashboards": _dashboard,
    }
    for kind, build in builders.items():
        for name, asset in assets[kind].items():
            full[f"{kind}/{name}.yaml"] = {
                **build(dict(asset)),
                "uuid": asset_uuid(kind, name),
                "version": _VERSION,
                "is_managed_externally": True,
            }
    return {path: yaml.safe_dump(content, allow_unicode=True) for path, content in full.items()}


def _references(assets: dict[str, dict[str, Asset]]) -> list[tuple[str, str, str, str]]:
    """Who refers to whom: (kind, name, kind referred to, name referred to)."""
    found = [("datasets", n, "databases", a["database"]) for n, a in assets["datasets"].items()]
    found += [("charts", n, "datasets", a["dataset"]) for n, a in assets["charts"].items()]
    for name, dashboard in assets["dashboards"].items():
        placed = [place["chart"] for row in dashboard["rows"] for place in row]
        excepted = [chart for f in dashboard["filters"] for chart in f.get("except", [])]
        found += [("dashboards", name, "charts", chart) for chart in placed + excepted]
        filtered = [f["dataset"] for f in dashboard["filters"] if "dataset" in f]
        found += [("dashboards", name, "datasets", dataset) for dataset in filtered]
    return found


def _database(asset: Asset) -> Asset:
    closed = {"allow_run_async": False, "allow_ctas": False, "allow_cvas": False, "allow_dml": False}
    return {**closed, "allow_file_upload": False, "extra": {}, **asset}


def _dataset(asset: Asset) -> Asset:
    database = asset.pop("database")
    return {
        "schema": "marts",
        "filter_select_enabled": True,
        "metrics": [],
        **asset,
        "columns": [{"groupby": True, "filterable": True, **c} for c in asset["columns"]],
        "database_uuid": asset_uuid("databases", database),
    }


def _chart(asset: Asset) -> Asset:
    dataset = asset.pop("dataset")
    params = {
        "viz_type": asset["viz_type"],
        "adhoc_filters": [],
        "row_limit": 10000,
        "color_scheme": "otklik",
        # Means and percentiles do not add up: no total under them.
        "showTooltipTotal": False,
        **asset["params"],
    }
    return {**asset, "params": params, "dataset_uuid": asset_uuid("datasets", dataset)}


def _dashboard(asset: Asset) -> Asset:
    rows, filters, colors = asset.pop("rows"), asset.pop("filters"), asset.pop("colors", {})
    # Numbers the importer replaces by the real ids of the charts.
    numbers = {place["chart"]: n for n, place in enumerate((p for r in rows for p in r), start=1)}
    metadata = {
        "cross_filters_enabled": True,
        "filter_bar_orientation": "HORIZONTAL",
        "color_scheme": "otklik",
        "label_colors": colors,
        "native_filter_configuration": [_filter(f, numbers) for f in filters],
    }
    position = _position(asset["dashboard_title"], rows, numbers)
    return {"published": True, **asset, "metadata": metadata, "position": position}


def _position(title: str, rows: list[list[Asset]], numbers: dict[str, int]) -> Asset:
    """Superset's tree of a page: root, grid, rows, charts."""
    position: Asset = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": title}},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "parents": ["ROOT_ID"], "children": []},
    }
    for number, row in enumerate(rows, start=1):
        row_id = f"ROW-{number}"
        chart_ids = [f"CHART-{place['chart']}" for place in row]
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "id": row_id,
            "type": "ROW",
            "parents": ["ROOT_ID", "GRID_ID"],
            "children": chart_ids,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart_id, place in zip(chart_ids, row, strict=True):
            position[chart_id] = {
                "id": chart_id,
                "type": "CHART",
                "parents": ["ROOT_ID", "GRID_ID", row_id],
                "children": [],
                "meta": {
                    "chartId": numbers[place["chart"]],
                    "uuid": asset_uuid("charts", place["chart"]),
                    "width": place["width"],
                    "height": place["height"],
                },
            }
    return position


def _filter(asset: Asset, numbers: dict[str, int]) -> Asset:
    """A native filter; all but the first offer only values found under the required ones."""
    is_time, is_required = asset.get("time", False), asset.get("required", False)
    controls: Asset = {}
    if not is_time:
        controls = {
            "enableEmptyFilter": is_required,
            "defaultToFirstItem": is_required,
            "multiSelect": not is_required,
            "searchAllOptions": False,
            "inverseSelection": False,
            "sortAscending": True,
        }
        if "order_by" in asset:
            controls["sortMetric"] = asset["order_by"]
    target = (
        {}
        if is_time
        else {
            "datasetUuid": asset_uuid("datasets", asset["dataset"]),
            "column": {"name": asset["column"]},
        }
    )
    return {
        "id": _filter_id(asset["name"]),
        "type": "NATIVE_FILTER",
        "name": asset["name"],
        "requiredFirst": is_required,
        "description": "",
        "filterType": "filter_time" if is_time else "filter_select",
        "targets": [target],
        "controlValues": controls,
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [_filter_id(parent) for parent in asset.get("within", [])],
        "scope": {
            "rootPath": ["ROOT_ID"],
            "excluded": [numbers[chart] for chart in asset.get("except", [])],
        },
    }


def _filter_id(name: str) -> str:
    return f"NATIVE_FILTER-{uuid5(_NAMESPACE, name)}"
