"""The static site: the start page, quality reports and dbt docs under `var/site`."""

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from otklik.settings import get_settings


def app() -> Starlette:
    """Return the application uvicorn serves."""
    folder = get_settings().var / "site"
    folder.mkdir(parents=True, exist_ok=True)
    return Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])
