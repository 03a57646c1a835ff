"""Wait for the real scheduler to run the night and the marts after it, telling each task as it ends."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx

from otklik.runtime.steps import Steps
from otklik.settings import Settings

_DONE = ("success", "failed")
_PAUSE = 1.0
# Far longer than a night takes: only a scheduler that does nothing at all runs into it.
_PATIENCE = 900.0


class NightError(Exception):
    """The night did not end well; the message says which task and where its log is."""


def watch_night(settings: Settings, steps: Steps) -> None:
    """Wait until every timetable has run its night to the end; raise NightError when one fails."""
    with _api(settings) as api:
        # The marts last: they follow what the others brought.
        for dag in ("incidents", "pages", "surveys", "complaints", "marts"):
            with steps.step(f"Scheduler runs {dag}") as step:
                run = _finished(api, dag)
                tasks = list(_tasks(api, dag, run))
                if run["state"] != "success":
                    failed = ", ".join(_name(task) for task in tasks if task["state"] == "failed")
                    log = settings.var / "log" / "airflow" / f"dag_id={dag}" / f"run_id={run['dag_run_id']}"
                    raise NightError(f"{dag}: {failed or 'no task'} failed; its log is under {log}")
                step.note(f"{len(tasks)} tasks, {_seconds(run):.0f} s by its own clock")


def _api(settings: Settings) -> httpx.Client:
    base = f"http://127.0.0.1:{settings.airflow_port}"
    login = {"username": "engineer", "password": settings.airflow_engineer_login_password}
    token = httpx.post(f"{base}/auth/token", json=login, timeout=30).raise_for_status().json()["access_token"]
    return httpx.Client(base_url=f"{base}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _finished(api: httpx.Client, dag: str) -> dict[str, Any]:
    """Return the newest run of the DAG when it has ended and nothing waits for a next one."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        answer = api.get(f"/dags/{dag}/dagRuns", params={"order_by": "-run_after", "limit": 1})
        # Until the DAG has been read there is no such thing.
        runs = answer.json()["dag_runs"] if answer.is_success else []
        if runs and runs[0]["state"] in _DONE and not _something_waits(api, dag):
            return dict(runs[0])
        time.sleep(_PAUSE)
    raise NightError(f"{dag}: no run has ended in {_PATIENCE / 60:.0f} minutes; see `otklik status` and var/log")


def _something_waits(api: httpx.Client, dag: str) -> bool:
    """Return whether rows came that no run of the DAG has been made for yet."""
    answer = api.get(f"/dags/{dag}/assets/queuedEvents")
    return bool(answer.raise_for_status().json()["total_entries"])


def _tasks(api: httpx.Client, dag: str, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    answer = api.get(f"/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances", params={"limit": 200})
    yield from answer.raise_for_status().json()["task_instances"]


def _name(task: dict[str, Any]) -> str:
    return str(task["rendered_map_index"] or task["task_id"])


def _seconds(run: dict[str, Any]) -> float:
    started, ended = (datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    return (ended - started).total_seconds()
