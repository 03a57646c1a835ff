"""Tasks of every timetable that takes files from the inbox."""

from airflow.sdk import TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException
from timetable import night_of


@task
def files_of_the_night(incidents: bool, data_interval_start=None, data_interval_end=None) -> list[dict[str, str]]:
    """List the files in the inbox that belong to the night; of incidents, none is a warning."""
    from otklik.night import note_night, pending_files

    settings, night = night_of(data_interval_start, data_interval_end)
    files = pending_files(night, settings, incidents=incidents)
    for source in note_night(night, settings, files) if incidents else ():
        print(f"WARNING: no incident files of {source} for {night.start:%d.%m.%Y} in {settings.inbox}")
    return [{"name": file.name, **file.as_dict()} for file in files]


@task(map_index_template="{{ task.op_kwargs['file']['name'] }}", pool="files")
def load(file: dict[str, str], data_interval_start=None, data_interval_end=None) -> dict[str, str | int]:
    """Load one file: every row is loaded, rejected with its reasons, or unchanged."""
    from otklik.night import PendingFile, load_pending

    settings, night = night_of(data_interval_start, data_interval_end)
    reports = load_pending(PendingFile(file["mapping"], file["path"]), night, settings)
    for report in reports:
        print(
            f"{report.file_name}: {report.rows_read} read = {report.rows_loaded} loaded"
            f" + {report.rows_rejected} rejected + {report.rows_unchanged} unchanged (batch {report.batch_id})"
        )
    return {"path": file["path"], "rows_loaded": sum(report.rows_loaded for report in reports)}


@task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
def all_files_loaded(files: list[dict[str, str]] | None, loads: list[dict[str, str | int]]) -> None:
    """Make the run red, naming the files, when any could not be loaded."""
    if files is None:
        raise AirflowFailException("The files of the night were not listed: see files_of_the_night")
    loaded = {load["path"] for load in loads}
    if failed := [file["path"] for file in files if file["path"] not in loaded]:
        raise AirflowFailException("Not loaded, for the reasons in the log of load: " + ", ".join(failed))
