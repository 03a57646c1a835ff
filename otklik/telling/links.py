"""Where a message leads."""

from urllib.parse import quote

from otklik.dashboards.bundle import filter_id
from otklik.settings import Settings


def of_dashboard(settings: Settings, slug: str, region_name: str) -> str:
    """Return the address of a dashboard with its filter «Регион» set."""
    chosen = filter_id("Регион")
    # Rison, as Superset reads it: a quote or an exclamation mark inside a text goes after an exclamation mark.
    name = region_name.replace("!", "!!").replace("'", "!'")
    value = f"!('{name}')"
    mask = (
        f"({chosen}:(extraFormData:(filters:!((col:region_name,op:IN,val:{value}))),"
        f"filterState:(label:'{name}',value:{value}),id:{chosen},ownState:()))"
    )
    return f"{settings.superset_address}/superset/dashboard/{slug}/?native_filters={quote(mask, safe='()!:,')}"


def of_quality_report(settings: Settings) -> str:
    """Return the address of the report of the checks."""
    return f"{settings.site_address}/quality/"


def of_dag(settings: Settings, dag: str) -> str:
    """Return the address of a DAG in Airflow."""
    return f"{settings.airflow_address}/dags/{dag}"


def of_run(settings: Settings, dag: str, run_id: str) -> str:
    """Return the address of a run in Airflow."""
    return f"{of_dag(settings, dag)}/runs/{quote(run_id, safe='')}"
