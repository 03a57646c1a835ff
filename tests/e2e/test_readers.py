"""Each reader sees what is theirs and nothing else: as a page, over the API, and in SQL Lab."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from secrets import token_hex

import httpx
import pytest

from otklik.dashboards.assets import columns_of
from otklik.settings import Settings
from tests.e2e import readers
from tests.e2e.readers import ASSETS, LOGINS, ask, number, rows, slug, sql

REFUSED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}
# They look at dashboards; auditors, analysts and engineers look behind them, too.
ONLY_DASHBOARDS = ("leadership", "authority")
WITHOUT_SQL_LAB = ("leadership", "authority", "auditor")

Reader = Callable[[str], httpx.Client]


@pytest.fixture(scope="module")
def reader(night: Settings) -> Iterator[Reader]:
    """Whoever is asked for, logged in once."""
    with ExitStack() as stack:
        yield cache(lambda login: stack.enter_context(readers.reader(night, login)))


@pytest.fixture(scope="module")
def nobody(night: Settings) -> Iterator[httpx.Client]:
    with readers.anonymous(night) as client:
        yield client


def custom(expression: str) -> dict[str, str]:
    """A metric or column in SQL of one's own."""
    return {"expressionType": "SQL", "sqlExpression": expression, "label": "own"}


def run_sql(client: httpx.Client, database: int, text: str) -> httpx.Response:
    """Run SQL in SQL Lab, as its page does."""
    body = {"database_id": database, "sql": text, "runAsync": False, "queryLimit": 100, "client_id": token_hex(5)}
    return client.post("/api/v1/sqllab/execute/", json=body)


# ---- Nobody anonymous ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *(f"/superset/dashboard/{slug(name)}/" for name in ASSETS["dashboards"]),
        "/dashboard/list/",
        "/chart/list/",
        "/sqllab/",
        "/explore/",
        "/superset/welcome/",
        "/users/list/",
    ],
)
def test_somebody_not_logged_in_is_led_to_the_login_and_sees_no_page(nobody: httpx.Client, path: str) -> None:
    answer = nobody.get(path, follow_redirects=True)
    assert answer.status_code in REFUSED or answer.url.path == "/login/"


@pytest.mark.parametrize("kind", ["dashboard", "chart", "dataset", "database", "query", "log", "rowlevelsecurity"])
def test_the_api_tells_nothing_to_somebody_not_logged_in(nobody: httpx.Client, kind: str) -> None:
    for path in (f"/api/v1/{kind}/", f"/api/v1/{kind}/1"):
        answer = nobody.get(path)
        assert answer.status_code in REFUSED or answer.json() == {"count": 0, **answer.json(), "result": []}, path


def test_no_data_go_to_somebody_not_logged_in(night: Settings, nobody: httpx.Client) -> None:
    answer = ask(nobody, number(night, "datasets", "as_of"), columns=["region_name"], metrics=[])
    assert answer.status_code in REFUSED | {httpx.codes.BAD_REQUEST}
    assert "Свердловская" not in answer.text
    assert run_sql(nobody, number(night, "databases", "analysts"), "select 1").status_code in REFUSED | {
        httpx.codes.BAD_REQUEST
    }


def test_a_wrong_password_opens_nothing(night: Settings) -> None:
    told = {"username": "leadership", "password": "guess", "provider": "db", "refresh": False}
    with readers.anonymous(night) as client:
        assert client.post("/api/v1/security/login", json=told).status_code == httpx.codes.UNAUTHORIZED


# ---- What each reader opens ----------------------------------------------------------------------


@pytest.mark.parametrize("login", LOGINS)
def test_a_reader_lands_on_the_dashboard_that_is_theirs(reader: Reader, login: str) -> None:
    landed = reader(login).get("/", follow_redirects=True)
    assert landed.status_code == httpx.codes.OK
    assert landed.url.path == f"/superset/dashboard/{readers.ACCESS['users'][login]['home']}/"


@pytest.mark.parametrize("login", LOGINS)
def test_a_reader_opens_exactly_the_dashboards_their_role_is_named_in(reader: Reader, login: str) -> None:
    opened = {}
    for name in ASSETS["dashboards"]:
        page = reader(login).get(f"/superset/dashboard/{slug(name)}/")
        told = reader(login).get(f"/api/v1/dashboard/{slug(name)}")
        opened[name] = (page.status_code == httpx.codes.OK, told.status_code == httpx.codes.OK)
    mine = readers.dashboards_of(login)
    assert opened == {name: (name in mine, name in mine) for name in ASSETS["dashboards"]}
    listed = reader(login).get("/api/v1/dashboard/?q=(page_size:100)").json()["result"]
    assert {dashboard["slug"] for dashboard in listed} == {slug(name) for name in mine}


@pytest.mark.parametrize("login", ONLY_DASHBOARDS)
def test_only_data_of_ones_own_dashboards_are_read(night: Settings, reader: Reader, login: str) -> None:
    answered = set()
    for name, dataset in ASSETS["datasets"].items():
        answer = ask(reader(login), number(night, "datasets", name), columns=columns_of(dataset)[:1], metrics=[])
        assert answer.status_code in (httpx.codes.OK, httpx.codes.FORBIDDEN), (name, answer.text)
        if answer.status_code == httpx.codes.OK:
            answered.add(name)
    assert answered == readers.readable_datasets(login)


@pytest.mark.parametrize("login", ONLY_DASHBOARDS)
@pytest.mark.parametrize(
    "path", ["/sqllab/", "/explore/", "/tablemodelview/list/", "/users/list/", "/api/v1/dataset/", "/api/v1/database/"]
)
def test_who_looks_at_dashboards_has_no_way_behind_them(reader: Reader, login: str, path: str) -> None:
    assert reader(login).get(path).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("login", ONLY_DASHBOARDS)
def test_who_looks_at_dashboards_changes_nothing(night: Settings, reader: Reader, login: str) -> None:
    client = reader(login)
    chart = number(night, "charts", "as_of")
    dashboard = number(night, "dashboards", readers.dashboards_of(login)[0])
    dataset = number(night, "datasets", "as_of")
    tried = [
        client.put(f"/api/v1/chart/{chart}", json={"slice_name": "Чужое"}),
        client.delete(f"/api/v1/chart/{chart}"),
        client.put(f"/api/v1/dashboard/{dashboard}", json={"dashboard_title": "Чужое"}),
        client.delete(f"/api/v1/dashboard/{dashboard}"),
        client.post("/api/v1/dashboard/", json={"dashboard_title": "Своё"}),
        client.put(f"/api/v1/dataset/{dataset}", json={"sql": "select 1"}),
        client.post(
            "/api/v1/chart/", json={"slice_name": "Своё", "datasource_id": dataset, "datasource_type": "table"}
        ),
        client.post("/api/v1/rowlevelsecurity/", json={}),
    ]
    assert {answer.status_code for answer in tried} == {httpx.codes.FORBIDDEN}


@pytest.mark.parametrize("login", ["auditor", "analyst"])
def test_what_files_describe_is_changed_by_files_only(night: Settings, reader: Reader, login: str) -> None:
    client = reader(login)
    chart, dataset = number(night, "charts", "as_of"), number(night, "datasets", "as_of")
    dashboard = number(night, "dashboards", "data_quality")
    tried = [
        client.put(f"/api/v1/chart/{chart}", json={"slice_name": "Чужое"}),
        client.put(f"/api/v1/dashboard/{dashboard}", json={"dashboard_title": "Чужое"}),
        client.put(f"/api/v1/dataset/{dataset}", json={"description": "Чужое"}),
    ]
    assert {answer.status_code for answer in tried} == {httpx.codes.FORBIDDEN}


# ---- SQL of one's own ----------------------------------------------------------------------------


@pytest.mark.parametrize("login", ONLY_DASHBOARDS)
@pytest.mark.parametrize(
    "query",
    [
        {"columns": [], "metrics": [custom("(select count(*) from marts.fct_incident)")]},
        # Functions that run a query: no sub-query is seen in them.
        {"columns": [custom("(ts_stat('select to_tsvector(authority) from marts.fct_incident')).word")], "metrics": []},
        {"columns": [], "metrics": [custom("max(query_to_xml('select 1', true, true, '')::text)")]},
        {"columns": [], "metrics": [custom("count(*)")]},
        {"columns": ["region_name"], "metrics": [], "orderby": [[custom("count(*)"), True]]},
        {"columns": ["region_name"], "metrics": [], "filters": [{"col": custom("1"), "op": "==", "val": 1}]},
        {"columns": ["region_name"], "metrics": [], "extras": {"where": "1 = 1) or (1 = 1"}},
        {"columns": ["region_name"], "metrics": [], "extras": {"where": "true"}},
        {"columns": ["region_name"], "metrics": [], "extras": {"having": "count(*) > 0"}},
        {"columns": ["region_name"], "metrics": [], "extras": {"where": "{{ current_username() }} is null"}},
    ],
)
def test_a_chart_is_asked_in_no_sql_of_ones_own(
    night: Settings, reader: Reader, login: str, query: dict[str, object]
) -> None:
    answer = ask(reader(login), number(night, "datasets", "backlog_now"), **query)
    assert answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN), answer.text
    assert "data" not in answer.json()


@pytest.mark.parametrize("login", WITHOUT_SQL_LAB)
@pytest.mark.parametrize("database", ASSETS["databases"])
def test_sql_lab_is_closed(night: Settings, reader: Reader, login: str, database: str) -> None:
    assert reader(login).get("/sqllab/").status_code == httpx.codes.FORBIDDEN
    assert run_sql(reader(login), number(night, "databases", database), "select 1").status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize(
    "query", ["select count(*) as total from marts.fct_incident", "select count(*) as total from quality.check_run"]
)
def test_an_analyst_asks_marts_and_quality_in_sql(night: Settings, reader: Reader, query: str) -> None:
    answer = run_sql(reader("analyst"), number(night, "databases", "analysts"), query)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert [tuple(row.values()) for row in answer.json()["data"]] == sql(night, query, "analyst")


@pytest.mark.parametrize("database", ASSETS["databases"])
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("select message_text from raw.incident limit 1", "permission denied for schema raw"),
        ("select * from staging.stg_raw__batch limit 1", "permission denied for schema staging"),
        ("create table marts.mine (a integer)", None),
        ("update quality.publication set published = true", None),
        ("delete from marts.mart_year_summary", None),
    ],
)
def test_an_analyst_reads_nothing_else_and_writes_nothing(
    night: Settings, reader: Reader, database: str, statement: str, said: str | None
) -> None:
    answer = run_sql(reader("analyst"), number(night, "databases", database), statement)
    assert answer.status_code >= httpx.codes.BAD_REQUEST
    assert said is None or said in answer.text


def test_sql_lab_offers_analysts_their_own_connection_only(reader: Reader) -> None:
    answer = reader("analyst").get("/api/v1/database/?q=(filters:!((col:expose_in_sqllab,opr:eq,value:!t)))").json()
    named = [ASSETS["databases"]["analysts"]["database_name"]]
    assert [database["database_name"] for database in answer["result"]] == named


@pytest.mark.parametrize("login", ["auditor", "analyst", "engineer"])
def test_a_connection_tells_no_password(night: Settings, reader: Reader, login: str) -> None:
    secrets = [getattr(night, f"{role}_password") for role in ("reader", "analyst", "auditor")]
    for name in ASSETS["databases"]:
        database = number(night, "databases", name)
        for path in (f"/api/v1/database/{database}", f"/api/v1/database/{database}/connection"):
            told = reader(login).get(path).text
            assert not [secret for secret in secrets if secret in told], path


@pytest.mark.parametrize("role", ["reader", "analyst", "auditor"])
def test_the_roles_superset_reads_as_have_no_way_to_raw(night: Settings, role: str) -> None:
    asked = "select nspname from pg_namespace where has_schema_privilege(oid, 'usage') and nspname !~ '^pg_'"
    schemas = {schema for (schema,) in sql(night, asked, role)} - {"information_schema", "public"}
    assert schemas == ({"marts"} if role == "reader" else {"marts", "quality"})


# ---- Rows of one's own ---------------------------------------------------------------------------


def narrowed() -> list[str]:
    """The datasets an authority reads that tell authorities apart."""
    read = readers.readable_datasets("authority")
    return sorted(name for name in read if "authority" in columns_of(ASSETS["datasets"][name]))


@pytest.mark.parametrize("dataset", narrowed())
def test_an_authority_sees_its_own_rows_also_where_others_answers_are_kept(
    night: Settings, reader: Reader, dataset: str
) -> None:
    asked = {"columns": ["authority"], "metrics": []}
    everybody = rows(ask(reader("leadership"), number(night, "datasets", dataset), **asked))
    own = rows(ask(reader("authority"), number(night, "datasets", dataset), **asked))
    assert len(everybody) > 1
    assert own == [{"authority": night.superset_authority}]


@pytest.mark.parametrize("dataset", narrowed())
def test_an_authority_that_asks_for_another_gets_nothing(night: Settings, reader: Reader, dataset: str) -> None:
    other = [{"col": "authority", "op": "!=", "val": night.superset_authority}]
    asked = {"columns": ["authority"], "metrics": [], "filters": other}
    assert rows(ask(reader("authority"), number(night, "datasets", dataset), **asked)) == []


def test_the_number_an_authority_sees_is_the_marts_of_its_own_rows(night: Settings, reader: Reader) -> None:
    this_year = [{"col": "series", "op": "==", "val": "Среднее за месяц"}]
    asked = {"columns": [], "metrics": ["mean_time_to_respond"], "filters": this_year}
    [shown] = rows(ask(reader("authority"), number(night, "datasets", "response_day"), **asked))
    [(hours,)] = sql(
        night,
        """
        select (sum(minutes_sum) / sum(answered_count) / 60)::float
        from marts.mart_time_to_respond where authority = %(authority)s
        """,
        authority=night.superset_authority,
    )
    assert shown["mean_time_to_respond"] == pytest.approx(hours)
