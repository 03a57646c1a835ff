"""Whether the services answer, asked as their users would."""

import httpx

from otklik.settings import Settings
from otklik.warehouse.roles import DatabaseError, connect_as_admin


def database_trouble(settings: Settings) -> str | None:
    """Return what keeps us out of the database, or None."""
    try:
        connect_as_admin(settings).close()
    except DatabaseError as error:
        return str(error)
    return None


def airflow_trouble(settings: Settings) -> str | None:
    """Return what is wrong with Airflow, or None: its server answers and all its parts report themselves alive."""
    answer = _get(f"http://127.0.0.1:{settings.airflow_port}/api/v2/monitor/health")
    if isinstance(answer, str):
        return answer
    parts = {name: part.get("status") for name, part in answer.json().items()}
    sick = [
        name for name in ("metadatabase", "scheduler", "dag_processor", "triggerer") if parts.get(name) != "healthy"
    ]
    return f"not healthy: {', '.join(sick)}" if sick else None


def superset_trouble(settings: Settings) -> str | None:
    """Return what is wrong with Superset, or None."""
    answer = _get(f"http://127.0.0.1:{settings.superset_port}/health")
    return answer if isinstance(answer, str) else None


def site_trouble(settings: Settings) -> str | None:
    """Return what is wrong with the static site, or None; an empty site is a healthy one."""
    answer = _get(f"http://127.0.0.1:{settings.site_port}/", also=httpx.codes.NOT_FOUND)
    return answer if isinstance(answer, str) else None


def _get(address: str, also: int = httpx.codes.OK) -> httpx.Response | str:
    try:
        # No proxy of the machine stands between us and loopback.
        answer = httpx.get(address, timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        return f"{address} does not answer: {error}"
    return answer if answer.status_code in (httpx.codes.OK, also) else f"{address} answers {answer.status_code}"
