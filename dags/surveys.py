"""Nightly: new and edited responses of the surveys in LimeSurvey, Yandex Forms and KoboToolbox."""

from airflow.sdk import TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from assets import RAW_SURVEY_RESPONSE
from timetable import PATIENCE, daily, night_of, outside

SYSTEMS = ("limesurvey", "yandex_forms", "kobo")


@task
def parts(system: str, data_interval_start=None, data_interval_end=None) -> list[dict]:
    """List the surveys of the register that this night asks about, in parts."""
    from otklik.pulls import survey_parts

    settings, night = night_of(data_interval_start, data_interval_end)
    return [part.as_dict() for part in survey_parts(system, outside(system), night, settings)]


@task(map_index_template="{{ task.op_kwargs['part']['name'] }}")
def pull(system: str, part: dict, data_interval_start=None, data_interval_end=None) -> dict:
    """Read one part of the surveys; one that fails does not stop the others."""
    from otklik.pulls import Part, pull_surveys, summary

    settings, night = night_of(data_interval_start, data_interval_end)
    told = pull_surveys(system, Part.of_dict(part), outside(system), night, settings)
    print(summary(told))
    return {
        "number": part["number"],
        "rows_loaded": sum(report.rows_loaded for each in told for report in each.reports),
        "troubles": [trouble for each in told for trouble in each.troubles],
    }


@task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
def all_read(found: list[dict] | None, results: list[dict]) -> None:
    """Make the run red, naming the surveys, when any could not be read."""
    if found is None or len(list(results)) < len(found):
        raise AirflowFailException("Not every part was read: the logs of the tasks before this one say why")
    if troubles := [trouble for result in results for trouble in result["troubles"]]:
        raise AirflowFailException("Not read: " + "; ".join(troubles))


# Once, when all systems are done: a build of the marts for each part would tell readers nothing sooner.
@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS, outlets=[RAW_SURVEY_RESPONSE])
def rows_came(results: list[list[dict] | None]) -> None:
    """Tell the `marts` DAG that rows came, if any survey has something new."""
    if not any(result["rows_loaded"] for of_parts in results if of_parts for result in of_parts):
        raise AirflowSkipException("No survey has anything new: marts have nothing to do")


@dag(
    # Every midnight of the region, for the local day that has just ended.
    **daily(0),
    default_args=PATIENCE,
    tags=["raw", "nightly"],
)
def surveys():
    """
    **What.** Reads the surveys of the register (`raw.survey`) that are open, closed within a month, or never read:
    questions, ready answers, responses, answers. An edit at the source becomes a new version, a deletion a version
    that says so.

    **When it fails**

    - `<system>_parts`: the system refuses the password or token, or there is no connection of that name while the
      register has surveys there. Mend the connection, then clear the task (with downstream).
    - `<system>_surveys`: the system does not answer. Clear the task later; what had been read is not read twice.
    - `<system>_all_read`: names each survey that could not be read and why; all others were loaded.

    **Run it again:** clear the run. What has been loaded stays; unchanged responses change nothing.
    """
    results = []
    for system in SYSTEMS:
        found = parts.override(task_id=f"{system}_parts")(system)
        read = pull.override(task_id=f"{system}_surveys", pool=system).partial(system=system).expand(part=found)
        all_read.override(task_id=f"{system}_all_read")(found, read)
        results.append(read)
    rows_came(results)


surveys()
