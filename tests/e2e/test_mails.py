"""The weekly mail: «Итоги года» as a PDF, by Superset's own reports, a browser and a mail server."""

import os
import shutil

import pytest

from otklik.settings import Settings
from tests.fixtures.reports import MailSettings, looks, send_reports
from tests.fixtures.sinks import MailSink

pytestmark = pytest.mark.skipif(
    not os.environ.get("CI") and not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="there is no chromium with its driver on this machine: apt-get install chromium chromium-driver",
)

TITLE = "Отклик: Итоги года"


def test_the_year_comes_by_mail_on_monday_morning_as_a_pdf_of_the_whole_dashboard(
    night: Settings, mails: MailSink
) -> None:
    server = f"smtp://127.0.0.1:{mails.port}"
    due = send_reports(
        night, MailSettings("head@centre.example, deputy@centre.example", "otklik@centre.example", server)
    )
    # Monday, 08:00 in Yekaterinburg.
    assert due == {"otklik/itogi-goda": ["2022-12-26 03:00:00"]}

    [mail] = [mail for mail in mails.mails if mail.subject == TITLE]
    assert mail.sender == "otklik@centre.example"
    assert mail.recipients == ["head@centre.example", "deputy@centre.example"]
    assert "Итоги года на утро понедельника — во вложении." in mail.html
    assert f'href="{night.superset_address}/superset/dashboard/' in mail.html
    assert ">Открыть на экране</a>" in mail.html
    [(name, content)] = mail.attachments.items()
    assert name == "Итоги года.pdf"
    seen = looks(content)
    # A laptop's width, sharp; nothing is cut off below, nor is there a void.
    assert (seen.pages, seen.width) == (1, pytest.approx(1366 * 1.5, abs=60))
    assert 8 <= seen.blank_below <= 600
    assert seen.drawn > 0.8


def test_without_an_address_there_is_no_mail(night: Settings, mails: MailSink) -> None:
    before = mails.subjects.count(TITLE)
    assert send_reports(night, None) == {}
    assert mails.subjects.count(TITLE) == before
