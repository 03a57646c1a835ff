"""The timetables, as Airflow itself reads them, without a scheduler."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otklik.runtime.airflow import POOLS
from otklik.settings import PROJECT
from otklik.sources.systems import NETWORKS, SURVEY_SYSTEMS

# Importing any of these in a DAG file would slow every parse and every task.
HEAVY = ("polars", "pandas", "pyarrow", "great_expectations", "dbt", "psycopg", "dataframely", "alembic")

NAMES = ("incidents", "lists", "pages", "surveys", "open311", "complaints", "retention", "marts", "alerts")

LOAD = """
import json, sys, time
from datetime import timedelta
from importlib import import_module

import airflow.sdk

sys.path.insert(0, {folder!r})
seconds, modules = dict(), dict()
for name in {names!r}:
    started = time.process_time()
    modules[name] = import_module(name)
    seconds[name] = time.process_time() - started
heavy = sorted({heavy!r} & sys.modules.keys())

from airflow.serialization.serialized_objects import DagSerialization

facts = dict(heavy=heavy, seconds=seconds, dags=dict())
for name, module in modules.items():
    dag = getattr(module, name)()
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    told = facts["dags"][dag.dag_id] = dict(
        doc=dag.doc_md, catchup=dag.catchup, max_active_runs=dag.max_active_runs, tags=sorted(dag.tags),
        tasks={{task.task_id: dict(
            downstream=sorted(task.downstream_task_ids), rule=str(task.trigger_rule.value), pool=task.pool,
            mapped=task.is_mapped, retries=task.retries, backoff=task.retry_exponential_backoff,
            outlets=[asset.uri for asset in task.outlets or []]) for task in dag.tasks}},
        assets=[asset.uri for asset in dag.timetable.asset_condition.objects] if name == "marts" else [],
    )
    if stored.end_date:
        nights = stored.iter_dagrun_infos_between(None, stored.end_date + timedelta(days=2))
        told["nights"] = [
            [info.data_interval.start.isoformat(), info.data_interval.end.isoformat()] for info in nights
            if info.logical_date <= stored.end_date
        ]
        told["ends"] = stored.end_date.isoformat()
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of the DAG files, told by a process that imports nothing else."""
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "PYTHONPATH": str(PROJECT),
        "OTKLIK_TIME_ZONE": "Asia/Yekaterinburg",
        "OTKLIK_FIRST_NIGHT": "2022-12-29",
        "OTKLIK_LAST_NIGHT": "2022-12-31",
    }
    program = LOAD.format(folder=str(Path(PROJECT) / "dags"), heavy=set(HEAVY), names=NAMES)
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_file_of_timetables_is_looked_at_here() -> None:
    shared = {"assets", "inbox", "timetable"}
    assert {path.stem for path in (Path(PROJECT) / "dags").glob("*.py")} - shared == set(NAMES)


def test_a_timetable_imports_nothing_heavy(facts: dict[str, Any]) -> None:
    assert facts["heavy"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_timetable_is_read_within_a_second(facts: dict[str, Any], name: str) -> None:
    # Beyond what Airflow's own library takes, in seconds of the processor.
    assert facts["seconds"][name] < 1


@pytest.mark.parametrize("name", ["incidents", "surveys", "open311"])
def test_a_night_is_a_local_day(facts: dict[str, Any], name: str) -> None:
    dag = facts["dags"][name]
    # Midnight in Yekaterinburg is 19:00 UTC of the day before.
    assert dag["nights"][0] == ["2022-12-28T19:00:00+00:00", "2022-12-29T19:00:00+00:00"]
    assert dag["nights"][-1] == ["2022-12-30T19:00:00+00:00", "2022-12-31T19:00:00+00:00"]
    assert dag["ends"] == "2022-12-30T19:00:00+00:00"
    assert follow_one_another(dag["nights"])


@pytest.mark.parametrize(("name", "hour"), [("pages", "18:00"), ("lists", "17:00")])
def test_an_evening_ends_within_the_day_it_belongs_to(facts: dict[str, Any], name: str, hour: str) -> None:
    # 23:00 and 22:00 in Yekaterinburg; the evenings are those of the same days as the nights.
    nights = facts["dags"][name]["nights"]
    assert nights == [[f"2022-12-{day - 1}T{hour}:00+00:00", f"2022-12-{day}T{hour}:00+00:00"] for day in (29, 30, 31)]


def test_complaints_are_read_every_hour_while_telegram_keeps_them(facts: dict[str, Any]) -> None:
    hours = facts["dags"]["complaints"]["nights"]
    assert hours[0] == ["2022-12-29T17:00:00+00:00", "2022-12-29T18:00:00+00:00"]
    assert hours[-1] == ["2022-12-31T18:00:00+00:00", "2022-12-31T19:00:00+00:00"]
    assert follow_one_another(hours)


def follow_one_another(nights: list[list[str]]) -> bool:
    return [start for start, _ in nights[1:]] == [end for _, end in nights[:-1]]


def test_missed_nights_are_run_one_at_a_time(facts: dict[str, Any]) -> None:
    for name in set(NAMES) - {"marts", "alerts"}:
        assert (facts["dags"][name]["catchup"], facts["dags"][name]["max_active_runs"]) == (True, 1)
    assert facts["dags"]["marts"]["max_active_runs"] == 1


def test_nights_gone_by_are_not_told_of_one_after_the_other(facts: dict[str, Any]) -> None:
    assert (facts["dags"]["alerts"]["catchup"], facts["dags"]["alerts"]["max_active_runs"]) == (False, 1)


def test_no_way_of_telling_waits_for_another(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["alerts"]["tasks"]
    assert {name: task["downstream"] for name, task in tasks.items()} == {"mail": [], "webhook": []}


def test_marts_follow_the_rows_that_came(facts: dict[str, Any]) -> None:
    told = {
        (name, task_id): task["outlets"]
        for name, dag in facts["dags"].items()
        for task_id, task in dag["tasks"].items()
        if task["outlets"]
    }
    assert told == {
        ("incidents", "night_is_in"): ["otklik://raw/incident"],
        ("open311", "pull"): ["otklik://raw/incident"],
        ("pages", "rows_came"): ["otklik://raw/page_snapshot"],
        ("surveys", "rows_came"): ["otklik://raw/survey_response"],
    }
    assert facts["dags"]["marts"]["assets"] == sorted({uri for uris in told.values() for uri in uris})


def test_what_was_built_is_checked_before_people_see_it(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["marts"]["tasks"]
    assert tasks["build"]["downstream"] == ["model"]
    assert tasks["check"]["downstream"] == ["publish"]
    assert [name for name, task in tasks.items() if "publish" in task["downstream"]] == ["check"]
    # It is told of a night that is not published, too, whatever failed.
    assert tasks["publish"]["rule"] == "all_done"


def test_one_bad_file_stops_neither_the_others_nor_the_marts(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["incidents"]["tasks"]
    assert (tasks["load"]["mapped"], tasks["load"]["pool"]) == (True, "files")
    assert tasks["load"]["downstream"] == ["all_files_loaded", "night_is_in"]
    assert tasks["night_is_in"]["rule"] == "all_done_min_one_success"
    assert (tasks["all_files_loaded"]["rule"], tasks["all_files_loaded"]["downstream"]) == ("all_done", [])


def test_a_failed_model_makes_the_run_red(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["marts"]["tasks"]
    assert tasks["model"]["mapped"]
    assert tasks["model"]["downstream"] == ["check"]
    # A skipped model beside a failed one would otherwise let the checks be skipped, and the run be green.
    assert tasks["check"]["rule"] == "none_failed"
    # And what ends the run goes on from a publication only.
    [last] = [name for name, task in tasks.items() if not task["downstream"]]
    assert (last, tasks[last]["rule"], tasks["publish_docs"]["rule"]) == (
        "source_freshness",
        "all_success",
        "all_success",
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_to_do_when_a_task_of_it_fails(facts: dict[str, Any], name: str) -> None:
    dag = facts["dags"][name]
    assert "**What.**" in dag["doc"]
    assert "**When it fails**" in dag["doc"]
    missing = {_documented(task) for task in dag["tasks"]} - set(re.findall(r"- `([^`]+)`", dag["doc"]))
    # These wait, or hand on what others have done.
    assert missing <= {"exports_are_written", "rows_came", "night_is_in", "publish_docs"}


def _documented(task: str) -> str:
    """Return the name under which the documentation tells of a task."""
    for kind, names in (("<network>", NETWORKS), ("<system>", SURVEY_SYSTEMS)):
        for name in names:
            if task.startswith(f"{name}_"):
                return f"{kind}_{task.removeprefix(f'{name}_')}"
    return task


@pytest.mark.parametrize(("name", "systems"), [("pages", NETWORKS), ("surveys", SURVEY_SYSTEMS)])
def test_the_failure_of_one_system_does_not_stop_the_others(
    facts: dict[str, Any], name: str, systems: tuple[str, ...]
) -> None:
    tasks = facts["dags"][name]["tasks"]
    for system in systems:
        own = {task for task in tasks if task.startswith(f"{system}_")}
        assert len(own) >= 2
        assert {below for task in own for below in tasks[task]["downstream"]} <= own | {"rows_came"}
    others = {task for task in tasks if not any(task.startswith(f"{system}_") for system in systems)}
    assert others == {"rows_came"}
    # What the others brought is told of, whichever failed.
    assert tasks["rows_came"]["rule"] == "all_done_min_one_success"


def test_every_pool_that_a_task_names_is_made_by_the_runtime(facts: dict[str, Any]) -> None:
    pools = {task["pool"] for dag in facts["dags"].values() for task in dag["tasks"].values()}
    assert pools - {"default_pool"} <= POOLS.keys()


@pytest.mark.parametrize(
    ("dag", "task", "pool"),
    [
        *(("pages", f"{name}_pages", name) for name in NETWORKS),
        *(("surveys", f"{name}_surveys", name) for name in SURVEY_SYSTEMS),
        ("open311", "pull", "open311"),
        ("complaints", "pull", "telegram_channel"),
    ],
)
def test_a_system_is_asked_by_one_task_at_a_time(facts: dict[str, Any], dag: str, task: str, pool: str) -> None:
    assert facts["dags"][dag]["tasks"][task]["pool"] == pool
    assert POOLS[pool][0] == 1


@pytest.mark.parametrize("name", NAMES)
def test_what_may_pass_by_itself_is_tried_again_ever_more_slowly(facts: dict[str, Any], name: str) -> None:
    tasks = facts["dags"][name]["tasks"]
    # What only tells that others have failed is not tried again.
    assert {task for task in tasks if not tasks[task]["retries"]} <= {
        "all_files_loaded",
        *(f"{system}_all_read" for system in SURVEY_SYSTEMS),
    }
    assert {task["backoff"] for task in tasks.values() if task["retries"]} == {2}
