"""Every metric of the semantic layer as a reader of the screens meets it: words, unit, SQL, dashboards."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from otklik.dashboards.assets import Assets, charts_of, read_assets
from otklik.dashboards.explained import metrics_shown
from otklik.settings import PROJECT

_FOLDER = PROJECT / "dbt_project" / "models" / "semantic"
# The files of the semantic layer in the order a reader meets their figures.
_GROUPS = {
    "_semantic__metrics": "Сообщения и ответы",
    "_backlog__semantic": "Очередь, повторы и открытые снова",
    "_resolution__semantic": "Решённые обращения",
    "_pages__semantic": "Госпаблики",
    "_surveys__semantic": "Опросы, эфиры и материалы",
}
UNITS = {
    "minutes": "минуты (на экране — часы и минуты)",
    "days": "дни",
    "share": "доля (на экране — проценты)",
    "messages": "сообщения",
    "incidents": "инциденты",
    "pages": "страницы",
    "people": "человек",
    "cohorts": "группы инцидентов",
    "surveys": "опросы",
    "responses": "анкеты",
    "broadcasts": "эфиры",
    "materials": "материалы",
}


@dataclass(frozen=True)
class Way:
    """One way to a metric's number: where it is counted, and the SQL of it."""

    place: str
    sql: str


@dataclass(frozen=True)
class Shown:
    """A dashboard on which a metric stands."""

    title: str
    slug: str


@dataclass(frozen=True)
class Metric:
    """A metric in words: `parts` are the two that a ratio divides, `counted` the SQL of all others."""

    name: str
    label: str
    definition: str
    unit: str
    parts: tuple["Metric", ...]
    counted: tuple[Way, ...]
    dashboards: tuple[Shown, ...]


@dataclass(frozen=True)
class Group:
    """The metrics of one subject."""

    title: str
    metrics: tuple[Metric, ...]


def groups() -> tuple[Group, ...]:
    """Return all metrics by subject, in the order they are read. Raises KeyError for a file or unit without a name."""
    files = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in _FOLDER.glob("*.yml")}
    layer = _Layer(files)
    told = [name for name, content in files.items() if content.get("metrics")]
    return tuple(
        Group(_GROUPS[name], tuple(layer.metric(found["name"]) for found in files[name]["metrics"]))
        for name in sorted(told, key=list(_GROUPS).index)
    )


class _Layer:
    """The semantic layer's files together: a metric refers to measures and metrics of any of them."""

    def __init__(self, files: dict[str, dict[str, Any]]) -> None:
        self._metrics = {found["name"]: found for content in files.values() for found in content.get("metrics", ())}
        self._measures = {
            measure["name"]: (measure, model["model"])
            for content in files.values()
            for model in content.get("semantic_models", ())
            for measure in model.get("measures", ())
        }
        self._shown = _shown(read_assets(), self._metrics)

    def metric(self, name: str) -> Metric:
        found = self._metrics[name]
        parameters = found["type_params"]
        return Metric(
            name=name,
            label=found["label"],
            definition=_line(found["config"]["meta"]["definition"]),
            unit=UNITS[found["config"]["meta"]["unit"]],
            parts=tuple(self.metric(parameters[part]) for part in ("numerator", "denominator") if part in parameters),
            counted=tuple(self._ways(found)),
            dashboards=tuple(self._shown[name]),
        )

    def _ways(self, found: dict[str, Any]) -> Iterator[Way]:
        meta, parameters = found["config"]["meta"], found["type_params"]
        if "rows" in meta:
            yield _over_rows(meta)
        for mart, sql in meta.get("sql", {}).items():
            yield Way(f"По таблице marts.{mart}:", sql)
        if "measure" in parameters and not {"rows", "sql"} & meta.keys():
            measure = parameters["measure"]
            counted, model = self._measures[measure if isinstance(measure, str) else measure["name"]]
            yield Way(f"По таблице marts.{_mart(model)}:", f"{counted['agg']}({_line(str(counted['expr']))})")
        if "expr" in parameters:
            parts = {part.get("alias", part["name"]): self._metrics[part["name"]] for part in parameters["metrics"]}
            told = ", ".join(f"{alias} — «{part['label']}»" for alias, part in parts.items())
            yield Way(f"Из других показателей: {told}.", _line(parameters["expr"]))


def _over_rows(meta: dict[str, Any]) -> Way:
    rows = meta["rows"]
    value = rows.get("value") or meta["sql"][rows["fact"]]
    sql = f"select {_line(value)}\nfrom marts.{rows['fact']} as fact\nwhere {_line(rows['where'])}"
    return Way("По строкам, за период от {starts} до {ends} (этот день не входит):", sql)


def _mart(reference: str) -> str:
    """The table in "ref('mart_backlog_daily')"."""
    return reference.removeprefix("ref('").removesuffix("')")


def _shown(assets: Assets, known: Iterable[str]) -> dict[str, list[Shown]]:
    """The dashboards on whose charts each metric stands."""
    found: dict[str, list[Shown]] = {name: [] for name in known}
    for dashboard in assets["dashboards"].values():
        charts = [assets["charts"][chart] for chart in charts_of(dashboard)]
        standing = {
            name for chart in charts for name in metrics_shown(chart, assets["datasets"][chart["dataset"]], found)
        }
        for name in standing:
            found[name].append(Shown(dashboard["dashboard_title"], dashboard["slug"]))
    return found


def _line(text: str) -> str:
    return " ".join(text.split())
