"""Which runs of Airflow have failed, as its public API tells."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from otklik.errors import SourceError
from otklik.settings import Settings

# The DAG that tells: when it fails there is nobody to tell.
TELLER = "alerts"
# What failed earlier is the past.
_RECENT = timedelta(days=1)


@dataclass(frozen=True)
class FailedRun:
    """A run of a DAG that has failed, and the tasks of it that did."""

    kind: ClassVar[str] = "failed_run"
    dag: str
    run_id: str
    night: date
    started_at: datetime
    ended_at: datetime
    tasks: tuple[str, ...]

    @property
    def what(self) -> str:
        """What makes it the same news: a run that is cleared and fails again is none."""
        return f"{self.dag}/{self.run_id}"

    @property
    def about(self) -> str:
        """What is told of together: the runs of a DAG, of which a backfill has many."""
        return self.dag

    def decided(self, moment: datetime) -> bool:
        """Whether it is the run in which it was decided at that moment what people see."""
        return self.dag == "marts" and self.started_at <= moment <= self.ended_at


def failed_runs(address: str, settings: Settings, now: datetime) -> list[FailedRun]:
    """Return the runs that failed in the last day, but for those that failed as the run before them that day did.

    `address` is that of Airflow's API server. Raises SourceError when it does not answer.
    """
    login = {"username": "auditor", "password": settings.airflow_auditor_login_password}
    try:
        with httpx.Client(base_url=address, timeout=30, trust_env=False) as api:
            token = api.post("/auth/token", json=login).raise_for_status().json()["access_token"]
            api.headers["Authorization"] = f"Bearer {token}"
            since = {"end_date_gte": (now - _RECENT).isoformat(), "limit": 100, "order_by": "-run_after"}
            failed = _get(api, "dags/~/dagRuns", state="failed", **since)["dag_runs"]
            return [
                _failed_run(api, run, settings.zone)
                for dag in sorted({run["dag_id"] for run in failed} - {TELLER})
                for run in _first_of_each_trouble(
                    _get(api, f"dags/{dag}/dagRuns", state=["failed", "success"], **since)["dag_runs"], settings.zone
                )
            ]
    except httpx.HTTPError as error:
        raise SourceError(f"Airflow does not tell which runs failed: {error}. See `otklik status`") from None


def _first_of_each_trouble(runs: Iterable[dict[str, Any]], zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Yield the failed runs, of those that fail hour after hour in one night only the first; runs come newest first."""
    before: dict[str, Any] | None = None
    for run in reversed(list(runs)):
        goes_on = before and before["state"] == "failed" and _night(before, zone) == _night(run, zone)
        if run["state"] == "failed" and not goes_on:
            yield run
        before = run


def _failed_run(api: httpx.Client, run: dict[str, Any], zone: ZoneInfo) -> FailedRun:
    of_run = f"dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}/taskInstances"
    tasks = _get(api, of_run, state="failed", limit=100)["task_instances"]
    return FailedRun(
        dag=run["dag_id"],
        run_id=run["dag_run_id"],
        night=_night(run, zone),
        started_at=datetime.fromisoformat(run["start_date"] or run["run_after"]),
        ended_at=datetime.fromisoformat(run["end_date"]),
        # By its name only: what it was given may be the name of a file.
        tasks=tuple(dict.fromkeys(task["task_id"] for task in tasks)),
    )


def _night(run: dict[str, Any], zone: ZoneInfo) -> date:
    """Return the local day that ended with the interval of a run; of a run without one, the day it ran."""
    if run["run_type"] == "asset_triggered" or not run["data_interval_end"]:
        return datetime.fromisoformat(run["run_after"]).astimezone(zone).date()
    end = datetime.fromisoformat(run["data_interval_end"]).astimezone(zone)
    return (end - timedelta(microseconds=1)).date()


def _get(api: httpx.Client, path: str, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"/api/v2/{path}", params=parameters).raise_for_status().json()
    return answer
