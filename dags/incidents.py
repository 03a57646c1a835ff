"""Nightly: the incident files of one local day, from the inbox into `raw`."""

from datetime import datetime, timedelta

from airflow.sdk import TriggerRule, dag, task
from assets import RAW_INCIDENT
from inbox import all_files_loaded, files_of_the_night, load
from timetable import FIRST_OF_ALL, ZONE, daily

# Sources write out their day in the first half hour after midnight.
TIME_TO_EXPORT = timedelta(minutes=30)


@task.sensor(mode="reschedule", poke_interval=60, timeout=2 * TIME_TO_EXPORT.total_seconds())
def exports_are_written(data_interval_end=None) -> bool:
    """Wait until the sources have had time to write out the day."""
    return datetime.now(ZONE) >= data_interval_end + TIME_TO_EXPORT


@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS, outlets=[RAW_INCIDENT])
def night_is_in(files: list[dict[str, str]], loads: list[dict[str, str | int]]) -> None:
    """Tell the `marts` DAG that the night is in; a night without rows is for its checks to warn of."""
    loaded = sum(int(load["rows_loaded"]) for load in loads or ())
    print(f"{len(files)} files, {loaded} rows loaded" if loaded else "WARNING: the night brought no row")


@dag(
    # Every midnight of the region, for the local day that has just ended.
    **daily(0),
    default_args=FIRST_OF_ALL,
    tags=["raw", "nightly"],
)
def incidents():
    """
    **What.** Loads the incident files of one local day from the inbox into `raw.incident` and tells the `marts` DAG
    that the night is in. Every row of a file is loaded, rejected with its reasons, or unchanged.

    **When it fails**

    - `load`: that file could not be read; its log names the row and column and says what to do. Other files were
      loaded. Put the corrected file into the inbox and clear `load` of this run (with downstream).
    - `all_files_loaded`: names the files that failed; nothing to do here but at `load`.
    - `files_of_the_night`: a mapping or a setting is wrong, or the warehouse does not answer.
    - No files came: the run is green, its log warns, and so do the checks of the night and the dashboards. If files
      were due, put them into the inbox and run the night again.

    **Run nights again, or fill in the past** (any dates, also before the first night; dates are local days, and the
    result is the same as if each had run in its night):

    `otklik airflow backfill create --dag-id incidents --from-date 2022-03-01 --to-date 2022-03-31
    --reprocess-behavior completed --max-active-runs 1`
    """
    files = files_of_the_night(incidents=True)
    loads = load.expand(file=files)
    exports_are_written() >> files
    night_is_in(files, loads)
    all_files_loaded(files, loads)


incidents()
