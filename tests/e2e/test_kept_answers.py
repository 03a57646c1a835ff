"""Answers that Superset keeps: for whom, until when, and made anew after a night before a reader asks."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from otklik.dashboards.bundle import asset_uuid
from otklik.dashboards.warming import warm
from otklik.settings import Settings

CHART_DATA, WARM = "/api/v1/chart/data", "/api/v1/otklik/warm"


def client(settings: Settings) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{settings.superset_port}", trust_env=False, timeout=60)


@contextmanager
def reader(settings: Settings, login: str, password: str) -> Iterator[httpx.Client]:
    """A reader who has logged in as a browser does."""
    with client(settings) as browser:
        token = re.search(r'csrf_token[^>]*value="([^"]+)"', browser.get("/login/").text)
        assert token
        done = browser.post("/login/", data={"username": login, "password": password, "csrf_token": token[1]})
        assert done.status_code == httpx.codes.FOUND
        yield browser


def bearer(settings: Settings, login: str, password: str) -> dict[str, str]:
    with client(settings) as program:
        told = program.post(
            "/api/v1/security/login", json={"username": login, "password": password, "provider": "db"}
        ).json()
    return {"Authorization": f"Bearer {told['access_token']}"}


@pytest.fixture(scope="module")
def leadership(night: Settings) -> Iterator[httpx.Client]:
    with reader(night, "leadership", night.superset_leadership_login_password) as browser:
        yield browser


@pytest.fixture(scope="module")
def auditor(night: Settings) -> Iterator[httpx.Client]:
    with reader(night, "auditor", night.superset_auditor_login_password) as browser:
        yield browser


@pytest.fixture
def deputy(night: Settings) -> Iterator[httpx.Client]:
    """A second login with the roles and the password of leadership."""
    with psycopg.connect(night.dsn("superset"), autocommit=True) as superset:
        [(user,)] = superset.execute(
            "insert into ab_user (id, first_name, last_name, username, password, active, email)"
            " select nextval('ab_user_id_seq'), 'Заместитель', '', 'deputy', password, true, 'deputy@otklik.invalid'"
            " from ab_user where username = 'leadership' returning id"
        )
        superset.execute(
            "insert into ab_user_role (id, user_id, role_id) select nextval('ab_user_role_id_seq'), %s, role_id"
            " from ab_user_role where user_id = (select id from ab_user where username = 'leadership')",
            [user],
        )
        try:
            with reader(night, "deputy", night.superset_leadership_login_password) as browser:
                yield browser
        finally:
            superset.execute("delete from ab_user_role where user_id = %s", [user])
            superset.execute("delete from otklik_answer where user_id = %s", [user])
            superset.execute("delete from logs where user_id = %s", [user])
            superset.execute("delete from ab_user where id = %s", [user])


def dataset(settings: Settings, name: str) -> int:
    with psycopg.connect(settings.dsn("superset")) as superset:
        [(found,)] = superset.execute(
            "select id from tables where uuid = %s", [asset_uuid("datasets", name)]
        ).fetchall()
    return int(found)


def question(settings: Settings, name: str, *columns: str, limit: int = 1000, **form_data: Any) -> dict[str, Any]:
    query = {"columns": columns, "metrics": [], "filters": [], "orderby": [], "row_limit": limit}
    return {
        "datasource": {"id": dataset(settings, name), "type": "table"},
        "queries": [query],
        "form_data": form_data,
        "result_format": "json",
        "result_type": "full",
    }


def ask(browser: httpx.Client, body: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Whether the answer was kept, and its rows."""
    answer = browser.post(CHART_DATA, json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.headers["X-Otklik-Kept"], answer.json()["result"][0]["data"]


@contextmanager
def another_night(settings: Settings) -> Iterator[None]:
    """The marts tell that one row more was read."""
    change = "update intermediate.int_published set rows_read = rows_read + %s"
    with psycopg.connect(settings.admin_dsn(settings.db_name), autocommit=True) as admin:
        admin.execute(change, [1])
        try:
            yield
        finally:
            admin.execute(change, [-1])


def told(rows: list[dict[str, Any]]) -> str:
    return " ".join(row["rows_label"] for row in rows)


def rows_read(settings: Settings) -> list[str]:
    with psycopg.connect(settings.dsn("reader")) as marts:
        counts = marts.execute("select rows_read from marts.mart_as_of order by region_code").fetchall()
    return [f"{count:,}".replace(",", "\u00a0") for (count,) in counts]


def test_readers_of_the_same_roles_are_given_one_answer(
    night: Settings, leadership: httpx.Client, deputy: httpx.Client
) -> None:
    first = ask(leadership, question(night, "as_of", "region_name", "rows_label", limit=11, dashboardId=1))
    again = ask(deputy, question(night, "as_of", "region_name", "rows_label", limit=11, dashboardId=2))
    assert (first[0], again[0]) == ("no", "yes")
    assert first[1] == again[1] != []


def test_a_reader_with_other_roles_is_not_given_it(
    night: Settings, leadership: httpx.Client, auditor: httpx.Client
) -> None:
    body = question(night, "as_of", "region_name", limit=12)
    assert [ask(browser, body)[0] for browser in (leadership, leadership, auditor, auditor)] == ["no", "yes"] * 2


def test_a_reader_who_may_no_more_is_given_nothing(
    night: Settings, leadership: httpx.Client, deputy: httpx.Client
) -> None:
    body = question(night, "as_of", "region_name", limit=13)
    ask(leadership, body)
    assert ask(deputy, body)[0] == "yes"
    with psycopg.connect(night.dsn("superset"), autocommit=True) as superset:
        superset.execute("update ab_user set active = false where username = 'deputy'")
    refused = deputy.post(CHART_DATA, json=body)
    assert refused.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def test_nobody_who_has_not_logged_in_is_given_an_answer(night: Settings, leadership: httpx.Client) -> None:
    body = question(night, "as_of", "region_name", limit=14)
    ask(leadership, body)
    with client(night) as stranger:
        refused = stranger.post(CHART_DATA, json=body)
    assert refused.status_code == httpx.codes.UNAUTHORIZED
    assert "X-Otklik-Kept" not in refused.headers


def test_an_answer_does_not_outlive_its_night(night: Settings, leadership: httpx.Client) -> None:
    shown, other = question(night, "as_of", "rows_label", limit=15), question(night, "year_summary", "title", limit=15)
    for body in (shown, other):
        ask(leadership, body)
        assert ask(leadership, body)[0] == "yes"
    with another_night(night):
        kept, rows = ask(leadership, shown)
        assert kept == "no"
        assert [count for count in rows_read(night) if count not in told(rows)] == []
        assert ask(leadership, other)[0] == "no"
    assert ask(leadership, shown)[0] == "no"


def test_an_answer_made_while_the_night_changed_is_kept_for_neither(night: Settings, leadership: httpx.Client) -> None:
    body = question(night, "year_summary", "title", limit=16)
    kept = []
    slow = threading.Thread(target=lambda: kept.append(ask(leadership, body)[0]))
    with psycopg.connect(night.admin_dsn(night.db_name)) as admin:
        admin.execute("lock table marts.mart_year_summary in access exclusive mode")
        slow.start()
        wait_until_somebody_waits(night)
        with another_night(night):
            admin.rollback()
            slow.join()
            assert ask(leadership, body)[0] == "no"
    assert kept == ["no"]
    assert ask(leadership, body)[0] == "no"


def wait_until_somebody_waits(settings: Settings) -> None:
    with psycopg.connect(settings.admin_dsn(settings.db_name), autocommit=True) as admin:
        for _ in range(200):
            if admin.execute(
                "select 1 from pg_locks where not granted and relation = 'marts.mart_year_summary'::regclass"
            ).fetchone():
                return
            time.sleep(0.05)
    raise AssertionError("The question did not come to the locked mart")


def test_what_changes_without_a_night_is_never_kept(night: Settings, auditor: httpx.Client) -> None:
    body = question(night, "quality_check", "stage")
    assert [ask(auditor, body)[0] for _ in range(2)] == ["no", "no"]


def test_a_changed_metric_is_asked_anew_by_everybody(night: Settings, leadership: httpx.Client) -> None:
    body = question(night, "as_of", limit=17)
    body["queries"][0]["metrics"] = ["region_order"]
    ask(leadership, body)
    assert ask(leadership, body) == ("yes", [{"region_order": first_region(night, "region_code")}])
    with metric(night, "as_of", "region_order", "min(region_name)"):
        assert ask(leadership, body) == ("no", [{"region_order": first_region(night, "region_name")}])
    assert ask(leadership, body) == ("no", [{"region_order": first_region(night, "region_code")}])


def first_region(settings: Settings, column: str) -> str:
    with psycopg.connect(settings.dsn("reader")) as marts:
        [(first,)] = marts.execute(f"select min({column}) from marts.mart_as_of").fetchall()  # noqa: S608 - ours
    return str(first)


@contextmanager
def metric(settings: Settings, name: str, metric_name: str, expression: str) -> Iterator[None]:
    """The only metric of a dataset has another expression, by an engineer's hand."""
    token = bearer(settings, "engineer", settings.superset_engineer_login_password)
    address = f"/api/v1/dataset/{dataset(settings, name)}"
    with client(settings) as engineer:
        csrf = engineer.get("/api/v1/security/csrf_token/", headers=token).json()["result"]
        [before] = engineer.get(address, headers=token).json()["result"]["metrics"]

        def write(wanted: str) -> None:
            told = {"id": before["id"], "metric_name": metric_name, "expression": wanted}
            engineer.put(address, headers=token | {"X-CSRFToken": csrf}, json={"metrics": [told]}).raise_for_status()

        write(expression)
        try:
            yield
        finally:
            write(before["expression"])


def test_what_a_dashboard_is_made_of_is_kept_too(leadership: httpx.Client) -> None:
    charts = [leadership.get("/api/v1/dashboard/vremya-otveta/charts") for _ in range(2)]
    assert charts[1].headers["X-Otklik-Kept"] == "yes"
    assert charts[0].json() == charts[1].json()


def test_a_new_night_is_asked_for_before_its_readers_come(night: Settings, leadership: httpx.Client) -> None:
    body = question(night, "as_of", "rows_label", limit=18)
    ask(leadership, body)
    with another_night(night):
        done = warm(night)
        assert done.asked > done.failed
        kept, rows = ask(leadership, body)
        assert kept == "yes"
        assert [count for count in rows_read(night) if count not in told(rows)] == []
        # Nothing is asked twice.
        assert warm(night).asked == 0


def test_what_was_asked_in_other_roles_is_not_asked_again(night: Settings, deputy: httpx.Client) -> None:
    ask(deputy, question(night, "as_of", "region_name", limit=20))
    of_deputy = "select count(*) from otklik_answer join ab_user on ab_user.id = user_id where username = 'deputy'"
    with psycopg.connect(night.dsn("superset"), autocommit=True) as superset:
        assert superset.execute(of_deputy).fetchone() == (1,)
        superset.execute(
            "insert into ab_user_role (id, user_id, role_id) select nextval('ab_user_role_id_seq'), deputy.id, role_id"
            " from ab_user as deputy, ab_user_role join ab_user as auditor on auditor.id = user_id"
            " where deputy.username = 'deputy' and auditor.username = 'auditor'"
            " and role_id not in (select role_id from ab_user_role where user_id = deputy.id)"
        )
        with another_night(night):
            warm(night)
            assert superset.execute(of_deputy).fetchone() == (0,)


def test_what_is_kept_is_found_after_the_database_was_started_again(night: Settings, leadership: httpx.Client) -> None:
    body = question(night, "as_of", "region_name", limit=19)
    ask(leadership, body)
    with psycopg.connect(night.admin_dsn(night.db_name), autocommit=True) as admin:
        ended = admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename in ('otklik_reader', 'otklik_superset') and pid <> pg_backend_pid()"
        ).fetchall()
    assert len(ended) > 1
    assert [ask(leadership, body)[0] for _ in range(6)] == ["yes"] * 6


def test_what_a_page_tells_of_its_own_drawing_is_kept_nowhere(night: Settings, leadership: httpx.Client) -> None:
    leadership.get("/superset/dashboard/itogi-goda/").raise_for_status()
    told = [{"event_name": "load_chart", "source": "dashboard", "source_id": 1, "duration": 250}]
    answer = leadership.post("/superset/log/?explode=events", data={"events": json.dumps(told)})
    assert answer.status_code == httpx.codes.OK
    with psycopg.connect(night.dsn("superset")) as superset:
        actions = {action for (action,) in superset.execute("select distinct action from logs")}
    # Who opened which dashboard is.
    assert "dashboard" in actions
    assert "load_chart" not in actions


def test_only_engineers_have_questions_asked_again(night: Settings, leadership: httpx.Client) -> None:
    # A browser's cookie does not do, so no other site can make it ask.
    assert leadership.post(WARM).status_code == httpx.codes.UNAUTHORIZED
    with client(night) as program:
        assert program.post(WARM).status_code == httpx.codes.UNAUTHORIZED
        token = bearer(night, "leadership", night.superset_leadership_login_password)
        assert program.post(WARM, headers=token).status_code == httpx.codes.FORBIDDEN
