"""Whether the files of dashboards hold together: what a chart asks for is in its dataset, and that in the marts."""

from collections.abc import Iterable, Iterator
from typing import Any

from otklik.dashboards.assets import Asset, Assets, charts_of, datasets_of, marts_of
from otklik.dashboards.bundle import READERS, build_bundle
from otklik.dashboards.datasets import full_dataset, names
from otklik.dashboards.manifest import Manifest
from otklik.errors import OtklikError

# What Superset calls the places of a chart's parameters where columns and metrics stand.
_COLUMNS = ("all_columns", "columns", "groupby", "groupbyColumns", "groupbyRows", "x_axis", "series", "entity")
_METRICS = ("metrics", "metric", "secondary_metric", "percent_metrics", "timeseries_limit_metric")
# The region's filter and the line above act everywhere.
_REGION = "region_name"


def validate(assets: Assets, access: Asset, manifest: Manifest) -> list[str]:
    """Return what is wrong, a sentence each, naming the file; empty when all holds together."""
    found = [f"superset/assets/{kind}/{name}.yaml: {what}" for kind, name, what in _findings(assets, access, manifest)]
    return found or _whole(assets, manifest)


def _whole(assets: Assets, manifest: Manifest) -> list[str]:
    try:
        build_bundle(assets, manifest)
    except OtklikError as error:
        return [str(error)]
    return []


def _findings(assets: Assets, access: Asset, manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    for name, dataset in assets["datasets"].items():
        for what in _wrong_with_dataset(name, dataset, manifest):
            yield "datasets", name, what
    standing = {chart for dashboard in assets["dashboards"].values() for chart in charts_of(dashboard)}
    for name, chart in assets["charts"].items():
        if name not in standing:
            yield "charts", name, "stands on no dashboard"
        for what in _wrong_with_chart(chart, assets["datasets"][chart["dataset"]]):
            yield "charts", name, what
    for name, dashboard in assets["dashboards"].items():
        for what in _wrong_with_dashboard(name, dashboard, assets, access):
            yield "dashboards", name, what


def _wrong_with_dataset(name: str, dataset: Asset, manifest: Manifest) -> Iterator[str]:
    try:
        full_dataset(name, dataset, manifest)
    except OtklikError as error:
        yield str(error).partition(".yaml: ")[2]
    for relation in marts_of(dataset):
        schema, _, table = relation.partition(".")
        if schema == "marts" and table not in manifest.marts:
            yield f"reads {relation}, which dbt does not build"
        elif schema == "marts" and table not in dataset.get("models", [table]):
            yield f"reads {relation}, which its models do not name"
        elif schema not in ("marts", "quality"):
            yield f"reads {relation}; people see marts, and auditors quality, nothing else"


def _wrong_with_chart(chart: Asset, dataset: Asset) -> Iterator[str]:
    columns, metrics = names(dataset)
    params = chart["params"]
    asked = [name for place in _COLUMNS for name in _listed(params.get(place))]
    asked += [condition["subject"] for condition in params.get("adhoc_filters", []) if "subject" in condition]
    for name in asked:
        if name not in columns:
            yield f"asks for column {name!r}, which dataset {chart['dataset']} does not have"
    for name in (name for place in _METRICS for name in _listed(params.get(place))):
        if name not in metrics:
            yield f"asks for metric {name!r}, which dataset {chart['dataset']} does not have"


def _wrong_with_dashboard(name: str, dashboard: Asset, assets: Assets, access: Asset) -> Iterator[str]:
    charts = charts_of(dashboard)
    if charts[:1] != ["as_of"]:
        yield "its first row is not the chart as_of: it must say as of when its data is"
    if len(charts) != len(set(charts)):
        yield "a chart stands on it twice"
    for wanted in dashboard["filters"]:
        for chart in charts:
            has = _acted_on(wanted, assets["datasets"][assets["charts"][chart]["dataset"]])
            if not has and chart not in wanted.get("except", []):
                yield f"filter «{wanted['name']}» does not act on chart {chart} and does not except it"
        if wanted.get("column") == _REGION and "except" in wanted:
            yield "every chart must follow the region"
    yield from _wrong_with_readers(name, dashboard.get("readers", READERS), assets, access)


def _wrong_with_readers(name: str, readers: Iterable[str], assets: Assets, access: Asset) -> Iterator[str]:
    for reader in readers:
        if reader not in access["roles"]:
            yield f"is for {reader}, a role that superset/assets/roles.yaml does not have"
        rule = access["roles"].get(reader, {}).get("own_rows")
        for dataset in datasets_of(assets, name) if rule else ():
            if rule["column"] not in names(assets["datasets"][dataset])[0] and dataset not in rule["open"]:
                yield f"{reader} sees only rows of its own, and dataset {dataset} has no column {rule['column']!r}"


def _acted_on(wanted: Asset, dataset: Asset) -> bool:
    if wanted.get("time"):
        return "main_dttm_col" in dataset
    return wanted["column"] in names(dataset)[0]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
