"""Alerts: real tasks and notifiers, a real warehouse, a mail server and a webhook on this machine."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import psycopg
import pytest

from otklik.settings import Settings
from otklik.telling.messages import message as message_of
from otklik.telling.news import LateNight, news
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.dbt import TestWarehouse, at, message
from tests.fixtures.sinks import MailSink, WebSink, mail_sink, web_sink
from tests.fixtures.tasks import Tasks, tasks_of

MONDAY = date(2022, 5, 2)
REZH = {"municipality": "Реж", "municipality_code": "65720000"}
TO = {
    "OTKLIK_ALERTS_MAIL_TO": "duty@centre.example, head@centre.example",
    "OTKLIK_ALERTS_MAIL_FROM": "otklik@centre.example",
}
NO_RUNS: dict[str, Any] = {"dag_runs": []}
BUILD = UUID(int=1)
# A source may call a topic what it likes.
ODD_TOPIC = "{{ 7 * 7 }} <b>"


def day_of(day: date, number: int, topic: str, **columns: Any) -> list[dict[str, Any]]:
    return [message(f"{day}-{topic}-{n}", f"{day} 10:{n:02}", topic=topic, **columns) for n in range(number)]


@pytest.fixture(scope="module")
def centre(cluster: Settings, seeded: str) -> Iterator[TestWarehouse]:
    """Two regions with a flood of complaints on the last two days; one of four days ago is no news."""
    with fresh_warehouse(cluster, seeded) as settings:
        house = TestWarehouse(settings)
        house.region()
        house.region("77", "Москва", "Europe/Moscow")
        mondays = [
            row
            for weeks in range(1, 9)
            for row in day_of(MONDAY - timedelta(weeks=weeks), 2 if weeks % 2 else 1, "Дороги", **REZH)
        ]
        known = [
            row
            for weeks in range(1, 9)
            for back in (1, 3)
            for row in day_of(MONDAY - timedelta(weeks=weeks, days=back), 1, "Свет", **REZH)
        ]
        floods = [
            *day_of(MONDAY, 9, "Дороги", **REZH),
            *day_of(MONDAY - timedelta(days=1), 5, "Вода", **REZH),
            *day_of(MONDAY - timedelta(days=3), 50, "Тепло", **REZH),
        ]
        house.history("2022-01-01", "2022-05-02", [*mondays, *known, *floods])
        others = [
            row
            for weeks in range(9)
            for row in day_of(
                MONDAY - timedelta(weeks=weeks), 1 if weeks else 21, "{{ 7 * 7 }} <b>", municipality="Тверской"
            )
        ]
        house.history("2022-01-01", "2022-05-02", others, region="77")
        house.model(marts=["mart_early_warning"])
        yield house


@pytest.fixture(scope="module")
def sinks() -> Iterator[tuple[MailSink, WebSink]]:
    with mail_sink() as mails, web_sink() as web:
        yield mails, web


@pytest.fixture(scope="module")
def alerts(centre: TestWarehouse, sinks: tuple[MailSink, WebSink]) -> Iterator[Tasks]:
    """The timetable of alerts; the address of Airflow's own API is the webhook's, with the answers set there."""
    _, web = sinks
    web.answers = {"/auth/token": {"access_token": "1"}, "/api/v2/dags/~/dagRuns": NO_RUNS}
    with tasks_of("alerts", centre.settings) as tasks:
        tasks.connect({})
        tasks.run("webhook", AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{web.address}/execution/")
        yield tasks


def told(centre: TestWarehouse, way: str) -> list[str]:
    rows = centre.rows("select kind || ' ' || what from quality.told where way = %s order by 1", way, role="auditor")
    return [what for (what,) in rows]


def paragraphs(html: str) -> list[str]:
    return [
        unescape(line.partition(">")[2].removesuffix("</p>")) for line in html.splitlines() if line.startswith("  <p")
    ]


def test_with_nothing_set_up_nobody_is_told_and_nothing_counts_as_told(alerts: Tasks, centre: TestWarehouse) -> None:
    assert alerts.run("mail") == ("skipped", "OTKLIK_ALERTS_MAIL_TO is not set: nobody is told by mail")
    assert alerts.run("webhook") == ("skipped", "There is no connection webhook: nothing is told to an address")
    assert told(centre, "mail") + told(centre, "webhook") == []


def test_a_way_that_is_half_set_up_fails_and_says_what_is_missing(alerts: Tasks) -> None:
    state, why = alerts.run("mail", **TO)
    assert state == "failed"
    assert why.startswith(
        "CredentialsError: OTKLIK_ALERTS_MAIL_TO is set, so OTKLIK_ALERTS_MAIL_FROM and the connection"
    )


def test_what_the_mail_server_refuses_is_not_told_and_the_task_says_so(
    alerts: Tasks, centre: TestWarehouse, sinks: tuple[MailSink, WebSink]
) -> None:
    mails, web = sinks
    alerts.connect({"mail": mails.connection(), "webhook": web.connection()})
    mails.refuses = True
    state, why = alerts.run("mail")
    mails.refuses = False
    assert state == "failed"
    assert why.startswith(
        "SourceError: «Свердловская область: 2 всплеска обращений за 01.05.2022–02.05.2022» was not sent"
    )
    assert "Come again later" in why
    assert why.endswith("Check the connection mail; it is sent when this runs again")
    assert told(centre, "mail") == []


def test_early_warnings_of_the_last_days_go_out_by_region_with_their_evidence(
    alerts: Tasks, centre: TestWarehouse, sinks: tuple[MailSink, WebSink]
) -> None:
    mails, _ = sinks
    assert alerts.run("mail") == ("success", "")
    assert mails.subjects == [
        "Свердловская область: 2 всплеска обращений за 01.05.2022–02.05.2022",
        "Москва: 1 всплеск обращений за 02.05.2022",
    ]
    first, second = mails.mails
    assert (first.sender, first.recipients) == ("otklik@centre.example", ["duty@centre.example", "head@centre.example"])
    assert paragraphs(first.html) == [
        "Свердловская область: 2 всплеска обращений за 01.05.2022–02.05.2022",
        "02.05.2022, Реж, «Дороги»: 9 сообщений за день, обычно 1,5, порог 4,5."
        " В тот же день недели неделями раньше: 2, 1, 2, 1, 2, 1, 2, 1.",
        "01.05.2022, Реж, «Вода»: 5 сообщений за день, обычно 0, порог 3."
        " В тот же день недели неделями раньше: 0, 0, 0, 0, 0, 0, 0, 0.",
        paragraphs(first.html)[-1],
    ]
    # What a source wrote is text: neither a template nor a piece of a page.
    assert "«{{ 7 * 7 }} <b>»: 21 сообщение за день, обычно 1, порог 4." in paragraphs(second.html)[1]
    assert "<b>" not in second.html
    assert told(centre, "mail") == [
        "early_warning 66/2022-05-01/Вода/Реж",
        "early_warning 66/2022-05-02/Дороги/Реж",
        "early_warning 77/2022-05-02/{{ 7 * 7 }} <b>/Тверской",
    ]


def test_the_link_leads_to_the_dashboard_with_the_region_chosen(sinks: tuple[MailSink, WebSink]) -> None:
    mails, _ = sinks
    link = unescape(mails.mails[0].html.partition('href="')[2].partition('"')[0])
    assert urlsplit(link).path == "/superset/dashboard/temy-i-trevogi/"
    [chosen] = parse_qs(urlsplit(link).query)["native_filters"]
    assert "(col:region_name,op:IN,val:!('Свердловская область'))" in chosen


def test_nobody_is_told_twice(alerts: Tasks, sinks: tuple[MailSink, WebSink]) -> None:
    mails, _ = sinks
    assert alerts.run("mail") == ("success", "")
    assert len(mails.mails) == 2


def test_the_webhook_gets_the_same_by_its_own_account(
    alerts: Tasks, centre: TestWarehouse, sinks: tuple[MailSink, WebSink]
) -> None:
    _, web = sinks
    web.status = 503
    state, why = alerts.run("webhook")
    assert (state, told(centre, "webhook")) == ("failed", [])
    assert "503:Service Unavailable. Check the connection webhook" in why
    web.status = 200
    assert alerts.run("webhook") == ("success", "")
    assert alerts.run("webhook") == ("success", "")
    assert [(post["kind"], post["title"]) for post in web.posts] == [
        ("early_warning", "Свердловская область: 2 всплеска обращений за 01.05.2022–02.05.2022"),
        ("early_warning", "Москва: 1 всплеск обращений за 02.05.2022"),
    ]
    assert web.posts[0]["text"].endswith(f"Темы и тревоги: {web.posts[0]['link']}")
    assert "«{{ 7 * 7 }} <b>»: 21 сообщение за день" in web.posts[1]["text"]
    assert told(centre, "webhook") == told(centre, "mail")


def refuse(centre: TestWarehouse, reason: str, decided_at: str) -> None:
    """Note that a build of everything there is was checked and not published."""
    with psycopg.connect(centre.settings.dsn("publisher")) as connection:
        connection.execute(
            "insert into quality.build (build_id, started_at, finished_at, success, is_full_refresh, generation,"
            " batches_through, otklik_version) values (%s, now(), now(), true, false, 1, 2, '0')"
            " on conflict do nothing",
            [BUILD],
        )
        connection.execute(
            "insert into quality.publication (build_id, decided_at, published, reason) values (%s, %s, false, %s)",
            [BUILD, at(decided_at), reason],
        )


def test_a_failed_critical_check_is_told_once_with_what_it_guards_and_the_report(
    alerts: Tasks, centre: TestWarehouse, sinks: tuple[MailSink, WebSink]
) -> None:
    mails, _ = sinks
    refuse(centre, "не пройдены критические проверки: 1", "2022-05-03 00:41")
    with psycopg.connect(centre.settings.dsn("publisher")) as connection:
        connection.execute(
            "insert into quality.check_run (run_id, build_id, suite, started_at, finished_at, success, evaluated,"
            " failed_critical, failed_warning) values (%s, %s, 'marts', now(), now(), false, 2, 1, 0)",
            [UUID(int=2), BUILD],
        )
        connection.execute(
            "insert into quality.check_result (run_id, expectation, severity, success, observed, protects) values"
            " (%(run)s, 'marts.fct_message: every_message_that_came_is_there', 'critical', false, '1 из 9 строк',"
            " 'Ни одно сообщение не потеряно.'),"
            " (%(run)s, 'marts.fct_incident: rows', 'critical', true, null, 'Есть строки.')",
            {"run": UUID(int=2)},
        )
    assert alerts.run("mail") == ("success", "")
    # The same night built and refused again, for the same reason.
    refuse(centre, "не пройдены критические проверки: 1", "2022-05-03 09:15")
    assert alerts.run("mail") == ("success", "")
    assert mails.subjects[2:] == ["Ночь 02.05.2022 не показана: не пройдены критические проверки: 1"]
    assert paragraphs(mails.mails[2].html)[1:] == [
        "Свердловская область: на экранах по-прежнему данные на 03.05.2022 00:00.",
        "Москва: на экранах по-прежнему данные на 02.05.2022 22:00.",
        "Не сошлось: Ни одно сообщение не потеряно. Найдено: 1 из 9 строк"
        " (marts.fct_message: every_message_that_came_is_there).",
        f'<a href="{centre.settings.site_address}/quality/" style="color: #0b4f7d">Отчёт о качестве</a>',
    ]


def run_of(dag: str, run_id: str, state: str, started: str, ended: str) -> dict[str, Any]:
    """A run as Airflow's API tells it; one of the marts follows what came, and has no interval."""
    moments = {"start_date": started, "end_date": ended, "run_after": started}
    kind, interval = ("asset_triggered", None) if dag == "marts" else ("scheduled", started)
    return {
        "dag_id": dag,
        "dag_run_id": run_id,
        "state": state,
        "run_type": kind,
        "data_interval_end": interval,
    } | moments


def test_a_failed_run_is_told_once_with_its_tasks_and_the_way_to_it(
    alerts: Tasks, centre: TestWarehouse, sinks: tuple[MailSink, WebSink]
) -> None:
    mails, web = sinks
    incidents = run_of(
        "incidents", "scheduled__2022-05-02T19:00:00+00:00", "failed", "2022-05-02T19:00:00Z", "2022-05-02T19:40:00Z"
    )
    # In this one it was decided that the night is not published: that was told, with the reason.
    marts = run_of("marts", "1", "failed", "2022-05-03T04:00:00Z", "2022-05-03T04:20:00Z")
    hours = [
        run_of("complaints", f"hour {n}", state, f"2022-05-03T{n:02}:00:00Z", f"2022-05-03T{n:02}:01:00Z")
        for n, state in enumerate(["success", "failed", "failed", "success", "failed"])
    ]
    tasks = {"task_instances": [{"task_id": name} for name in ("load", "load", "all_files_loaded")]}
    web.answers = {
        "/auth/token": {"access_token": "1"},
        "/api/v2/dags/~/dagRuns": {"dag_runs": [incidents, marts, *hours, run_of("alerts", "1", "failed", "x", "x")]},
        "/api/v2/dags/incidents/dagRuns?": {"dag_runs": [incidents]},
        "/api/v2/dags/incidents/dagRuns/scheduled__2022-05-02T19:00:00+00:00/taskInstances": tasks,
        "/api/v2/dags/marts/dagRuns?": {"dag_runs": [marts]},
        "/api/v2/dags/complaints/dagRuns?": {"dag_runs": hours[::-1]},
        "/api/v2/dags/": {"task_instances": [{"task_id": "pull"}]},
    }
    assert alerts.run("mail") == ("success", "")
    assert alerts.run("mail") == ("success", "")
    assert mails.subjects[3:] == ["Не выполнено: complaints за 03.05.2022", "Не выполнено: incidents за 02.05.2022"]
    # Of the hours that failed one after the other, the first.
    assert paragraphs(mails.mails[3].html)[1:3] == [
        "За 03.05.2022, окончено 03.05.2022 06:01; не выполнены задачи: pull.",
        "За 03.05.2022, окончено 03.05.2022 09:01; не выполнены задачи: pull.",
    ]
    assert paragraphs(mails.mails[4].html)[1:] == [
        "За 02.05.2022, окончено 03.05.2022 00:40; не выполнены задачи: load, all_files_loaded.",
        "Причина названа в журнале задачи, что делать — в описании incidents.",
        f'<a href="{centre.settings.airflow_address}/dags/incidents/runs/scheduled__2022-05-02T19%3A00%3A00%2B00%3A00"'
        ' style="color: #0b4f7d">Запуск в Airflow</a>',
    ]


def late_nights(centre: TestWarehouse, now: datetime, **changed: Any) -> list[LateNight]:
    settings = centre.settings.model_copy(update={"first_night": date(2022, 1, 1), **changed})
    return [one for one in news(settings, [], now) if isinstance(one, LateNight)]


def test_a_night_is_late_when_people_do_not_see_it_by_the_morning(centre: TestWarehouse) -> None:
    # The night of 2 May is seen on 3 May; that of 3 May is due on the morning of the 4th.
    assert late_nights(centre, at("2022-05-03 12:00")) == []
    assert late_nights(centre, at("2022-05-04 06:59")) == []
    [late, _] = late_nights(centre, at("2022-05-04 07:00"))
    assert (late.region_name, late.night) == ("Свердловская область", date(2022, 5, 3))
    assert (late.what, late.silent_sources) == ("66/2022-05-03", [])


def test_a_night_that_was_not_to_come_is_not_late(centre: TestWarehouse) -> None:
    assert late_nights(centre, at("2022-05-04 07:00"), last_night=date(2022, 5, 2)) == []
    assert late_nights(centre, at("2022-05-04 07:00"), first_night=date(2022, 5, 4)) == []
    # A region that has sent nothing for a week is not waited for any more.
    assert len(late_nights(centre, at("2022-05-10 12:00"))) == 2
    assert late_nights(centre, at("2022-05-11 12:00")) == []


def test_a_late_night_says_what_is_seen_instead_and_why(centre: TestWarehouse) -> None:
    [late, _] = late_nights(centre, at("2022-05-04 07:00"))
    refused = message_of([late], centre.settings)
    assert refused.title == "Свердловская область: ночь 03.05.2022 не пришла к 07:00"
    assert refused.lines == (
        "На экранах по-прежнему данные на 03.05.2022 00:00.",
        "Почему: не пройдены критические проверки: 1.",
    )
    assert (refused.leads_to, refused.link) == ("Ночи в Airflow", f"{centre.settings.airflow_address}/dags/incidents")


def test_a_source_that_sent_nothing_is_named(centre: TestWarehouse) -> None:
    with psycopg.connect(centre.settings.dsn("loader")) as connection:
        connection.execute(
            "insert into quality.night (region_code, source, night, file_count) values"
            " ('66', 'sverdlovsk', %(night)s, 0), ('66', 'other', %(night)s, 2)",
            {"night": at("2022-05-04 00:00")},
        )
    with psycopg.connect(centre.settings.dsn("publisher")) as connection:
        connection.execute("insert into quality.publication (build_id, published) values (%s, true)", [BUILD])
    [late, _] = late_nights(centre, at("2022-05-04 08:00"))
    assert message_of([late], centre.settings).lines[1] == "Не прислали файлов: sverdlovsk."
