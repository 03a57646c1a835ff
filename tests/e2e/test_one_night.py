"""One night, from the files of the inbox through the real scheduler to the screen of a browser."""

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Page

from otklik.settings import Settings
from tests.e2e.browser import browser_page, chart, choose, login, open_dashboard
from tests.fixtures import boston

YEAR, RESPONSE = "itogi-goda", "vremya-otveta"
NBSP = "\N{NO-BREAK SPACE}"

real_file = pytest.mark.skipif(not boston.ARCHIVE.exists(), reason=f"the real file is not here: {boston.ARCHIVE}")


def ask(settings: Settings, query: str, role: str = "reader", **values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.dsn(role)) as connection:
        return connection.execute(query, values).fetchall()


def superset(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.superset_port}"


def plain(text: str) -> str:
    """Return the text with every kind of space as one plain space."""
    return re.sub(r"\s+", " ", text.replace(NBSP, " ").replace("\N{NARROW NO-BREAK SPACE}", " "))


@pytest.fixture(scope="module")
def screen(night: Settings) -> Iterator[Page]:
    """The dashboard as leadership sees it."""
    with browser_page() as page:
        login(page, superset(night), "leadership", night.superset_leadership_login_password)
        yield page


def test_the_night_was_run_by_the_scheduler_of_its_own_accord(night: Settings) -> None:
    base = f"http://127.0.0.1:{night.airflow_port}"
    auditor = {"username": "auditor", "password": night.airflow_auditor_login_password}
    token = httpx.post(f"{base}/auth/token", json=auditor, timeout=30).json()["access_token"]
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30) as airflow:
        # Local midnight in Yekaterinburg is 19:00 UTC of the day before.
        assert ended_runs(airflow, "incidents") == [("scheduled", "success", "2022-12-30T19:00:00Z")]
        # One run or more: what came while one ran was taken in by the next.
        assert {run[:2] for run in ended_runs(airflow, "marts")} == {("asset_triggered", "success")}


def ended_runs(airflow: httpx.Client, dag: str) -> list[tuple[str, str, str]]:
    """Every run of a DAG, none of them under way: what the hour brings meanwhile may have begun one."""
    for _ in range(150):
        runs = airflow.get(f"/api/v2/dags/{dag}/dagRuns").json()["dag_runs"]
        if not {run["state"] for run in runs} & {"queued", "running"}:
            return [(run["run_type"], run["state"], run["data_interval_start"]) for run in runs]
        time.sleep(2)
    raise AssertionError(f"A run of {dag} does not end")


def test_every_row_of_every_file_is_accounted_for(night: Settings) -> None:
    ledger = ask(
        night,
        """
        select source, sum(rows_read)::int, sum(rows_loaded)::int, sum(rows_rejected)::int, sum(rows_unchanged)::int
        from raw.batch where source = 'sverdlovsk' group by source
        """,
        "engineer",
    )
    # 44 bad rows were made up on purpose: 4 repeat another row, 40 must be refused.
    assert ledger == [("sverdlovsk", 105_939, 105_895, 40, 4)]


def test_every_timetable_ran_its_night(night: Settings) -> None:
    states = ask(
        night,
        """
        select source, entity, count(*)::int, sum(rows_read)::int, sum(rows_loaded)::int, sum(rows_rejected)::int
        from raw.batch
        where interval_to >= '2022-12-31 18:00+00' and source not in ('sverdlovsk', 'boston311')
        group by source, entity order by source, entity
        """,
        "engineer",
    )
    read = {(source, entity): rows for source, entity, _, rows, *_ in states}
    assert {key: read[key] for key in read if key[1] == "page_snapshot"} == {
        ("ok", "page_snapshot"): 1_360,
        ("telegram", "page_snapshot"): 239,
        ("vk", "page_snapshot"): 1_401,
    }
    assert sum(rows for (_, entity), rows in read.items() if entity == "survey_response") == 35_673
    assert read["telegram_channel", "incident"] > 0
    assert all(loaded == rows and rejected == 0 for _, _, _, rows, loaded, rejected in states)


def test_the_figures_of_the_centres_lists_come_out_of_raw_exactly(night: Settings) -> None:
    [figures] = ask(
        night,
        """
        with pages as (
            select page_id
            from raw.page
            where coalesce(opened_on, '2022-12-31') <= '2022-12-31' and (closed_on is null or closed_on > '2022-12-31')
                and coalesce(valid_to, '2022-12-31') >= '2022-12-31'
        ),

        last_seen as (
            select distinct on (page_id) page_id, members_count, observed_at
            from raw.page_snapshot
            where members_count is not null and observed_at < '2022-12-31 19:00+00'
                and observed_at >= '2022-12-31 19:00+00'::timestamptz - interval '8 days'
            order by page_id, observed_at desc
        )

        select
            (select count(*)::int from pages),
            (select sum(members_count)::int from last_seen inner join pages using (page_id)),
            (select sum(members_count)::int from raw.page_snapshot where method = 'live'),
            (select count(*)::int from raw.survey where closed_on between '2022-01-01' and '2022-12-31'),
            (
                select count(*)::int from raw.broadcast
                where (held_at at time zone 'Asia/Yekaterinburg')::date between '2022-01-01' and '2022-12-31'
            ),
            (
                select count(*)::int from raw.material
                where (published_at at time zone 'Asia/Yekaterinburg')::date between '2022-01-01' and '2022-12-31'
            )
        """,
        "engineer",
    )
    # Of the audience 2,044,101 answered that evening; the rest is carried from the days before.
    assert figures == (3_000, 2_047_318, 2_044_101, 40, 20, 1_537)


def test_the_year_of_the_centre_comes_out_exactly(night: Settings) -> None:
    figures = ask(
        night,
        """
        select metric, value, value_previous_year, value_first_year
        from marts.mart_year_summary
        where region_code = '66' and year = 2022
          and metric not in ('median_time_to_respond', 'p90_time_to_respond', 'on_time_share')
        order by metric
        """,
    )
    assert figures == [
        ("audience", 2_047_318, 1_439_465, 1_439_465),
        ("audience_growth_share", Decimal("0.422277"), None, Decimal("0.422277")),
        ("audience_like_for_like_growth_share", Decimal("0.304109"), None, Decimal("0.304109")),
        ("broadcasts_held", 20, 12, 1),
        ("materials_published", 1_537, 1_184, 96),
        ("mean_time_to_respond", 148, 206, 430),
        ("messages_processed", 54_548, 46_137, 4_912),
        ("pages_working", 3_000, 1_787, 1_787),
        ("problems_resolved", 54_126, 45_969, 4_727),
        ("surveys_completed", 40, 22, 3),
    ]


@real_file
def test_the_real_file_by_month_and_department_equals_a_count_straight_from_it(night: Settings) -> None:
    marts = {
        (month, authority): (answered, float(mean), float(median), float(p90))
        for month, authority, answered, mean, median, p90 in ask(
            night,
            """
            select month, authority, answered_count, mean_minutes, median_minutes, p90_minutes
            from marts.mart_time_to_respond_month where region_code = 'boston' and answered_count > 0
            """,
        )
    }
    oracle = boston.by_month_and_department()
    assert sum(figures[0] for (_, department), figures in oracle.items() if department is None) == 54_570
    assert marts.keys() == oracle.keys()
    for key, figures in oracle.items():
        # The marts keep a millionth of a minute.
        assert marts[key] == pytest.approx(figures, abs=1e-5), key


def test_leadership_reads_the_year_off_the_screen(night: Settings, screen: Page) -> None:
    open_dashboard(screen, superset(night), YEAR)
    text = plain(screen.locator("body").inner_text())
    for figure in (
        "Данные на 01.01.2023 00:00",
        "Проверки данных пройдены",
        "прочитано строк: 425, отклонено: 5",
        "Среднее время ответа за 2022 год 2 ч 28 мин",
        "на 58 мин быстрее",
        "3 ч 26 мин",
        "Обработано сообщений за 2022 год 54 548",
        "Решено проблем жителей за 2022 год 54 126",
    ):
        assert figure in text


@real_file
def test_a_number_of_the_real_file_on_the_screen_equals_the_marts_and_the_files(night: Settings, screen: Page) -> None:
    open_dashboard(screen, superset(night), YEAR)
    choose(screen, "Регион", "Бостон (311)")
    choose(screen, "Год", "2011")
    text = plain(screen.locator("body").inner_text())
    [(value, label)] = ask(
        night,
        """
        select value, marts.duration_label(value) from marts.mart_year_summary
        where region_code = 'boston' and year = 2011 and metric = 'mean_time_to_respond'
        """,
    )
    assert float(value) == pytest.approx(boston.of_year(2011)[1], abs=1e-5)
    assert f"Среднее время ответа за 2011 год {plain(label)} " in text
    open_dashboard(screen, superset(night), RESPONSE)
    choose(screen, "Регион", "Бостон (311)")
    # The ranking is of Boston's departments now.
    assert "PWDx" in chart(screen, "Органы власти: кто отвечает дольше").inner_text()


def test_leadership_is_kept_out_of_sql(night: Settings, screen: Page) -> None:
    screen.goto(f"{superset(night)}/sqllab/")
    screen.wait_for_load_state("networkidle")
    assert screen.locator(".ace_editor").count() == 0
    databases = screen.request.get(f"{superset(night)}/api/v1/sqllab/")
    assert databases.status in (401, 403)


def test_the_site_leads_to_the_reports_and_the_documentation(night: Settings, screen: Page) -> None:
    base = f"http://127.0.0.1:{night.site_port}"
    screen.goto(base)
    assert "Руководству" in screen.locator("body").inner_text()
    assert httpx.get(f"{base}/quality/").status_code == httpx.codes.OK
    assert httpx.get(f"{base}/dbt/").status_code == httpx.codes.OK
