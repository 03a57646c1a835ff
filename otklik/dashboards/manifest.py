"""What dbt knows of the marts: their columns and the metrics of the semantic layer, read from its manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Column:
    """A column of a mart: its Russian label, its type in PostgreSQL, its unit where it is a number of something."""

    name: str
    label: str
    data_type: str
    unit: str | None


@dataclass(frozen=True)
class Metric:
    """A metric: its Russian label, its unit, and for each mart that can tell it, the SQL over that mart's columns."""

    name: str
    label: str
    unit: str
    sql: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """Marts by name, each its columns by name; metrics by name."""

    marts: Mapping[str, Mapping[str, Column]]
    metrics: Mapping[str, Metric]

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Return what dashboards need of the content of dbt's ``manifest.json``."""
        models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
        return cls(
            {model["name"]: _columns(model) for model in models if model["config"]["schema"] == "marts"},
            {metric["name"]: _metric(metric) for metric in manifest["metrics"].values()},
        )


def _columns(model: Mapping[str, Any]) -> dict[str, Column]:
    columns = {}
    for name, column in model["columns"].items():
        meta = (column.get("config") or {}).get("meta") or column.get("meta") or {}
        columns[name] = Column(name, meta.get("label", name), column["data_type"], meta.get("unit"))
    return columns


def _metric(metric: Mapping[str, Any]) -> Metric:
    meta = metric["config"]["meta"]
    return Metric(metric["name"], metric["label"], meta["unit"], meta.get("sql", {}))
