"""The files of superset/assets hold together: what a chart asks for is there, in Russian, with no secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from superset.bundle import ASSETS, asset_uuid, build_bundle, read_assets

FILES = read_assets()
DBT_MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"


def named(kind: str) -> Any:
    return pytest.mark.parametrize("name", sorted(FILES[kind]))


def dataset_of(chart: str) -> dict[str, Any]:
    return FILES["datasets"][FILES["charts"][chart]["dataset"]]


def columns_of(dataset: dict[str, Any]) -> set[str]:
    return {column["column_name"] for column in dataset["columns"]}


def metrics_of(dataset: dict[str, Any]) -> dict[str, str]:
    return {metric["metric_name"]: metric["expression"] for metric in dataset.get("metrics", [])}


def reads_russian(text: str) -> bool:
    return re.search("[А-Яа-яЁё]", text) is not None


@named("databases")
def test_a_database_file_holds_neither_host_nor_password(name: str) -> None:
    address = FILES["databases"][name]["sqlalchemy_uri"]
    assert re.fullmatch(r"postgresql\+psycopg2://otklik_(reader|analyst)@warehouse/otklik", address)


def test_only_the_analysts_connection_is_offered_in_sql_lab() -> None:
    assert [name for name, file in FILES["databases"].items() if file["expose_in_sqllab"]] == ["analysts"]


@named("datasets")
def test_a_dataset_reads_marts_that_dbt_builds_and_nothing_else(name: str) -> None:
    sql = FILES["datasets"][name]["sql"]
    read = re.findall(r"(?:from|join)\s+(\w+)\.(\w+)", sql)
    assert read
    assert {schema for schema, _ in read} == {"marts"}
    assert [table for _, table in read if not (DBT_MARTS / f"{table}.sql").exists()] == []


@named("datasets")
def test_every_column_and_metric_has_a_russian_name(name: str) -> None:
    dataset = FILES["datasets"][name]
    shown = [item["verbose_name"] for item in dataset["columns"] + dataset.get("metrics", [])]
    assert [text for text in shown if not reads_russian(text)] == []


@named("charts")
def test_a_chart_asks_for_columns_and_metrics_its_dataset_has(name: str) -> None:
    params = FILES["charts"][name]["params"]
    columns = [*params.get("all_columns", []), *params.get("groupby", []), params.get("x_axis")]
    columns += [f["subject"] for f in params.get("adhoc_filters", []) if f["expressionType"] == "SIMPLE"]
    metrics = [*params.get("metrics", []), params.get("timeseries_limit_metric")]
    assert {c for c in columns if c} <= columns_of(dataset_of(name))
    assert {m for m in metrics if m} <= set(metrics_of(dataset_of(name)))


@named("charts")
def test_a_chart_has_a_russian_title(name: str) -> None:
    assert reads_russian(FILES["charts"][name]["slice_name"])


@named("charts")
def test_a_chart_stands_on_a_dashboard(name: str) -> None:
    placed = [p["chart"] for d in FILES["dashboards"].values() for row in d["rows"] for p in row]
    assert placed.count(name) == 1


@named("dashboards")
def test_a_filter_acts_on_every_chart_not_excepted(name: str) -> None:
    dashboard = FILES["dashboards"][name]
    charts = [place["chart"] for row in dashboard["rows"] for place in row]
    idle = [
        (f["name"], chart)
        for f in dashboard["filters"]
        for chart in charts
        if chart not in f.get("except", [])
        and (
            "main_dttm_col" not in dataset_of(chart)
            if f.get("time")
            else f["column"] not in columns_of(dataset_of(chart))
        )
    ]
    assert idle == []


@named("dashboards")
def test_every_chart_follows_the_region(name: str) -> None:
    region = FILES["dashboards"][name]["filters"][0]
    assert region["column"] == "region_name"
    assert region["required"] is True
    assert "except" not in region


@named("dashboards")
def test_rows_fill_the_page_in_halves_or_whole_so_that_a_phone_shows_one_chart_a_row(name: str) -> None:
    widths = [[place["width"] for place in row] for row in FILES["dashboards"][name]["rows"]]
    assert all(row in ([12], [6, 6]) for row in widths)


def test_a_ranking_says_too_few_below_ten_answers_and_puts_them_last() -> None:
    params, metrics = FILES["charts"]["authorities"]["params"], metrics_of(dataset_of("authorities"))
    labels = [metric for metric in params["metrics"] if metric.endswith("_label")]
    assert labels == ["mean_label", "median_label", "p90_label", "on_time_label"]
    assert all(metrics[m].startswith("case when count(minutes_to_respond) < 10 then 'мало данных'") for m in labels)
    assert metrics[params["timeseries_limit_metric"]].startswith("case when count(minutes_to_respond) < 10 then -1")
    assert params["order_desc"] is True


def test_a_file_is_the_same_object_everywhere_and_a_renamed_one_is_another() -> None:
    assert asset_uuid("charts", "authorities") == "4fe5b494-6a26-528f-be8a-cb7334ac29a6"
    assert asset_uuid("charts", "authorities") != asset_uuid("charts", "authority")
    assert asset_uuid("charts", "authorities") != asset_uuid("datasets", "authorities")


def test_the_bundle_carries_every_file_marked_as_managed_by_files() -> None:
    bundle = {path: yaml.safe_load(text) for path, text in build_bundle(FILES).items()}
    assert bundle.pop("metadata.yaml") == {"version": "1.0.0", "type": "assets"}
    assert sorted(bundle) == sorted(f"{kind}/{name}.yaml" for kind, files in FILES.items() for name in files)
    assert all(asset["is_managed_externally"] for asset in bundle.values())


def test_a_dashboard_points_at_its_charts_by_uuid() -> None:
    dashboard = yaml.safe_load(build_bundle(FILES)["dashboards/response_time.yaml"])
    uuids = [node["meta"]["uuid"] for key, node in dashboard["position"].items() if key.startswith("CHART-")]
    assert uuids[0] == asset_uuid("charts", "as_of")
    assert len(uuids) == len(set(uuids)) == len(FILES["charts"])


@named("charts")
def test_no_chart_adds_means_up_to_a_total(name: str) -> None:
    chart = yaml.safe_load(build_bundle(FILES)[f"charts/{name}.yaml"])
    assert chart["params"]["showTooltipTotal"] is False


def test_building_the_bundle_leaves_the_files_content_as_it_was() -> None:
    before = yaml.safe_dump(FILES)
    build_bundle(FILES)
    assert yaml.safe_dump(FILES) == before


def test_a_chart_on_a_dataset_that_is_not_there_names_both_files(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "lonely.yaml").write_text("{slice_name: Один, dataset: nowhere}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"charts/lonely\.yaml refers to datasets/nowhere\.yaml"):
        read_assets(tmp_path)


def test_a_file_that_is_not_keys_and_values_is_named(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "broken.yaml").write_text("- one\n- two\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"charts/broken\.yaml: expected keys and values, found list"):
        read_assets(tmp_path)


def test_leadership_and_auditors_may_not_use_sql_lab_and_nobody_unknown_sees_data() -> None:
    access = yaml.safe_load((ASSETS / "roles.yaml").read_text(encoding="utf-8"))
    users, roles = access["users"], access["roles"]
    assert users["leadership"]["roles"] == ["otklik_dashboards"]
    assert "sql_lab" not in users["auditor"]["roles"]
    assert roles["Public"]["permissions"] == [["can_language_pack", "Superset"]]
    assert "datasets" not in roles["Public"]
    assert not any("SQL" in view for role in roles.values() for _, view in role["permissions"])
