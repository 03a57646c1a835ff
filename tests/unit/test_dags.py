"""The timetables, as Airflow itself reads them, without a scheduler."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otklik.settings import PROJECT

# Importing any of these in a DAG file would slow every parse and every task.
HEAVY = ("polars", "pandas", "pyarrow", "great_expectations", "dbt", "psycopg", "dataframely", "alembic")

LOAD = """
import json, sys
from datetime import datetime, timezone

sys.path.insert(0, {folder!r})
import incidents, marts
heavy = sorted({heavy!r} & sys.modules.keys())

from airflow.serialization.serialized_objects import DagSerialization

facts = dict(heavy=heavy, dags=dict())
for module in (incidents, marts):
    dag = getattr(module, module.__name__)()
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    facts["dags"][dag.dag_id] = dict(
        doc=dag.doc_md, catchup=dag.catchup, max_active_runs=dag.max_active_runs, tags=sorted(dag.tags),
        tasks={{task.task_id: dict(
            downstream=sorted(task.downstream_task_ids), rule=str(task.trigger_rule.value), pool=task.pool,
            mapped=task.is_mapped, retries=task.retries, backoff=task.retry_exponential_backoff,
            outlets=[asset.uri for asset in task.outlets or []]) for task in dag.tasks}},
        assets=[asset.uri for asset in dag.timetable.asset_condition.objects] if dag.dag_id == "marts" else [],
    )
    if dag.dag_id == "incidents":
        nights = stored.iter_dagrun_infos_between(None, datetime(2030, 1, 1, tzinfo=timezone.utc))
        facts["nights"] = [
            [info.data_interval.start.isoformat(), info.data_interval.end.isoformat()] for info in nights
        ]
        facts["ends"] = stored.end_date.isoformat()
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
    program = LOAD.format(folder=str(Path(PROJECT) / "dags"), heavy=set(HEAVY))
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_timetable_imports_nothing_heavy(facts: dict[str, Any]) -> None:
    assert facts["heavy"] == []


def test_a_night_is_a_local_day(facts: dict[str, Any]) -> None:
    # Midnight in Yekaterinburg is 19:00 UTC of the day before.
    assert facts["nights"][0] == ["2022-12-28T19:00:00+00:00", "2022-12-29T19:00:00+00:00"]
    assert facts["ends"] == "2022-12-30T19:00:00+00:00"
    ends, starts = [end for _, end in facts["nights"]], [start for start, _ in facts["nights"]]
    assert starts[1:] == ends[:-1]


def test_missed_nights_are_run_one_at_a_time(facts: dict[str, Any]) -> None:
    incidents = facts["dags"]["incidents"]
    assert (incidents["catchup"], incidents["max_active_runs"]) == (True, 1)
    assert facts["dags"]["marts"]["max_active_runs"] == 1


def test_marts_follow_the_rows_that_came(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["incidents"]["tasks"]
    told = {name: task["outlets"] for name, task in tasks.items() if task["outlets"]}
    assert told == {"rows_came": ["otklik://raw/incident"]}
    assert facts["dags"]["marts"]["assets"] == ["otklik://raw/incident"]
    # A critical failure on raw keeps marts as they are: nothing but the check leads to rows_came.
    assert [name for name, task in tasks.items() if "rows_came" in task["downstream"]] == ["check_raw"]
    assert tasks["rows_came"]["rule"] == "all_success"


def test_one_bad_file_stops_neither_the_others_nor_the_check(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["incidents"]["tasks"]
    assert (tasks["load"]["mapped"], tasks["load"]["pool"]) == (True, "files")
    assert tasks["load"]["downstream"] == ["all_files_loaded", "check_raw"]
    assert tasks["check_raw"]["rule"] == "all_done_min_one_success"
    assert (tasks["all_files_loaded"]["rule"], tasks["all_files_loaded"]["downstream"]) == ("all_done", [])


def test_a_failed_model_makes_the_run_red(facts: dict[str, Any]) -> None:
    tasks = facts["dags"]["marts"]["tasks"]
    assert tasks["model"]["mapped"]
    assert tasks["model"]["downstream"] == ["check_marts"]
    # A skipped model beside a failed one would otherwise let the last task be skipped, and the run be green.
    assert (tasks["check_marts"]["rule"], tasks["check_marts"]["downstream"]) == ("none_failed", [])


@pytest.mark.parametrize("name", ["incidents", "marts"])
def test_each_says_what_to_do_when_it_fails(facts: dict[str, Any], name: str) -> None:
    dag = facts["dags"][name]
    assert "**What.**" in dag["doc"]
    assert "**When it fails**" in dag["doc"]
    for task in ("load", "check_raw", "all_files_loaded") if name == "incidents" else ("model", "build", "check_marts"):
        assert f"- `{task}`" in dag["doc"]


@pytest.mark.parametrize("name", ["incidents", "marts"])
def test_what_may_pass_by_itself_is_tried_again_ever_more_slowly(facts: dict[str, Any], name: str) -> None:
    tried = [task for task in facts["dags"][name]["tasks"].values() if task["retries"]]
    assert len(tried) >= 5
    assert {task["backoff"] for task in tried} == {2}
