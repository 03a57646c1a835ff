"""What leads from a figure to the page that explains it."""

import re
from collections.abc import Iterable, Mapping

from otklik.dashboards.assets import Asset, Assets, charts_of


def anchor(heading: str) -> str:
    """Return the anchor of a heading: lower case, spaces as '-', nothing but letters, digits and '-'."""
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def metrics_shown(chart: Asset, dataset: Asset, known: Iterable[str]) -> list[str]:
    """Return those metrics of the semantic layer that a chart shows: it, or its SQL, names them."""
    # What Superset or SQL is given by name stands in quotes.
    asked = f"{chart['params']}{dataset.get('sql', '')}"
    return [metric for metric in known if f"'{metric}'" in asked or metric in chart.get("explains", ())]


def definitions(dashboard: str, assets: Assets, labels: Mapping[str, str]) -> str:
    """Return links to the definitions of the metrics on a dashboard, a line of Markdown; empty when it shows none.

    `labels`: the metrics of the semantic layer, by name.
    """
    charts = [assets["charts"][chart] for chart in charts_of(assets["dashboards"][dashboard])]
    shown = {name for chart in charts for name in metrics_shown(chart, assets["datasets"][chart["dataset"]], labels)}
    links = [f"[{label}](/help/metrics#{name})" for name, label in labels.items() if name in shown]
    return f"Как считается: {' · '.join(links)}" if links else ""
