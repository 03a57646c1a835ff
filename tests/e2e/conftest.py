"""One Airflow, one Superset and one night for all end-to-end tests."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from otklik.demo.__main__ import DEMO, MAPPINGS, run_the_night
from otklik.demo.outside import prepare_outside
from otklik.runtime.airflow import connections_file
from otklik.runtime.steps import Steps
from otklik.runtime.supervisor import Supervisor
from otklik.runtime.up import check_ports, start_database, start_site, start_superset
from otklik.settings import PREFIX, PROJECT, Settings, get_settings
from tests.fixtures.boston import ARCHIVE
from tests.fixtures.cluster import free_port, scratch_home
from tests.fixtures.sinks import MailSink, WebSink, mail_sink, web_sink

_PORTS = ("DB_PORT", "AIRFLOW_PORT", "SUPERSET_PORT", "SITE_PORT")


@pytest.fixture(scope="package")
def mails() -> Iterator[MailSink]:
    """The mail server that alerts and mails go to."""
    with mail_sink() as sink:
        yield sink


@pytest.fixture(scope="package")
def hook() -> Iterator[WebSink]:
    """The address that alerts are posted to."""
    with web_sink() as sink:
        yield sink


# Not for the whole session: idle, these services still take a third of a core from the tests that follow.
@pytest.fixture(scope="package")
def night(mails: MailSink, hook: WebSink) -> Iterator[Settings]:
    """Everything started as `make demo` does it, with the real file of Boston in the inbox, and with alerts set up."""
    values = {name.removeprefix(PREFIX): value for name, value in DEMO.items()}
    values |= {name: str(free_port()) for name in _PORTS}
    values["MAPPINGS"] = f"{MAPPINGS}:{PROJECT / 'examples'}"
    values |= {"ALERTS_MAIL_TO": "duty@centre.example", "ALERTS_MAIL_FROM": "otklik@centre.example"}
    with ExitStack() as stack:
        stack.enter_context(scratch_home(**values))
        settings = get_settings()
        stack.callback(Supervisor(settings).shutdown)
        bring(ARCHIVE, Path(settings.inbox) / "boston311")
        with Steps() as steps:
            check_ports(settings, steps)
            prepare_outside(settings)
            with connections_file(settings).open("a", encoding="utf-8") as file:
                yaml.safe_dump({"mail": mails.connection(), "webhook": hook.connection()}, file)
            start_database(settings, steps)
            start_site(settings, steps)
            steps.together(lambda: run_the_night(settings, steps), lambda: start_superset(settings, steps))
        yield settings


def bring(file: Path, inbox: Path) -> None:
    """Put the file into an inbox, where there is one."""
    if file.exists():
        inbox.mkdir(parents=True)
        shutil.copy(file, inbox)
