"""What each metric is: read from the files of the dbt project that define it."""

from dataclasses import dataclass
from typing import Any

import yaml

from otklik.errors import OtklikError
from otklik.settings import PROJECT

_FILES = PROJECT / "dbt_project" / "models" / "semantic"

# The entity of `raw` that a fact is made of.
ENTITY_OF = {
    "fct_incident": "incident",
    "fct_message": "incident",
    "fct_page_day": "page_snapshot",
    "dim_survey": "survey",
    "fct_broadcast": "broadcast",
    "fct_material": "material",
}


class MetricError(OtklikError):
    """There is no such metric, or none whose rows are known."""


@dataclass(frozen=True)
class Definition:
    """A metric: what it is called, what it means, and the rows behind it.

    `description` is for those who write SQL, `explanation` says the same in Russian to those who read the screens; an
    archive from before it was kept has none.
    `where` tells which rows of `marts.<fact>`, called `fact`, are behind its number for a period, `value` the number as
    they give it. Both are SQL with {starts}, {ends} (dates, the latter excluded), {as_of}, {zone}, {last_page_day}.
    """

    name: str
    label: str
    description: str
    unit: str
    fact: str
    where: str
    value: str
    explanation: str = ""

    @property
    def entity(self) -> str:
        """The entity of `raw` that its fact is made of."""
        return ENTITY_OF[self.fact]


def definitions() -> dict[str, Definition]:
    """Return every metric whose rows are known, by name."""
    metrics = (metric for file in sorted(_FILES.glob("*.yml")) for metric in _metrics(file.read_text(encoding="utf-8")))
    return {metric["name"]: _definition(metric) for metric in metrics if "rows" in metric["config"]["meta"]}


def definition(name: str) -> Definition:
    """Return one metric. Raises MetricError that names those there are."""
    known = definitions()
    if name not in known:
        raise MetricError(f"There is no metric '{name}' whose rows are known; there are: {', '.join(sorted(known))}")
    return known[name]


def _metrics(text: str) -> list[dict[str, Any]]:
    return list((yaml.safe_load(text) or {}).get("metrics", ()))


def _definition(metric: dict[str, Any]) -> Definition:
    meta = metric["config"]["meta"]
    rows = meta["rows"]
    return Definition(
        name=metric["name"],
        label=metric["label"],
        description=" ".join(metric["description"].split()),
        unit=meta["unit"],
        fact=rows["fact"],
        where=" ".join(rows["where"].split()),
        value=" ".join((rows.get("value") or meta["sql"][rows["fact"]]).split()),
        explanation=" ".join(meta["definition"].split()),
    )
