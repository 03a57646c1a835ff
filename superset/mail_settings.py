"""Superset's settings for the mails it sends by itself; read only where OTKLIK_SUPERSET_MAIL_TO says to whom."""

import os
from email.message import Message
from email.utils import collapse_rfc2231_value
from shutil import which
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from celery.schedules import crontab
from superset.tasks.types import FixedExecutor

_NEEDED = ("OTKLIK_SUPERSET_MAIL_FROM", "OTKLIK_SUPERSET_MAIL_SERVER")
_SCHEMES = {"smtp": (25, False, False), "smtp+starttls": (587, True, False), "smtps": (465, False, True)}

if _missing := [name for name in _NEEDED if not os.environ.get(name)]:
    raise LookupError(f"OTKLIK_SUPERSET_MAIL_TO is set, so {', '.join(_missing)} must be, too.")

# ---- The mail server -----------------------------------------------------------------------------
_server = urlsplit(os.environ["OTKLIK_SUPERSET_MAIL_SERVER"])
if _server.scheme not in _SCHEMES or not _server.hostname:
    raise LookupError(f"OTKLIK_SUPERSET_MAIL_SERVER: expected {'://…, '.join(_SCHEMES)}://login:password@host:port.")
_port, SMTP_STARTTLS, SMTP_SSL = _SCHEMES[_server.scheme]
SMTP_HOST, SMTP_PORT = _server.hostname, _server.port or _port
SMTP_USER, SMTP_PASSWORD = unquote(_server.username or ""), unquote(_server.password or "")
SMTP_SSL_SERVER_AUTH = True
SMTP_MAIL_FROM = os.environ["OTKLIK_SUPERSET_MAIL_FROM"]

# ---- What a mail looks like ----------------------------------------------------------------------
EMAIL_REPORTS_SUBJECT_PREFIX = "Отклик:"
EMAIL_REPORTS_CTA = "Открыть на экране"


def EMAIL_HEADER_MUTATOR(mail: Message, **_: Any) -> Message:  # noqa: N802  (Superset's name)
    """Make of what Superset calls some bytes a PDF that mail programs show among the attachments."""
    mail.set_type("multipart/mixed")
    for part in mail.walk():
        if part.get_content_type() == "application/octet-stream":
            name = collapse_rfc2231_value(part.get_param("name", "PDF"))
            part.replace_header("Content-Type", "application/pdf")
            part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
    return mail


# ---- The picture: what leadership sees, in a browser of the system ---------------------------------
ALERT_REPORTS_EXECUTORS = [FixedExecutor("leadership")]
_here = f"http://127.0.0.1:{os.environ.get('OTKLIK_SUPERSET_PORT', '8088')}"
WEBDRIVER_BASEURL = (os.environ.get("OTKLIK_SUPERSET_INSIDE") or _here) + "/"
WEBDRIVER_BASEURL_USER_FRIENDLY = (os.environ.get("OTKLIK_SUPERSET_ADDRESS") or _here) + "/"
WEBDRIVER_TYPE = "chrome"
WEBDRIVER_WINDOW = {"dashboard": (1366, 2000), "slice": (1366, 900), "pixel_density": 1.5}
WEBDRIVER_CONFIGURATION = {"service": {"executable_path": which("chromedriver"), "log_output": "/dev/null"}}
# A container lacks what the browser's own sandbox needs; it opens no page but ours.
WEBDRIVER_OPTION_ARGS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=ru"]
# Nobody waits for the picture: a machine that is busy with a night may take its time.
SCREENSHOT_LOCATE_WAIT, SCREENSHOT_LOAD_WAIT = 240, 240


# ---- When ------------------------------------------------------------------------------------------
class CELERY_CONFIG:  # noqa: N801  (Superset's name)
    """A worker that looks each minute which mail is due; what was sent is in Superset's own database."""

    broker_url = os.environ.get("OTKLIK_SUPERSET_BROKER_URL", "memory://")
    imports = ("superset.tasks.scheduler",)
    beat_schedule: ClassVar = {
        "reports.scheduler": {"task": "reports.scheduler", "schedule": crontab()},
        "reports.prune_log": {"task": "reports.prune_log", "schedule": crontab(minute=0, hour=0)},
    }
