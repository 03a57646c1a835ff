"""Nightly: what residents said is erased when it is too old to be kept."""

from airflow.sdk import dag, task
from timetable import PATIENCE, daily, night_of


@task
def retire(data_interval_start=None, data_interval_end=None) -> None:
    """Erase texts, names and links that are older than OTKLIK_TEXT_RETENTION_DAYS at the end of the night."""
    from otklik import retention

    settings, night = night_of(data_interval_start, data_interval_end)
    print(retention.retire(settings, night.end))


@dag(
    # When the night's loads are over: it keeps them waiting.
    **daily(4),
    default_args=PATIENCE,
    tags=["raw", "nightly"],
)
def retention():
    """
    **What.** Erases what residents said once it is older than OTKLIK_TEXT_RETENTION_DAYS: texts, names, ids and links
    of messages by the day they were received; open answers of surveys, refused rows and landed files by the night they
    came with. The keyed hash of the author stays, so that figures stay as they are. What was done is kept in
    `quality.retention`.

    **When it fails** nothing was erased, and the next night does it.

    - `retire`: the warehouse does not answer, or a landed file cannot be deleted; its log names it. Mend that and clear
      the task.
    """
    retire()


retention()
