"""The files of superset/assets hold together: what a chart asks for is there, in Russian, with no secret."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from otklik.dashboards.access import full_access
from otklik.dashboards.apply import read_manifest
from otklik.dashboards.assets import AssetError, charts_of, marts_of, read_access, read_assets
from otklik.dashboards.bundle import asset_uuid, build_bundle
from otklik.dashboards.manifest import Manifest
from otklik.dashboards.validate import validate
from otklik.settings import settings_of_no_installation
from tests.fixtures.cluster import environment

FILES, ACCESS = read_assets(), read_access()
EVERYWHERE = {"as_of"}


def named(kind: str) -> Any:
    return pytest.mark.parametrize("name", sorted(FILES[kind]))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    with environment(HOME=str(tmp_path_factory.mktemp("home"))):
        return read_manifest(settings_of_no_installation())


@pytest.fixture
def files() -> Any:
    """The files, to be broken."""
    return copy.deepcopy(FILES)


@pytest.fixture(scope="module")
def bundle(manifest: Manifest) -> dict[str, Any]:
    return {path: yaml.safe_load(text) for path, text in build_bundle(FILES, manifest).items()}


def reads_russian(text: str) -> bool:
    return re.search("[А-Яа-яЁё]", text) is not None


def test_the_files_hold_together(manifest: Manifest) -> None:
    assert validate(FILES, ACCESS, manifest) == []


def test_a_chart_that_asks_for_what_its_dataset_lacks_is_named(files: Any, manifest: Manifest) -> None:
    files["charts"]["mean_by_month"]["params"]["metrics"] = ["mood"]
    files["charts"]["mean_by_month"]["params"]["groupby"] = ["weather"]
    assert validate(files, ACCESS, manifest) == [
        "superset/assets/charts/mean_by_month.yaml: asks for column 'weather',"
        " which dataset response_day does not have",
        "superset/assets/charts/mean_by_month.yaml: asks for metric 'mood', which dataset response_day does not have",
    ]


def test_a_dataset_that_asks_for_what_the_marts_lack_is_named(files: Any, manifest: Manifest) -> None:
    files["datasets"]["list_topic"]["columns"].append("weather")
    [found] = validate(files, ACCESS, manifest)
    assert re.fullmatch(
        r"superset/assets/datasets/list_topic\.yaml: none of .+, mart_as_of has a column 'weather'", found
    )


def test_a_dataset_that_reads_past_the_marts_is_named(files: Any, manifest: Manifest) -> None:
    files["datasets"]["list_topic"]["sql"] += " union all select * from raw.incident union all select * from marts.gone"
    assert validate(files, ACCESS, manifest) == [
        "superset/assets/datasets/list_topic.yaml: reads marts.gone, which dbt does not build",
        "superset/assets/datasets/list_topic.yaml: reads raw.incident;"
        " people see marts, and auditors quality, nothing else",
    ]


def test_a_filter_that_acts_on_nothing_is_named(files: Any, manifest: Manifest) -> None:
    wanted = next(f for f in files["dashboards"]["response_time"]["filters"] if f["name"] == "Тема")
    wanted["except"] = []
    assert (
        "superset/assets/dashboards/response_time.yaml: filter «Тема»"
        " does not act on chart as_of and does not except it"
    ) in validate(files, ACCESS, manifest)


def test_a_chart_on_no_dashboard_is_named(files: Any, manifest: Manifest) -> None:
    files["charts"]["lonely"] = copy.deepcopy(files["charts"]["as_of"])
    assert validate(files, ACCESS, manifest) == ["superset/assets/charts/lonely.yaml: stands on no dashboard"]


def test_a_dashboard_for_those_with_rows_of_their_own_may_not_show_the_rows_of_all(
    files: Any, manifest: Manifest
) -> None:
    files["dashboards"]["response_time"]["readers"] = ["otklik_authority"]
    assert (
        "superset/assets/dashboards/response_time.yaml: otklik_authority sees only rows of its own,"
        " and dataset list_municipality has no column 'authority'"
    ) in validate(files, ACCESS, manifest)


@named("databases")
def test_a_database_file_holds_neither_host_nor_password(name: str) -> None:
    address = FILES["databases"][name]["sqlalchemy_uri"]
    assert re.fullmatch(r"postgresql\+psycopg2://otklik_(reader|analyst|auditor)@warehouse/otklik", address)


def test_only_the_analysts_connection_is_offered_in_sql_lab() -> None:
    assert [name for name, file in FILES["databases"].items() if file["expose_in_sqllab"]] == ["analysts"]


@named("datasets")
def test_every_column_and_metric_has_a_russian_name(name: str, bundle: dict[str, Any]) -> None:
    dataset = bundle[f"datasets/{name}.yaml"]
    shown = [item["verbose_name"] for item in dataset["columns"] + dataset["metrics"]]
    assert [text for text in shown if not reads_russian(text)] == []


@named("charts")
def test_a_chart_has_a_russian_title(name: str) -> None:
    assert reads_russian(FILES["charts"][name]["slice_name"])


@named("charts")
def test_a_chart_says_what_it_counts(name: str) -> None:
    # Cards and lines of text say it themselves.
    told = FILES["charts"][name].get("description", "")
    assert reads_russian(told) or name.startswith("cards_") or name in EVERYWHERE


@named("dashboards")
def test_rows_fill_the_page_in_halves_or_whole_so_that_a_phone_shows_one_chart_a_row(name: str) -> None:
    widths = [[place["width"] for place in row] for row in FILES["dashboards"][name]["rows"]]
    assert all(row in ([12], [6, 6]) for row in widths)


def test_a_column_of_a_mart_is_called_and_written_as_dbt_says(manifest: Manifest) -> None:
    dataset = {
        "models": ["mart_backlog_daily", "fct_incident"],
        "columns": ["day", {"column_name": "organ", "of": "mart_backlog_daily.authority"}],
        "metrics": [{"sum": "open_count"}, "mean_time_to_respond"],
    }
    assets = {"databases": {}, "datasets": {"queue": dataset}, "charts": {}, "dashboards": {}}
    built = yaml.safe_load(build_bundle(assets, manifest)["datasets/queue.yaml"])
    assert (built["schema"], built["table_name"]) == ("marts", "mart_backlog_daily")
    assert [(c["column_name"], c["verbose_name"], c["type"], c["is_dttm"]) for c in built["columns"]] == [
        ("day", "День", "DATE", True),
        ("organ", "Орган власти", "TEXT", False),
    ]
    assert built["metrics"] == [
        {"metric_name": "open_count", "verbose_name": "В работе", "expression": "sum(open_count)", "d3format": ",d"},
        {
            "metric_name": "mean_time_to_respond",
            "verbose_name": "Среднее время ответа, часов",
            "expression": "(avg(minutes_to_respond)) / 60",
            "d3format": ",.1f",
        },
    ]


def test_a_file_is_the_same_object_everywhere_and_a_renamed_one_is_another() -> None:
    assert asset_uuid("charts", "authorities") == "4fe5b494-6a26-528f-be8a-cb7334ac29a6"
    assert asset_uuid("charts", "authorities") != asset_uuid("charts", "authority")
    assert asset_uuid("charts", "authorities") != asset_uuid("datasets", "authorities")


def test_the_bundle_carries_every_file_marked_as_managed_by_files(bundle: dict[str, Any]) -> None:
    files = dict(bundle)
    assert files.pop("metadata.yaml") == {"version": "1.0.0", "type": "assets"}
    assert sorted(files) == sorted(f"{kind}/{name}.yaml" for kind, named in FILES.items() for name in named)
    assert all(asset["is_managed_externally"] for asset in files.values())


@named("dashboards")
def test_a_dashboard_points_at_its_charts_by_uuid(name: str, bundle: dict[str, Any]) -> None:
    position = bundle[f"dashboards/{name}.yaml"]["position"]
    uuids = [node["meta"]["uuid"] for key, node in position.items() if key.startswith("CHART-")]
    assert set(uuids) == {asset_uuid("charts", chart) for chart in charts_of(FILES["dashboards"][name])}
    assert len(uuids) == len(set(uuids))


@named("charts")
def test_a_chart_shows_a_total_only_of_what_adds_up(name: str, bundle: dict[str, Any]) -> None:
    chart = bundle[f"charts/{name}.yaml"]
    dataset = bundle[f"datasets/{FILES['charts'][name]['dataset']}.yaml"]
    told = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    shown = [told[metric] for metric in chart["params"].get("metrics", [])]
    assert not chart["params"]["showTooltipTotal"] or all(expression.startswith("sum(") for expression in shown)


def test_building_the_bundle_leaves_the_files_content_as_it_was(manifest: Manifest) -> None:
    before = yaml.safe_dump(FILES)
    build_bundle(FILES, manifest)
    assert yaml.safe_dump(FILES) == before


def test_a_chart_on_a_dataset_that_is_not_there_names_both_files(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "lonely.yaml").write_text(
        "{slice_name: Один, dataset: nowhere, viz_type: table, params: {}}", encoding="utf-8"
    )
    with pytest.raises(AssetError, match=r"charts/lonely\.yaml: refers to datasets/nowhere\.yaml"):
        read_assets(tmp_path)


def test_a_file_without_a_key_that_matters_is_named(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "half.yaml").write_text("{slice_name: Один, dataset: nowhere}", encoding="utf-8")
    with pytest.raises(AssetError, match=r"charts/half\.yaml: lacks viz_type, params"):
        read_assets(tmp_path)


def test_a_file_that_is_not_keys_and_values_is_named(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "broken.yaml").write_text("- one\n- two\n", encoding="utf-8")
    with pytest.raises(AssetError, match=r"charts/broken\.yaml: expected keys and values, found list"):
        read_assets(tmp_path)


def test_readers_of_dashboards_may_not_use_sql_lab_and_nobody_unknown_sees_data() -> None:
    users, roles = ACCESS["users"], ACCESS["roles"]
    assert users["leadership"]["roles"] == ["otklik_dashboards"]
    assert users["authority"]["roles"] == ["otklik_authority"]
    assert "sql_lab" not in users["auditor"]["roles"]
    assert roles["Public"] == {"permissions": [["can_language_pack", "Superset"]]}
    assert not any("SQL" in view for role in roles.values() for _, view in role["permissions"])


def test_every_login_lands_on_a_dashboard_it_may_open() -> None:
    slugs = {content["slug"]: content for content in FILES["dashboards"].values()}
    for login, user in ACCESS["users"].items():
        readers = slugs[user["home"]].get("readers", ["otklik_dashboards"])
        assert set(readers) & set(user["roles"]) or "Admin" in user["roles"], login


def test_a_role_reads_the_datasets_of_its_dashboards_and_no_others() -> None:
    full = full_access(FILES, ACCESS)["roles"]["otklik_authority"]
    own = [content for content in FILES["dashboards"].values() if "otklik_authority" in content.get("readers", [])]
    read = {FILES["charts"][chart]["dataset"] for dashboard in own for chart in charts_of(dashboard)}
    read |= {f["dataset"] for dashboard in own for f in dashboard["filters"] if "dataset" in f}
    assert set(full["datasets"]) == {asset_uuid("datasets", dataset) for dataset in read}
    narrowed = read - set(ACCESS["roles"]["otklik_authority"]["own_rows"]["open"])
    assert set(full["own_rows"]["datasets"]) == {asset_uuid("datasets", dataset) for dataset in narrowed}


def test_what_a_dataset_reads_is_told_by_its_sql_or_its_model() -> None:
    assert marts_of({"models": ["mart_as_of"]}) == ["marts.mart_as_of"]
    sql = """
        select extract(year from a.day), a.day is distinct from c.day
        from marts.a inner join quality.b on true left join marts.a as c on true
    """
    assert marts_of({"sql": sql}) == ["marts.a", "quality.b"]
