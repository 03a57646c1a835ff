"""Hourly: what residents have written in the centre's complaint channel on Telegram."""

from airflow.sdk import CronDataIntervalTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException
from timetable import FIRST_NIGHT, LAST_NIGHT, PATIENCE, ZONE, night_of, outside


@task(pool="telegram_channel")
def pull(data_interval_start=None, data_interval_end=None) -> None:
    """Read and load the posts; without a connection `telegram_channel` there is nothing to do."""
    from otklik.pulls import pull_channel, summary

    connection = outside("telegram_channel")
    if connection is None:
        raise AirflowSkipException("There is no connection telegram_channel: this centre has no such channel")
    settings, hour = night_of(data_interval_start, data_interval_end)
    print(summary(pull_channel(connection, hour, settings)))


@dag(
    # Every hour, because Telegram keeps what its bots have not read for 24 hours only. Of hours missed the first run
    # reads all that waits; the others find nothing and end at once.
    schedule=CronDataIntervalTimetable("0 * * * *", timezone=ZONE),
    start_date=FIRST_NIGHT.replace(hour=22),
    end_date=LAST_NIGHT and LAST_NIGHT.replace(hour=23),
    catchup=True,
    max_active_runs=1,
    default_args=PATIENCE,
    tags=["raw", "hourly"],
)
def complaints():
    """
    **What.** Takes in the posts of the channel that the connection `telegram_channel` names, as messages of a channel
    of their own. A post lands before Telegram is told that it was received, so none is lost. The marts take them in
    with the night.

    **When it fails**

    - `pull`: its log names the connection and says what to do. Mend it within 24 hours, or export the channel's
      history by Telegram Desktop and load the file.
    """
    pull()


complaints()
