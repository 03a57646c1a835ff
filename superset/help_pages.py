"""The pages that explain what people see, for those who have logged in; Otklik writes them, nothing is made here."""

import os
from pathlib import Path

from flask import Blueprint, send_from_directory
from flask_login import current_user
from werkzeug.wrappers import Response

_PREPARED = Path(os.environ.get("OTKLIK_SUPERSET_PREPARED") or Path(os.environ["SUPERSET_HOME"]) / "prepared")

help_pages = Blueprint("help_pages", __name__, url_prefix="/help")


@help_pages.get("/<any(leadership, metrics, auditors):page>")
def show(page: str) -> Response:
    """Send a page; whoever has not logged in is asked to, and comes back."""
    from superset.views.utils import redirect_to_login

    if not current_user.is_authenticated:
        return redirect_to_login()
    return send_from_directory(_PREPARED / "help", f"{page}.html")
