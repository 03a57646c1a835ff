"""Nightly: the requests of an Open311 server that are new or have changed."""

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from assets import RAW_INCIDENT
from timetable import PATIENCE, daily, night_of, outside


@task(pool="open311", outlets=[RAW_INCIDENT])
def pull(data_interval_start=None, data_interval_end=None) -> None:
    """Read and load the requests; without a connection `open311` there is nothing to do."""
    from otklik.pulls import pull_requests, summary

    connection = outside("open311")
    if connection is None:
        raise AirflowSkipException("There is no connection open311: this centre has no such server")
    settings, night = night_of(data_interval_start, data_interval_end)
    told = pull_requests(connection, night, settings)
    print(summary(told))
    if not any(report.rows_loaded for each in told for report in each.reports):
        raise AirflowSkipException("No request is new or changed: marts have nothing to do")


@dag(
    # Every midnight of the region, for the local day that has just ended.
    **daily(0),
    default_args=PATIENCE,
    tags=["raw", "nightly"],
)
def open311():
    """
    **What.** Asks the Open311 server of the connection `open311` for what was updated since the last request we have
    (with a day's overlap), at first for the requests of the night, and loads them as incidents.

    **When it fails**

    - `pull`: its log names the connection and says what to do: a wrong address or key, a server that cuts its answers,
      a region that is not known yet. Mend it and clear the task.

    **Fill in the past:** a backfill of any dates asks for the requests of those days.
    """
    pull()


open311()
