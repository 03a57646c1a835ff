"""The short files of ``superset/assets`` as the bundle Superset's importer reads.

Uuids are derived from kind and file name: the same file is the same object on every installation, a renamed file is a
new object and the old one goes.
"""

from collections.abc import Mapping
from uuid import UUID, uuid5

import yaml

from otklik.dashboards.assets import FOLDER, Asset, Assets, charts_of
from otklik.dashboards.datasets import full_dataset
from otklik.dashboards.explained import anchor, definitions
from otklik.dashboards.manifest import Manifest

_NAMESPACE = UUID("6f746b6c-696b-4000-8000-000000000066")
_VERSION = "1.0.0"
_WIDTH = 12
# Of the first row, beside when the data is from.
_HELP_WIDTH = 2
# Who may open a dashboard that does not say so itself.
READERS = ("otklik_dashboards",)


def asset_uuid(kind: str, name: str) -> str:
    """Uuid of the asset in ``assets/<kind>/<name>.yaml``."""
    return str(uuid5(_NAMESPACE, f"{kind}/{name}"))


def build_bundle(assets: Assets, manifest: Manifest) -> dict[str, str]:
    """Path → YAML text of every asset, in Superset's import format, with its metadata file.

    Raises AssetError naming the file that asks for a column or metric nobody has.
    """
    theme = (FOLDER / "theme.css").read_text(encoding="utf-8")
    labels = {name: metric.label for name, metric in manifest.metrics.items()}
    full: dict[str, Asset] = {"metadata.yaml": {"version": _VERSION, "type": "assets"}}
    for kind, name, built in (
        *(("databases", name, _database(asset)) for name, asset in assets["databases"].items()),
        *(("datasets", name, _dataset(name, asset, manifest)) for name, asset in assets["datasets"].items()),
        *(("charts", name, _chart(asset, assets)) for name, asset in assets["charts"].items()),
        *(("dashboards", name, _dashboard(name, assets, labels, theme)) for name in assets["dashboards"]),
    ):
        full[f"{kind}/{name}.yaml"] = {
            **built,
            "uuid": asset_uuid(kind, name),
            "version": _VERSION,
            "is_managed_externally": True,
        }
    return {path: yaml.safe_dump(content, allow_unicode=True) for path, content in full.items()}


def _database(asset: Asset) -> Asset:
    closed = {"allow_run_async": False, "allow_ctas": False, "allow_cvas": False, "allow_dml": False}
    return {**closed, "allow_file_upload": False, "extra": {}, **asset}


def _dataset(name: str, asset: Asset, manifest: Manifest) -> Asset:
    return {
        "filter_select_enabled": True,
        **full_dataset(name, asset, manifest),
        "database_uuid": asset_uuid("databases", asset.get("database", "warehouse")),
    }


def _chart(asset: Asset, assets: Assets) -> Asset:
    rest = {key: value for key, value in asset.items() if key not in ("dataset", "explains")}
    params = {
        "viz_type": asset["viz_type"],
        "adhoc_filters": [],
        "row_limit": 10000,
        "color_scheme": "otklik",
        # Means and percentiles do not add up: no total under them.
        "showTooltipTotal": False,
        # Without it the filter «Период» would act on nothing.
        "granularity_sqla": assets["datasets"][asset["dataset"]].get("main_dttm_col"),
        **asset["params"],
    }
    return {**rest, "params": params, "dataset_uuid": asset_uuid("datasets", asset["dataset"])}


def _dashboard(name: str, assets: Assets, labels: Mapping[str, str], theme: str) -> Asset:
    asset = assets["dashboards"][name]
    # Numbers the importer replaces by the real ids of the charts.
    numbers = {chart: number for number, chart in enumerate(charts_of(asset), start=1)}
    metadata = {
        "cross_filters_enabled": True,
        "filter_bar_orientation": "HORIZONTAL",
        "color_scheme": "otklik",
        "label_colors": asset.get("colors", {}),
        "native_filter_configuration": [_filter(wanted, numbers) for wanted in asset["filters"]],
    }
    return {
        "dashboard_title": asset["dashboard_title"],
        "slug": asset["slug"],
        "published": True,
        "css": theme + asset.get("css", ""),
        "metadata": metadata,
        "position": _position(asset["dashboard_title"], _rows(asset, definitions(name, assets, labels)), numbers),
    }


def _rows(asset: Asset, foot: str) -> list[list[Asset]]:
    """The rows as the file has them; the first leads to what explains the dashboard, the last to its metrics."""
    [as_of], *rest = asset["rows"]
    link = {
        "text": f"[Как это читать](/help/leadership#{anchor(asset['dashboard_title'])})",
        "width": _HELP_WIDTH,
        "height": as_of["height"],
    }
    last = [[{"text": foot, "width": _WIDTH, "height": as_of["height"]}]] if foot else []
    return [[{**as_of, "width": _WIDTH - _HELP_WIDTH}, link], *rest, *last]


def _position(title: str, rows: list[list[Asset]], numbers: dict[str, int]) -> Asset:
    """Superset's tree of a page: root, grid, rows, charts and texts."""
    position: Asset = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": title}},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "parents": ["ROOT_ID"], "children": []},
    }
    for number, row in enumerate(rows, start=1):
        row_id = f"ROW-{number}"
        placed = [_placed(place, numbers, f"{number}-{column}") for column, place in enumerate(row, start=1)]
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "id": row_id,
            "type": "ROW",
            "parents": ["ROOT_ID", "GRID_ID"],
            "children": [item["id"] for item in placed],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for item in placed:
            position[item["id"]] = {**item, "parents": ["ROOT_ID", "GRID_ID", row_id], "children": []}
    return position


def _placed(place: Asset, numbers: dict[str, int], cell: str) -> Asset:
    """A chart, or a text in Markdown, on its place of the page."""
    size = {"width": place["width"], "height": place["height"]}
    if "text" in place:
        return {"id": f"MARKDOWN-{cell}", "type": "MARKDOWN", "meta": {**size, "code": place["text"]}}
    chart = place["chart"]
    meta = {"chartId": numbers[chart], "uuid": asset_uuid("charts", chart), **size}
    return {"id": f"CHART-{chart}", "type": "CHART", "meta": meta}


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
            "sortAscending": not asset.get("descending", False),
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
        "id": filter_id(asset["name"]),
        "type": "NATIVE_FILTER",
        "name": asset["name"],
        "requiredFirst": is_required,
        "description": "",
        "filterType": "filter_time" if is_time else "filter_select",
        "targets": [target],
        "controlValues": controls,
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [filter_id(parent) for parent in asset.get("within", [])],
        "scope": {
            "rootPath": ["ROOT_ID"],
            "excluded": [numbers[chart] for chart in asset.get("except", [])],
        },
    }


def filter_id(name: str) -> str:
    """Return what Superset knows a filter of that name by, on whichever dashboard."""
    return f"NATIVE_FILTER-{uuid5(_NAMESPACE, name)}"
