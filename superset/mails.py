"""The mails of ``assets/mails.yaml`` as Superset's own reports; none where nobody is to get them."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

MAILS = Path(__file__).with_name("assets") / "mails.yaml"
# By which a report of ours is told from one that somebody made by hand.
_PREFIX = "otklik/"
# px: a step of heights in a dashboard's file, what is around each row, and the browser's own frame with what cards take
# beyond what their file says.
_STEP, _GAP, _AROUND = 8, 48, 400


def sync_mails() -> None:
    """Make Superset's reports those of the file, sent to OTKLIK_SUPERSET_MAIL_TO; without an address there are none.

    Raises LookupError when there is no dashboard of that slug.
    """
    from superset.extensions import db
    from superset.reports.models import ReportSchedule

    recipients = os.environ.get("OTKLIK_SUPERSET_MAIL_TO")
    mails = yaml.safe_load(MAILS.read_text(encoding="utf-8")) if recipients else []
    wanted = {_PREFIX + mail["dashboard"]: mail for mail in mails}
    found = {
        report.name: report
        for report in db.session.query(ReportSchedule).filter(ReportSchedule.name.startswith(_PREFIX))
    }
    for name in found.keys() - wanted.keys():
        db.session.delete(found[name])
    for name, mail in wanted.items():
        report = found.get(name) or ReportSchedule(name=name, type="Report")
        _describe(report, mail, str(recipients))
        db.session.add(report)
    db.session.commit()


def _describe(report: Any, mail: dict[str, str], recipients: str) -> None:
    from superset.extensions import db
    from superset.models.dashboard import Dashboard
    from superset.reports.models import ReportRecipients

    dashboard = db.session.query(Dashboard).filter_by(slug=mail["dashboard"]).one_or_none()
    if dashboard is None:
        raise LookupError(f"{MAILS}: there is no dashboard {mail['dashboard']!r}.")
    report.dashboard, report.crontab = dashboard, mail["crontab"]
    report.timezone = os.environ.get("OTKLIK_TIME_ZONE") or "Asia/Yekaterinburg"
    report.email_subject, report.description = mail["subject"], mail["text"]
    report.active, report.report_format, report.creation_method = True, "PDF", "alerts_reports"
    report.custom_height = _height(json.loads(dashboard.position_json))
    # Answers are kept only as long as they hold.
    report.force_screenshot = False
    report.recipients = [ReportRecipients(type="Email", recipient_config_json=json.dumps({"target": recipients}))]


def _height(layout: dict[str, Any]) -> int:
    """How tall a window is in which the whole dashboard is drawn: what is below it would not be in the picture."""
    rows = [part["children"] for part in layout.values() if isinstance(part, dict) and part.get("type") == "ROW"]
    tallest = (max(layout[chart]["meta"]["height"] for chart in charts) for charts in rows)
    return sum(tallest) * _STEP + len(rows) * _GAP + _AROUND
