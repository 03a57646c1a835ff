"""Nightly: the incident files of one local day, from the inbox into `raw`."""

import os
from datetime import datetime, timedelta

from airflow.sdk import (
    Asset,
    CronDataIntervalTimetable,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    TriggerRule,
    dag,
    task,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from pendulum import timezone

from otklik.errors import OtklikError

ZONE = timezone(os.environ.get("OTKLIK_TIME_ZONE") or "Asia/Yekaterinburg")
RAW_INCIDENT = Asset(name="raw.incident", uri="otklik://raw/incident")
# Sources write out their day in the first half hour after midnight.
TIME_TO_EXPORT = timedelta(minutes=30)
FIRST_NIGHT = os.environ["OTKLIK_FIRST_NIGHT"]
LAST_NIGHT = os.environ.get("OTKLIK_LAST_NIGHT")


@task.sensor(mode="reschedule", poke_interval=60, timeout=2 * TIME_TO_EXPORT.total_seconds())
def exports_are_written(data_interval_end=None) -> bool:
    """Wait until the sources have had time to write out the day."""
    return datetime.now(ZONE) >= data_interval_end + TIME_TO_EXPORT


@task
def files_of_the_night(data_interval_start=None, data_interval_end=None) -> list[dict[str, str]]:
    """List the files in the inbox that belong to the night; none is a warning."""
    from otklik.night import pending_files

    settings, night = _night(data_interval_start, data_interval_end)
    files = [{"name": file.name, **file.as_dict()} for file in pending_files(night, settings)]
    if not files:
        print(f"WARNING: no incident files for {night.start:%d.%m.%Y} in {settings.inbox}")
    return files


@task(map_index_template="{{ task.op_kwargs['file']['name'] }}", pool="files")
def load(file: dict[str, str], data_interval_start=None, data_interval_end=None) -> dict[str, str | int]:
    """Load one file: every row is loaded, rejected with its reasons, or unchanged."""
    from otklik.night import PendingFile, load_pending

    settings, night = _night(data_interval_start, data_interval_end)
    reports = load_pending(PendingFile(file["mapping"], file["path"]), night, settings)
    for report in reports:
        print(
            f"{report.file_name}: {report.rows_read} read = {report.rows_loaded} loaded"
            f" + {report.rows_rejected} rejected + {report.rows_unchanged} unchanged (batch {report.batch_id})"
        )
    return {"path": file["path"], "rows_loaded": sum(report.rows_loaded for report in reports)}


@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
def check_raw(loads: list[dict[str, str | int]]) -> int:
    """Run the suite `raw`, unless no file could be loaded at all; hand on how many rows came."""
    from otklik.checks import run_suite
    from otklik.settings import get_settings

    run_suite("raw", get_settings())
    return sum(load["rows_loaded"] for load in loads)


@task(outlets=[RAW_INCIDENT])
def rows_came(count: int) -> None:
    """Tell the `marts` DAG that rows came."""
    if not count:
        raise AirflowSkipException("No row was loaded: marts have nothing to do")


@task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
def all_files_loaded(files: list[dict[str, str]] | None, loads: list[dict[str, str | int]]) -> None:
    """Make the run red, naming the files, when any could not be loaded."""
    if files is None:
        raise AirflowFailException("The files of the night were not listed: see files_of_the_night")
    loaded = {load["path"] for load in loads}
    if failed := [file["path"] for file in files if file["path"] not in loaded]:
        raise AirflowFailException("Not loaded, for the reasons in the log of load: " + ", ".join(failed))


def _night(start: datetime, end: datetime):
    from otklik.interval import Interval
    from otklik.settings import get_settings

    settings = get_settings()
    return settings, Interval(start.astimezone(settings.zone), end.astimezone(settings.zone))


@dag(
    # Every midnight of the region, for the local day that has just ended. Nights missed while the scheduler
    # was down run afterwards, in order, one at a time.
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone=ZONE),
    start_date=datetime.fromisoformat(FIRST_NIGHT).replace(tzinfo=ZONE),
    end_date=datetime.fromisoformat(LAST_NIGHT).replace(tzinfo=ZONE) if LAST_NIGHT else None,
    catchup=True,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2,
        # What its reader must mend (a broken file, a failed check) is not mended by waiting.
        "retry_policy": ExceptionRetryPolicy([RetryRule(OtklikError, RetryAction.FAIL)]),
    },
    tags=["raw", "nightly"],
)
def incidents():
    """
    **What.** Loads the incident files of one local day from the inbox into `raw.incident`, checks `raw`, and
    tells the `marts` DAG that rows came. Every row of a file is loaded, rejected with its reasons, or unchanged.

    **When it fails**

    - `load`: that file could not be read; its log names the row and column and says what to do. Other files were
      loaded. Put the corrected file into the inbox and clear `load` of this run (with downstream).
    - `check_raw`: a critical expectation on `raw` failed; its log and the quality reports name it. Marts keep
      showing what they showed. Mend the cause, then clear `check_raw` (with downstream).
    - `all_files_loaded`: names the files that failed; nothing to do here but at `load`.
    - `files_of_the_night`: a mapping or a setting is wrong, or the warehouse does not answer.
    - No files came: the run is green and its log warns. If files were due, put them into the inbox and run the
      night again.

    **Run nights again, or fill in the past** (any dates, also before the first night; dates are local days, and the
    result is the same as if each had run in its night):

    `otklik airflow backfill create --dag-id incidents --from-date 2022-03-01 --to-date 2022-03-31
    --reprocess-behavior completed --max-active-runs 1`
    """
    files = files_of_the_night()
    loads = load.expand(file=files)
    exports_are_written() >> files
    rows_came(check_raw(loads))
    all_files_loaded(files, loads)


incidents()
