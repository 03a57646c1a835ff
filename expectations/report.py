"""The report an auditor opens first: the latest run of each suite in full, and the way to every earlier one.

Great Expectations' own Data Docs stand behind it: they are in English, and their list of runs is drawn by
scripts from the internet, which a closed network does not let in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg.rows import dict_row

TITLES = {
    "marts": "Рассчитанные витрины: marts",
    "raw": "Пришедшие строки: raw",
    "reconciliation": "Сверка от файла до витрины: reconciliation",
}
# A year of nights, each suite and the reconciliation; older ones stay in quality.check_run.
RUNS_SHOWN = 1095


@dataclass(frozen=True)
class Page:
    """A page of Data Docs: the results of one table in one run."""

    table: str
    address: str


def write_report(connection: psycopg.Connection[Any], folder: Path, docs: Path, zone: ZoneInfo) -> Path:
    """Write `folder`/index.html from schema `quality`; links lead into the Data Docs under it."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    templates.filters["moment"] = lambda moment: f"{moment.astimezone(zone):%d.%m.%Y %H:%M}"
    runs = _runs(connection)
    newest = {run["suite"]: run for run in reversed(runs)}
    text = templates.get_template("report.html.j2").render(
        titles=TITLES,
        verdict=_verdict,
        runs=runs,
        latest=[run | {"results": _results(connection, run)} for run in newest.values()],
        pages=lambda run: _pages(run, folder, docs),
    )
    page = folder / "index.html"
    page.write_text(text, encoding="utf-8")
    return page


def _runs(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    query = """
        select run_id, suite, started_at, evaluated, failed_critical, failed_warning
        from quality.check_run
        order by started_at desc
        limit %s
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, [RUNS_SHOWN]).fetchall()


def _results(connection: psycopg.Connection[Any], run: dict[str, Any]) -> list[dict[str, Any]]:
    query = """
        select expectation, "column", severity, success, observed, protects
        from quality.check_result
        where run_id = %s
        order by success, severity, check_result_id
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, [run["run_id"]]).fetchall()


def _pages(run: dict[str, Any], folder: Path, docs: Path) -> list[Page]:
    found = sorted(docs.glob(f"validations/*/*/{run['run_id']}/*/*.html"))
    return [Page(f"{page.parts[-5]}.{page.parts[-4]}", page.relative_to(folder).as_posix()) for page in found]


def _verdict(run: dict[str, Any]) -> str:
    failures = [
        f"критических: {run['failed_critical']}" if run["failed_critical"] else "",
        f"предупреждений: {run['failed_warning']}" if run["failed_warning"] else "",
    ]
    if not any(failures):
        return f"всё сошлось, проверок: {run['evaluated']}"
    return f"{', '.join(filter(None, failures))} (проверок: {run['evaluated']})"
