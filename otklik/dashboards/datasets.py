"""Datasets as Superset imports them: a file names columns and metrics, dbt's manifest says what they are."""

from typing import Any

from otklik.dashboards.assets import Asset, AssetError, columns_of
from otklik.dashboards.manifest import Column, Manifest

_AGGREGATES = ("sum", "max", "min", "avg", "count")
_MINUTES_IN_HOUR = 60


def full_dataset(name: str, dataset: Asset, manifest: Manifest) -> Asset:
    """Return the dataset with every column and metric whole: label, type, expression, format.

    Raises AssetError naming the column or metric that none of its `models` has.
    """
    models = dataset.get("models", [])
    for model in models:
        if model not in manifest.marts:
            raise AssetError("datasets", name, f"reads {model}, which dbt does not build in marts")
    rest = {key: value for key, value in dataset.items() if key not in ("models", "database", "columns", "metrics")}
    return {
        # Without SQL of its own it is the mart's table; one with SQL is known by the name of its file.
        "table_name": name if "sql" in dataset else models[0],
        "schema": "marts",
        **rest,
        "columns": [_column(name, column, models, manifest) for column in dataset["columns"]],
        "metrics": [_metric(name, metric, models, manifest) for metric in dataset.get("metrics", [])],
    }


def _column(dataset: str, column: str | Asset, models: list[str], manifest: Manifest) -> Asset:
    if isinstance(column, dict) and "of" not in column:
        return {"groupby": True, "filterable": True, **column}
    if isinstance(column, str):
        shown, of = column, _find(dataset, column, models, manifest)
    else:
        model, _, of_name = column["of"].partition(".")
        shown, of = column["column_name"], _find(dataset, of_name, [model], manifest)
    return {
        "column_name": shown,
        "verbose_name": of.label,
        "type": of.data_type.upper(),
        "is_dttm": of.data_type == "date" or of.data_type.startswith("timestamp"),
        "groupby": True,
        "filterable": True,
        **({key: value for key, value in column.items() if key != "of"} if isinstance(column, dict) else {}),
    }


def _metric(dataset: str, metric: str | Asset, models: list[str], manifest: Manifest) -> Asset:
    if isinstance(metric, str):
        return _semantic_metric(dataset, metric, models, manifest)
    if "expression" in metric:
        return metric
    aggregate = next((key for key in _AGGREGATES if key in metric), None)
    if aggregate is None:
        raise AssetError(
            "datasets", dataset, f"metric {metric}: expected a name, an expression, or one of {_AGGREGATES}"
        )
    column = _find(dataset, metric[aggregate], models, manifest)
    shown = {
        "metric_name": column.name,
        "verbose_name": column.label,
        "expression": f"{aggregate}({column.name})",
        "d3format": _format(column.unit, column.data_type),
    }
    return shown | {key: value for key, value in metric.items() if key != aggregate}


def _semantic_metric(dataset: str, name: str, models: list[str], manifest: Manifest) -> Asset:
    """A metric of the semantic layer by the columns of one of the dataset's models; minutes become hours."""
    metric = manifest.metrics.get(name)
    if metric is None:
        raise AssetError("datasets", dataset, f"the semantic layer has no metric '{name}'")
    model = next((model for model in models if model in metric.sql), None)
    if model is None:
        known = ", ".join(metric.sql) or "no mart"
        raise AssetError("datasets", dataset, f"metric '{name}' is told by {known}; the dataset reads {models}")
    expression, label = metric.sql[model], metric.label
    if metric.unit == "minutes":
        expression, label = f"({expression}) / {_MINUTES_IN_HOUR}", f"{label}, часов"
    return {
        "metric_name": name,
        "verbose_name": label,
        "expression": expression,
        "d3format": _format(metric.unit, "bigint"),
    }


def _find(dataset: str, name: str, models: list[str], manifest: Manifest) -> Column:
    for model in models:
        if name in manifest.marts.get(model, {}):
            return manifest.marts[model][name]
    raise AssetError("datasets", dataset, f"none of {', '.join(models) or 'its models'} has a column '{name}'")


def _format(unit: str | None, data_type: str) -> str:
    if unit == "share":
        return ",.1%"
    return ",.1f" if unit == "minutes" or data_type.startswith(("numeric", "double")) else ",d"


def names(dataset: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the names of a file's columns and of its metrics, whole or short."""
    columns = set(columns_of(dataset))
    metrics = set()
    for metric in dataset.get("metrics", []):
        if isinstance(metric, str):
            metrics.add(metric)
        else:
            short = next((metric[key] for key in _AGGREGATES if key in metric), None)
            metrics.add(metric.get("metric_name", short))
    return columns, metrics
