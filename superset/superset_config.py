"""Superset's settings: from the environment only, Russian throughout, the marts and nothing else.

A missing variable stops the start with its name. Everything a reader of dashboards sees is set here
or in ``superset/assets``; nothing is set by hand in Superset's own database.
"""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from flask import Flask, redirect, request
from flask_login import current_user
from sqlalchemy.engine.url import URL
from werkzeug.wrappers import Response

# This folder is not where Superset is started.
sys.path.append(str(Path(__file__).parent))

from help_pages import help_pages
from readers import SecurityManager


def _required(name: str) -> str:
    """Value of environment variable ``name``; LookupError naming it when it is unset or empty."""
    value = os.environ.get(name)
    if not value:
        raise LookupError(f"{name} is not set: `otklik up` sets it, or put it into the environment.")
    return value


_HOST = _required("OTKLIK_DB_HOST")
_PORT = int(_required("OTKLIK_DB_PORT"))
_WAREHOUSE = os.environ.get("OTKLIK_DB_NAME", "otklik")
_WAREHOUSE_PASSWORDS = {
    "otklik_reader": _required("OTKLIK_READER_PASSWORD"),
    "otklik_analyst": _required("OTKLIK_ANALYST_PASSWORD"),
    "otklik_auditor": _required("OTKLIK_AUDITOR_PASSWORD"),
}

# ---- Superset's own database -------------------------------------------------------------------
SECRET_KEY = _required("OTKLIK_SUPERSET_SECRET_KEY")
SQLALCHEMY_DATABASE_URI = (
    f"postgresql+psycopg2://otklik_superset:{quote(_required('OTKLIK_SUPERSET_DB_PASSWORD'), safe='')}"
    f"@{_HOST}:{_PORT}/otklik_superset"
)


# ---- The warehouse -----------------------------------------------------------------------------
def DB_CONNECTION_MUTATOR(  # noqa: N802  (Superset's name)
    uri: URL, params: dict[str, Any], username: str, security_manager: Any, source: Any
) -> tuple[URL, dict[str, Any]]:
    """Complete a connection of ``assets/databases``: those files say the role, never host or password.

    Any other address (one typed into Superset by hand) is refused: PermissionError.
    """
    if uri.username not in _WAREHOUSE_PASSWORDS:
        raise PermissionError(
            f"Database role {uri.username!r} is not one of {', '.join(_WAREHOUSE_PASSWORDS)}: "
            "connections are described in superset/assets/databases."
        )
    address = uri.set(host=_HOST, port=_PORT, database=_WAREHOUSE, password=_WAREHOUSE_PASSWORDS[uri.username])
    read_only = "-c default_transaction_read_only=on -c statement_timeout=60s"
    connect_args = {**params.get("connect_args", {}), "options": read_only}
    return address, {**params, "connect_args": connect_args}


# ---- Language, numbers, dates ------------------------------------------------------------------
APP_NAME = "Отклик"
BABEL_DEFAULT_LOCALE = "ru"
LANGUAGES = {"ru": {"flag": "ru", "name": "Русский"}}
_NO_BREAK_SPACE = "\u00a0"
D3_FORMAT = {
    "decimal": ",",
    "thousands": _NO_BREAK_SPACE,
    "grouping": [3],
    "currency": ["", f"{_NO_BREAK_SPACE}₽"],
    "percent": f"{_NO_BREAK_SPACE}%",
    "minus": "−",
}
D3_TIME_FORMAT = {
    "dateTime": "%d.%m.%Y %H:%M",
    "date": "%d.%m.%Y",
    "time": "%H:%M",
    "periods": ["", ""],
    "days": ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
    "shortDays": ["вс", "пн", "вт", "ср", "чт", "пт", "сб"],
    "months": [
        "январь", "февраль", "март", "апрель", "май", "июнь",
        "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
    ],
    "shortMonths": [
        "янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек",
    ],
}  # fmt: skip

# ---- Looks: one calm theme; the colours are Okabe and Ito's, told apart by the colour-blind ------
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="112" height="28" viewBox="0 0 112 28">'
    '<rect x="1" y="3" width="24" height="17" rx="5" fill="#0b4f7d"/>'
    '<path d="M8 19 v6 l7 -6 z" fill="#0b4f7d"/>'
    '<path d="M7 11.5 l4.5 4.5 l8 -8.5" fill="none" stroke="#fff" stroke-width="2.4"/>'
    '<text x="32" y="20" font-family="Inter,Arial,sans-serif" font-size="19" font-weight="600"'
    ' fill="#0b4f7d">Отклик</text></svg>'
)
_LOGO_URL = "data:image/svg+xml," + quote(_LOGO)
APP_ICON = _LOGO_URL
FAVICONS = [{"href": _LOGO_URL}]
THEME_DEFAULT = {
    "token": {
        "brandAppName": APP_NAME,
        "brandLogoAlt": APP_NAME,
        "brandLogoUrl": _LOGO_URL,
        "brandLogoHref": "/dashboard/list/",
        "brandLogoHeight": "28px",
        "brandLogoMargin": "14px 0",
        "brandIconMaxWidth": 112,
        "colorPrimary": "#0b4f7d",
        "colorLink": "#0b4f7d",
        "colorError": "#b3400b",
        "colorWarning": "#e69f00",
        "colorSuccess": "#00795b",
        "colorInfo": "#0072b2",
        "fontUrls": [],
        "echartsOptionsOverrides": {"legend": {"selector": False}, "yAxis": {"splitNumber": 5}},
        # Steps are told by their heights, from nought, and each by its name.
        "echartsOptionsOverridesByChartType": {
            "waterfall": {"yAxis": {"min": 0}, "xAxis": {"axisLabel": {"interval": 0}}},
        },
        "fontFamily": "Inter, Helvetica, Arial, sans-serif",
    },
    "algorithm": "default",
}
THEME_DARK = None
ENABLE_UI_THEME_ADMINISTRATION = False
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "otklik",
        "label": "Отклик",
        "description": "Okabe and Ito, blue first",
        "isDefault": True,
        "colors": [
            "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c", "#f0e442",
        ],
    }
]  # fmt: skip

# ---- Who may, and what leaves the house: nobody anonymous, nothing to other hosts ----------------
PUBLIC_ROLE_LIKE = None
CUSTOM_SECURITY_MANAGER = SecurityManager
AUTH_USER_REGISTRATION = False
WTF_CSRF_ENABLED = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
TALISMAN_ENABLED = True
# Not even Superset's own telemetry address is allowed: the page talks to its server only.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
RATELIMIT_STORAGE_URI = "memory://"
FEATURE_FLAGS = {
    "ALERT_REPORTS": False,
    # A dashboard is open to the roles its file names, not to whoever may read one of its datasets.
    "DASHBOARD_RBAC": True,
    "EMBEDDABLE_CHARTS": False,
    "ENABLE_TEMPLATE_PROCESSING": False,
}

# The dashboard each login lands on.
_ROLES = Path(__file__).with_name("assets") / "roles.yaml"
_HOMES = {login: user["home"] for login, user in yaml.safe_load(_ROLES.read_text(encoding="utf-8"))["users"].items()}


def FLASK_APP_MUTATOR(app: Flask) -> None:  # noqa: N802  (Superset's name)
    """Keep whole answers, and do for readers what has no setting of Superset's own.

    They land on their dashboard: the welcome page speaks to its makers.
    """
    from kept_answers import READER, keep_answers

    keep_answers(app, *DB_CONNECTION_MUTATOR(URL.create("postgresql+psycopg2", READER), {}, "", None, None))

    @app.before_request
    def skip_welcome() -> Response | None:
        if request.path != "/superset/welcome/":
            return None
        home = _HOMES.get(getattr(current_user, "username", None))
        return redirect(f"/superset/dashboard/{home}/" if home else "/dashboard/list/")

    @app.before_request
    def forget_timings() -> Response | None:
        # What a page tells of its own drawing: dozens of rows each time one is opened, that nobody reads.
        return Response() if request.path == "/superset/log/" else None


# ---- The pages that explain ----------------------------------------------------------------------
BLUEPRINTS = [help_pages]

# ---- Mails, where somebody is to get them ----------------------------------------------------------
if os.environ.get("OTKLIK_SUPERSET_MAIL_TO"):
    FEATURE_FLAGS["ALERT_REPORTS"] = True
    from mail_settings import *  # noqa: F403

# ---- Running -------------------------------------------------------------------------------------
SUPERSET_WEBSERVER_PORT = int(os.environ.get("OTKLIK_SUPERSET_PORT", "8088"))
# A connection for each thread.
SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 8}
CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300}
# What the database answered is not kept: whole answers are, as long as they hold (kept_answers.py).
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
LOG_LEVEL = "WARNING"
ALEMBIC_SKIP_LOG_CONFIG = True  # its 300 revisions print several lines each
SILENCE_FAB = True
