"""Readers of Superset: what its API answers to each login, and who may read what by the files."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx
import psycopg

from otklik.dashboards.assets import Assets, charts_of, datasets_of, read_access, read_assets
from otklik.dashboards.bundle import READERS, asset_uuid
from otklik.settings import Settings

ACCESS = read_access()
ASSETS: Assets = read_assets()
LOGINS = tuple(ACCESS["users"])
# Engineers run Superset: they may see and do everything.
ADMIN = "engineer"
# Superset's own tables of what the files describe.
_TABLES = {"databases": "dbs", "datasets": "tables", "charts": "slices", "dashboards": "dashboards"}


def address(settings: Settings) -> str:
    """Superset's address, http://host:port."""
    return f"http://127.0.0.1:{settings.superset_port}"


def password(settings: Settings, login: str) -> str:
    """The password of a login of `roles.yaml`."""
    found: str = getattr(settings, f"superset_{login}_login_password")
    return found


def sql(settings: Settings, query: str, role: str = "reader", **values: Any) -> list[tuple[Any, ...]]:
    """Ask the warehouse as a role of its own."""
    with psycopg.connect(settings.dsn(role)) as connection:
        return connection.execute(query, values).fetchall()


def number(settings: Settings, kind: str, name: str) -> int:
    """The number Superset gave to the object of `assets/<kind>/<name>.yaml`."""
    return numbers(settings, kind)[name]


def numbers(settings: Settings, kind: str) -> dict[str, int]:
    """File name → number, of all the objects of a kind."""
    with psycopg.connect(settings.dsn("superset")) as connection:
        given = dict(connection.execute(f"select uuid::text, id from {_TABLES[kind]}").fetchall())  # noqa: S608
    return {name: given[asset_uuid(kind, name)] for name in ASSETS[kind]}


@cache
def dashboards_of(login: str) -> tuple[str, ...]:
    """The dashboards (file names) that a login may open."""
    roles = set(ACCESS["users"][login]["roles"])
    files = ASSETS["dashboards"].items()
    return tuple(name for name, file in files if login == ADMIN or roles & set(file.get("readers", READERS)))


def readable_datasets(login: str) -> set[str]:
    """The datasets (file names) that the dashboards of a login read."""
    return {dataset for dashboard in dashboards_of(login) for dataset in datasets_of(ASSETS, dashboard)}


def slug(dashboard: str) -> str:
    """The last part of the dashboard's address."""
    found: str = ASSETS["dashboards"][dashboard]["slug"]
    return found


def title(chart: str) -> str:
    """The chart's title as people see it."""
    found: str = ASSETS["charts"][chart]["slice_name"]
    return found


def charts(dashboard: str) -> list[str]:
    """The charts of a dashboard, from top to bottom."""
    return charts_of(ASSETS["dashboards"][dashboard])


@contextmanager
def anonymous(settings: Settings) -> Iterator[httpx.Client]:
    """Somebody who is not logged in."""
    with httpx.Client(base_url=address(settings), trust_env=False, timeout=60) as client:
        yield client


@contextmanager
def reader(settings: Settings, login: str) -> Iterator[httpx.Client]:
    """A reader logged in by the form, who may also send what changes something (CSRF token)."""
    with anonymous(settings) as client:
        form = client.get("/login/").text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"|csrf_token&#34;: &#34;([^&]+)&#34;', form)
        assert found, "the login form has no CSRF token"
        told = {"username": login, "password": password(settings, login), "csrf_token": found[1] or found[2]}
        assert client.post("/login/", data=told).headers["location"] == "/"
        token = client.get("/api/v1/security/csrf_token/").json()["result"]
        client.headers.update({"X-CSRFToken": token, "Referer": address(settings)})
        yield client


def ask(client: httpx.Client, dataset: int, **query: Any) -> httpx.Response:
    """Ask a dataset by its number for data, as a chart does: `columns`, `metrics`, `filters`, …"""
    asked = {"row_limit": 1000, **query}
    body = {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [asked],
        "result_format": "json",
        "result_type": "full",
    }
    return client.post("/api/v1/chart/data", json=body)


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    """The rows of an answer; AssertionError with its text when it is no data."""
    assert answer.status_code == httpx.codes.OK, answer.text
    found: list[dict[str, Any]] = answer.json()["result"][0]["data"]
    return found
