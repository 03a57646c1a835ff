"""What the timetables share: the region's clock, patience, and the way to an outside system."""

import os
from datetime import datetime, timedelta

from airflow.sdk import Connection, CronDataIntervalTimetable, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowNotFoundException
from pendulum import timezone

from otklik.errors import CredentialsError, OtklikError, SourceError

ZONE = timezone(os.environ.get("OTKLIK_TIME_ZONE") or "Asia/Yekaterinburg")
_LAST_NIGHT = os.environ.get("OTKLIK_LAST_NIGHT")
FIRST_NIGHT = datetime.fromisoformat(os.environ["OTKLIK_FIRST_NIGHT"]).replace(tzinfo=ZONE)
LAST_NIGHT = datetime.fromisoformat(_LAST_NIGHT).replace(tzinfo=ZONE) if _LAST_NIGHT else None

PATIENCE = {
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    # What its reader must mend (a broken file, a refused token, a failed check) is not mended by waiting; a system
    # that does not answer may be.
    "retry_policy": ExceptionRetryPolicy(
        [
            RetryRule(CredentialsError, RetryAction.FAIL),
            RetryRule(SourceError, RetryAction.DEFAULT),
            RetryRule(OtklikError, RetryAction.FAIL),
        ]
    ),
}

# What people wait for in the morning goes before what can be a little late.
FIRST_OF_ALL = PATIENCE | {"priority_weight": 100}


def daily(hour: int) -> dict:
    """Return the options of a DAG that runs at this hour of the region, for the day that ends with it.

    Days missed while the scheduler was down run afterwards, in order, one at a time.
    """
    # A day that ends in the evening begins in the evening before.
    first = (FIRST_NIGHT - timedelta(days=1)).replace(hour=hour) if hour else FIRST_NIGHT
    return {
        "schedule": CronDataIntervalTimetable(f"0 {hour} * * *", timezone=ZONE),
        "start_date": first,
        "end_date": LAST_NIGHT,
        "catchup": True,
        "max_active_runs": 1,
    }


def night_of(start: datetime, end: datetime):
    """Return the settings and a data interval as local time."""
    from otklik.interval import Interval
    from otklik.settings import get_settings

    settings = get_settings()
    # Airflow's moments are pendulum's, which do not add up as those of the standard library do.
    local = [datetime.fromtimestamp(moment.timestamp(), settings.zone) for moment in (start, end)]
    return settings, Interval(*local)


def outside(name: str):
    """Return the Airflow connection of that name as a source takes it, or None where there is none.

    Its host is the whole base address (https://…), or host and port of one; what is in its extra is told as text.
    """
    from otklik.sources.connection import Connection as Outside

    try:
        found = Connection.get(name)
    except AirflowNotFoundException:
        return None
    host = found.host or ""
    port = f":{found.port}" if found.port else ""
    url = host if "://" in host else f"{found.schema or 'https'}://{host}{port}"
    extra = {key: str(value) for key, value in found.extra_dejson.items()}
    return Outside(name, url.rstrip("/"), found.login or None, found.password or None, extra)
