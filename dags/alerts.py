"""Every quarter of an hour: who is told of what has come up, has failed, or is late."""

import os
from functools import partial

from airflow.sdk import Connection, CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException, AirflowSkipException
from timetable import FIRST_NIGHT, PATIENCE, ZONE

from otklik.errors import CredentialsError, SourceError


def tell(way: str, notifier_of_one) -> None:
    """Send by this way what was not told by it yet, one message after the other."""
    from datetime import UTC, datetime

    from otklik.settings import get_settings
    from otklik.telling.news import news
    from otklik.telling.once import tell
    from otklik.telling.runs import failed_runs

    def send(message) -> None:
        # A notifier takes its texts for templates, which what a source wrote must not become, and fills each in once.
        try:
            notifier_of_one()({"told": message})
        # Those of smtplib and requests are errors of the system, too.
        except (AirflowException, OSError) as error:
            raise SourceError(
                f"«{message.title}» was not sent: {error}. Check the connection {way}; it is sent when this runs again"
            ) from error

    settings, now = get_settings(), datetime.now(UTC)
    api = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].removesuffix("/execution/")
    for message in tell(news(settings, failed_runs(api, settings, now), now), way, send, settings):
        print(message.title)


def has_connection(name: str) -> bool:
    """Return whether Airflow has a connection of that name."""
    try:
        Connection.get(name)
    except AirflowNotFoundException:
        return False
    return True


@task
def mail() -> None:
    """Tell those of OTKLIK_ALERTS_MAIL_TO; without an address there is nobody to tell."""
    from otklik.settings import get_settings

    settings = get_settings()
    if not settings.alerts_mail_to:
        raise AirflowSkipException("OTKLIK_ALERTS_MAIL_TO is not set: nobody is told by mail")
    if not settings.alerts_mail_from or not has_connection("mail"):
        raise CredentialsError(
            "OTKLIK_ALERTS_MAIL_TO is set, so OTKLIK_ALERTS_MAIL_FROM and the connection mail are needed, too:"
            " see Alerts in docs/engineers.md"
        )
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    tell(
        "mail",
        partial(
            SmtpNotifier,
            smtp_conn_id="mail",
            from_email=settings.alerts_mail_from,
            to=settings.alerts_mail_to,
            subject="{{ told.title }}",
            html_content="{{ told.html }}",
        ),
    )


@task
def webhook() -> None:
    """Tell the address of the connection `webhook`; without one there is nothing to do."""
    if not has_connection("webhook"):
        raise AirflowSkipException("There is no connection webhook: nothing is told to an address")
    from airflow.providers.http.notifications import HttpNotifier

    told = {name: f"{{{{ told.{name} }}}}" for name in ("kind", "title", "text", "link")}
    tell("webhook", partial(HttpNotifier, http_conn_id="webhook", json=told, extra_options={"timeout": 30}))


@dag(
    # What is late or has failed does not say so: four times an hour somebody looks. Nights gone by are nobody's news.
    schedule=CronTriggerTimetable("*/15 * * * *", timezone=ZONE),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    default_args=PATIENCE,
    tags=["alerts"],
)
def alerts():
    """
    **What.** Tells, each once: early warnings of the last days that people see; a night that is not published, with
    the critical checks that failed; a run of any DAG that failed; a night that people do not see by
    OTKLIK_ALERTS_LATE_AFTER. By mail to those of OTKLIK_ALERTS_MAIL_TO, and to the address of the connection `webhook`;
    a way that is not set up is skipped. What was told is kept in `quality.told`: neither a task that is cleared nor a
    night that is run again tells it twice, and one way does not wait for the other.

    **When it fails** what could not be sent stays untold, and the next run sends it.

    - `mail`: the mail server refuses or does not answer, or a setting is missing; its log says which. Mend it: the
      next run tells what is still so.
    - `webhook`: the address does not answer with success; its log has what it answered.
    """
    mail()
    webhook()


alerts()
