"""Rules of the dbt project, read from its manifest: layers, grain, documentation, one definition of each metric."""

import re
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner

from otklik.dashboards.assets import datasets_of, marts_of, read_assets
from otklik.dashboards.datasets import full_dataset
from otklik.dashboards.manifest import Manifest
from otklik.settings import PROJECT

DBT = PROJECT / "dbt_project"
LAYERS = ("staging", "intermediate", "marts")
ASSETS = read_assets()

# What makes one number of many rows and does not add up, and a ratio, also of two metrics. A screen or a document may
# count and add up what it likes; min() and max() pick a value.
TOTAL = r"(?:metric|(?:sum|count)\([^()]*\))"
OWN_NUMBER = re.compile(rf"\b(?:avg|percentile_\w+|mode|stddev\w*|var\w*|corr|regr_\w+)\s*\(|\b{TOTAL} / {TOTAL}")
# Numbers that a screen has of its own, and why.
OWN = {
    "quality_figure": "counts a figure again by another route",
    "topic_month": "how much more a metric is than before, of any slice",
}

Node = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The project as dbt understands it; no database is asked."""
    scratch = tmp_path_factory.mktemp("dbt")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTKLIK_TRANSFORMER_PASSWORD", "unknown")
        environment.setenv("OTKLIK_DBT_TARGET", "live")
        environment.setenv("DBT_TARGET_PATH", str(scratch / "target"))
        environment.setenv("DBT_LOG_PATH", str(scratch / "logs"))
        parsed = dbtRunner().invoke(["parse", "--quiet", "--project-dir", str(DBT), "--profiles-dir", str(DBT)])
    assert parsed.success, parsed.exception
    return dict(parsed.result.to_dict())


@pytest.fixture(scope="module")
def models(manifest: Node) -> dict[str, Node]:
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def metrics(manifest: Node) -> dict[str, Node]:
    return {metric["name"]: metric for metric in manifest["metrics"].values()}


@pytest.fixture(scope="module")
def datasets(manifest: Node) -> dict[str, Node]:
    """The datasets of charts, whole; without SQL of its own one is its mart's table."""
    known = Manifest.of(manifest)
    return {
        name: {"sql": f"from marts.{dataset.get('models', [''])[0]}", **full_dataset(name, dataset, known)}
        for name, dataset in ASSETS["datasets"].items()
    }


def layer(node: Node) -> int:
    """The folder of the model says it: int_published stands among the marts it is written after."""
    return LAYERS.index(node["fqn"][1])


def public(models: dict[str, Node]) -> list[Node]:
    return [model for model in models.values() if model["schema"] == "marts"]


def test_the_first_line_of_a_model_tells_its_grain(models: dict[str, Node]) -> None:
    files = {model["name"]: (DBT / model["original_file_path"]).read_text("utf-8") for model in models.values()}
    assert [name for name, text in files.items() if not text.startswith("-- Grain: ")] == []


def test_only_staging_reads_what_arrived(models: dict[str, Node]) -> None:
    readers = {
        model["name"]
        for model in models.values()
        if layer(model) > 0 and any(read.startswith("source.") for read in model["depends_on"]["nodes"])
    }
    assert readers == set()


def test_no_layer_reads_a_later_one(models: dict[str, Node]) -> None:
    backwards = [
        f"{model['name']} reads {models[read]['name']}"
        for model in models.values()
        for read in model["depends_on"]["nodes"]
        if read in models and layer(models[read]) > layer(model)
    ]
    assert backwards == []


def test_a_test_keeps_the_grain_of_every_model_above_staging(manifest: Node, models: dict[str, Node]) -> None:
    kept = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node["test_metadata"] or {}).get("name") in ("unique_combination", "unique")
    }
    assert [model["name"] for key, model in models.items() if layer(model) > 0 and key not in kept] == []


def test_every_model_seed_and_column_is_described(manifest: Node) -> None:
    described = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    silent = [node["name"] for node in described if not node["description"].strip() or not node["columns"]]
    silent += [
        f"{node['name']}.{name}"
        for node in described
        for name, column in node["columns"].items()
        if not column["description"].strip()
    ]
    assert silent == []


def test_what_is_noted_as_published_waits_for_every_mart(models: dict[str, Node]) -> None:
    [note] = [model for model in models.values() if model["name"] == "int_published"]
    awaited = {models[read]["name"] for read in note["depends_on"]["nodes"] if read in models}
    # It tells of the note itself.
    assert {mart["name"] for mart in public(models)} - awaited == {"mart_as_of"}


def test_every_public_mart_keeps_a_contract(models: dict[str, Node]) -> None:
    assert [mart["name"] for mart in public(models) if not mart["config"]["contract"]["enforced"]] == []


def test_every_column_of_a_public_mart_has_a_russian_label(models: dict[str, Node]) -> None:
    unlabelled = [
        f"{mart['name']}.{name}"
        for mart in public(models)
        for name, column in mart["columns"].items()
        if not re.search("[А-Яа-яЁё]", column["config"]["meta"].get("label", ""))
    ]
    assert unlabelled == []


def test_every_dashboard_has_its_exposure_which_names_exactly_the_marts_it_reads(manifest: Node) -> None:
    exposures = {
        exposure["label"]: {node.rpartition(".")[2] for node in exposure["depends_on"]["nodes"]}
        for exposure in manifest["exposures"].values()
        if exposure["type"] == "dashboard" and exposure["maturity"] == "high"
    }
    dashboards = {
        dashboard["dashboard_title"]: {
            relation.removeprefix("marts.")
            for dataset in datasets_of(ASSETS, name)
            for relation in marts_of(ASSETS["datasets"][dataset])
            if relation.startswith("marts.")
        }
        for name, dashboard in ASSETS["dashboards"].items()
    }
    assert dashboards == exposures


def test_every_other_exposure_is_of_a_planned_dashboard_that_is_not_there_yet(manifest: Node) -> None:
    exposures = manifest["exposures"].values()
    planned = {exposure["label"] for exposure in exposures if exposure["maturity"] == "low"}
    assert {exposure["maturity"] for exposure in exposures} <= {"high", "low"}
    assert planned == {exposure["label"] for exposure in exposures if exposure["description"].startswith("Planned. ")}
    assert planned.isdisjoint(dashboard["dashboard_title"] for dashboard in ASSETS["dashboards"].values())
    assert [label for label in planned if not re.search("[А-Яа-яЁё]", label)] == []


def test_every_exposure_reads_public_marts(manifest: Node, models: dict[str, Node]) -> None:
    marts = {mart["unique_id"] for mart in public(models)}
    strangers = [
        f"{exposure['name']} reads {node}"
        for exposure in manifest["exposures"].values()
        for node in exposure["depends_on"]["nodes"]
        if node not in marts
    ]
    assert strangers == []
    assert [
        exposure["name"] for exposure in manifest["exposures"].values() if not exposure["depends_on"]["nodes"]
    ] == []


def test_every_metric_has_a_russian_label_of_its_own_a_description_and_a_unit(metrics: dict[str, Node]) -> None:
    labels = [metric["label"] for metric in metrics.values()]
    assert len(set(labels)) == len(labels)
    assert [label for label in labels if not re.search("[А-Яа-яЁё]", label)] == []
    assert [name for name, m in metrics.items() if not (m["description"].strip() and m["config"]["meta"]["unit"])] == []


def test_every_metric_is_defined_in_russian_too(metrics: dict[str, Node]) -> None:
    told = {name: metric["config"]["meta"].get("definition", "").strip() for name, metric in metrics.items()}
    assert [name for name, text in told.items() if not re.fullmatch(r"[А-ЯЁ][^A-Za-z]+\.", text)] == []


def test_the_sql_of_a_metric_is_for_marts_that_there_are(metrics: dict[str, Node], models: dict[str, Node]) -> None:
    names = {mart["name"] for mart in public(models)}
    assert [name for name, m in metrics.items() if not m["config"]["meta"].get("sql", {}).keys() <= names] == []


def marts_read(sql: str) -> set[str]:
    return set(re.findall(r"(?:from|join)\s+marts\.(\w+)", sql))


def plain(sql: str) -> str:
    """The SQL in one line, without the guards against division by zero: they change no number."""
    line = " ".join(re.sub(r"--.*", "", sql).lower().split()).replace("( ", "(").replace(" )", ")")
    return re.sub(r"nullif\((\w+\([^()]*\)), 0\)", r"\1", line)


def measures_in_sql(manifest: Node) -> dict[str, str]:
    """What MetricFlow adds up for a measure, by name."""
    return {
        measure["name"]: f"{measure['agg']}({measure['expr']})"
        for model in manifest["semantic_models"].values()
        for measure in model["measures"]
    }


def own_numbers(sql: str, read: set[str], metrics: dict[str, Node]) -> list[str]:
    """What `sql` counts by itself: aggregates that are no metric's own SQL over the marts it reads."""
    rest = plain(sql)
    known = [plain(own) for metric in metrics.values() for mart, own in _sql_of(metric).items() if mart in read]
    for own in sorted(known, key=len, reverse=True):
        # A metric of some of the rows is another number.
        rest = re.sub(re.escape(own) + r"(?!\)?\s*filter\b)", "metric", rest)
    return OWN_NUMBER.findall(rest)


def _sql_of(metric: Node) -> dict[str, str]:
    return dict(metric["config"]["meta"].get("sql", {}))


@pytest.mark.parametrize("name", sorted(ASSETS["datasets"].keys() - OWN))
def test_no_chart_counts_a_metric_in_its_own_way(
    name: str, metrics: dict[str, Node], datasets: dict[str, Node]
) -> None:
    dataset = datasets[name]
    read = marts_read(dataset["sql"])
    counted = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    own = {name: own_numbers(sql, read, metrics) for name, sql in (counted | {"sql": dataset["sql"]}).items()}
    assert {name: numbers for name, numbers in own.items() if numbers} == {}


@pytest.mark.parametrize("name", sorted(ASSETS["datasets"]))
def test_a_metrics_name_stands_on_no_other_number(
    name: str, manifest: Node, metrics: dict[str, Node], datasets: dict[str, Node]
) -> None:
    measures = measures_in_sql(manifest)
    labels = {metric["label"]: metric for metric in metrics.values()}
    wrong = []
    for shown in datasets[name]["metrics"]:
        if metric := labels.get(shown["verbose_name"]):
            expression = plain(shown["expression"])
            measure = (metric["type_params"]["measure"] or {}).get("name")
            told = (metric["name"], measures.get(measure, metric["name"]), *_sql_of(metric).values())
            if not any(plain(own) in expression for own in told):
                wrong.append(f"{shown['metric_name']} is shown as «{metric['label']}», which is {metric['name']}")
    assert wrong == []


@pytest.mark.parametrize("name", sorted(ASSETS["datasets"]))
def test_a_dataset_that_asks_for_a_metric_by_name_shows_its_label(
    name: str, metrics: dict[str, Node], datasets: dict[str, Node]
) -> None:
    sql = datasets[name]["sql"]
    assert [m["label"] for m in metrics.values() if f"'{m['name']}'" in sql and f"'{m['label']}'" not in sql] == []


@pytest.mark.parametrize("page", sorted(PROJECT.glob("docs/*.md")), ids=lambda page: page.stem)
def test_no_document_counts_a_metric_in_its_own_way(page: Path, metrics: dict[str, Node]) -> None:
    text = page.read_text("utf-8")
    queries = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [query for query in queries if own_numbers(query, marts_read(query), metrics)] == []


@pytest.mark.parametrize(
    ("sql", "own"),
    [
        ("avg(minutes_to_respond) / 60", []),
        ("marts.duration_label(AVG(\n  minutes_to_respond\n))", []),
        ("avg(minutes_to_respond) filter (where is_on_time)", ["avg("]),
        ("avg(reopened_count)", ["avg("]),
        ("sum(minutes_to_respond) / count(*)", ["sum(minutes_to_respond) / count(*)"]),
        ("percentile_cont(0.8) within group (order by minutes_to_respond)", ["percentile_cont("]),
        # The mean of another mart's rows would be a mean of means.
        ("sum(minutes_sum) / sum(answered_count)", ["sum(minutes_sum) / sum(answered_count)"]),
        ("max(on_time_share)", []),
        ("avg(is_on_time::int) / avg(minutes_to_respond)", ["metric / metric"]),
    ],
)
def test_a_number_of_ones_own_is_noticed(sql: str, own: list[str], metrics: dict[str, Node]) -> None:
    assert own_numbers(sql, {"fct_incident"}, metrics) == own


def test_a_guard_against_division_by_zero_makes_no_other_number(metrics: dict[str, Node]) -> None:
    guarded = "sum(minutes_sum) / nullif(sum(answered_count), 0) / 60"
    assert own_numbers(guarded, {"mart_time_to_respond"}, metrics) == []
