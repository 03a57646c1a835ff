"""Alerts as the scheduler sends them: each once, in Russian, with a link that leads where it says."""

import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from otklik.settings import Settings
from otklik.telling.links import of_dashboard
from tests.e2e.browser import browser_page, login, wait_until_drawn
from tests.fixtures.boston import ARCHIVE
from tests.fixtures.sinks import MailSink, WebSink

WARNINGS = "Свердловская область: 4 всплеска обращений за 29.12.2022–30.12.2022"


@pytest.fixture(scope="module")
def airflow(night: Settings) -> Iterator[httpx.Client]:
    """Airflow's API, as the engineer asks it."""
    base = f"http://127.0.0.1:{night.airflow_port}"
    engineer = {"username": "engineer", "password": night.airflow_engineer_login_password}
    token = httpx.post(f"{base}/auth/token", json=engineer, timeout=30).json()["access_token"]
    with httpx.Client(base_url=f"{base}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=60) as api:
        yield api


def look_round(airflow: httpx.Client) -> dict[str, str]:
    """Let the scheduler run `alerts` out of turn; return the state of each task."""
    run = airflow.post("/dags/alerts/dagRuns", json={"logical_date": None}).raise_for_status().json()["dag_run_id"]
    path = f"/dags/alerts/dagRuns/{quote(run, safe='')}"
    deadline = time.monotonic() + 300
    while airflow.get(path).json()["state"] not in ("success", "failed"):
        assert time.monotonic() < deadline, "the alerts do not end"
        time.sleep(2)
    tasks: list[dict[str, Any]] = airflow.get(f"{path}/taskInstances").json()["task_instances"]
    return {task["task_id"]: task["state"] for task in tasks}


def test_early_warnings_of_the_night_are_told_by_each_way_once(
    night: Settings, airflow: httpx.Client, mails: MailSink, hook: WebSink
) -> None:
    # The timetable may have looked before us: however often it does, they are told once.
    assert look_round(airflow) == {"mail": "success", "webhook": "success"}
    assert look_round(airflow) == {"mail": "success", "webhook": "success"}
    assert mails.subjects.count(WARNINGS) == 1
    assert [post["title"] for post in hook.posts].count(WARNINGS) == 1
    [link] = [post["link"] for post in hook.posts if post["title"] == WARNINGS]
    assert link == of_dashboard(night, "temy-i-trevogi", "Свердловская область")
    [mail] = [mail for mail in mails.mails if mail.subject == WARNINGS]
    assert (mail.sender, mail.recipients) == ("otklik@centre.example", ["duty@centre.example"])
    assert (
        "30.12.2022, город Екатеринбург, «Благоустройство»: 5 сообщений за день, обычно 0,5, порог 3,5."
        " В тот же день недели неделями раньше: 0, 0, 1, 1, 1, 0, 1, 0." in mail.html
    )


@pytest.mark.parametrize(
    "region",
    [
        "Свердловская область",
        # Not the region that the filter takes by itself.
        pytest.param("Бостон (311)", marks=pytest.mark.skipif(not ARCHIVE.exists(), reason="its file is not here")),
    ],
)
def test_the_link_opens_the_dashboard_with_the_region_of_the_message(night: Settings, region: str) -> None:
    with browser_page() as page:
        login(page, f"http://127.0.0.1:{night.superset_port}", "leadership", night.superset_leadership_login_password)
        page.goto(of_dashboard(night, "temy-i-trevogi", region))
        wait_until_drawn(page)
        chosen = page.locator("[data-test='filter-bar'] .ant-select-selection-item").all_inner_texts()
        assert region in chosen


def test_a_task_that_failed_is_told_once_with_the_way_to_its_run(
    night: Settings, airflow: httpx.Client, mails: MailSink
) -> None:
    latest = airflow.get("/dags/retention/dagRuns", params={"order_by": "-run_after", "limit": 1})
    [run] = latest.json()["dag_runs"]
    of_run = f"/dags/retention/dagRuns/{quote(run['dag_run_id'], safe='')}"

    def set_state(state: str) -> None:
        airflow.patch(f"{of_run}/taskInstances/retire", json={"new_state": state}).raise_for_status()
        airflow.patch(of_run, json={"state": state}).raise_for_status()

    set_state("failed")
    look_round(airflow)
    look_round(airflow)
    set_state("success")

    [mail] = [mail for mail in mails.mails if mail.subject.startswith("Не выполнено: retention за ")]
    assert "не выполнены задачи: retire." in mail.html
    link = unescape(mail.html.partition('href="')[2].partition('"')[0])
    assert link == f"{night.airflow_address}/dags/retention/runs/{quote(run['dag_run_id'], safe='')}"
