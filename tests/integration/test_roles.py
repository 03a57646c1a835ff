"""Roles and databases on a real server: who may enter where, and that preparing can be repeated."""

from collections.abc import Iterator

import psycopg
import pytest

from otklik.runtime.postgres import Cluster
from otklik.settings import DATABASE_ROLES, Settings, get_settings
from otklik.warehouse import roles
from otklik.warehouse.migrate import upgrade
from otklik.warehouse.roles import DatabaseError, check_server, connect_as_admin, prepare_server
from tests.fixtures.cluster import environment, free_port, running, scratch_home


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn) as connection:
        return connection.execute(question).fetchone()[0]


def variables(settings: Settings, **others: str) -> dict[str, str]:
    return {name.removeprefix("OTKLIK_"): value for name, value in settings.environment().items()} | others


@pytest.mark.parametrize("role", DATABASE_ROLES)
def test_every_role_enters_the_warehouse_and_counts_time_in_utc(module_warehouse: Settings, role: str) -> None:
    assert ask(module_warehouse.dsn(role), "select current_user") == f"otklik_{role}"
    assert ask(module_warehouse.dsn(role), "show timezone") == "UTC"


@pytest.mark.parametrize("service", ["airflow", "superset"])
def test_a_service_owns_its_own_database_and_enters_no_other(module_warehouse: Settings, service: str) -> None:
    own = module_warehouse.dsn(service)
    assert ask(own, "select pg_get_userbyid(datdba) from pg_database where datname = current_database()") == (
        f"otklik_{service}"
    )
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(own, dbname=module_warehouse.db_name)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(module_warehouse.dsn("reader"), dbname=f"otklik_{service}")


def test_a_wrong_password_is_refused(module_warehouse: Settings) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(module_warehouse.dsn("reader"), password="guess")


@pytest.mark.parametrize("role", ["loader", "transformer", "reader", "analyst", "auditor", "engineer"])
def test_only_owner_and_publisher_may_make_schemas(module_warehouse: Settings, role: str) -> None:
    with (
        psycopg.connect(module_warehouse.dsn(role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("create schema mine")


@pytest.mark.parametrize("role", ["loader", "transformer", "publisher", "reader", "analyst", "auditor", "engineer"])
def test_nobody_uses_the_public_schema(module_warehouse: Settings, role: str) -> None:
    with (
        psycopg.connect(module_warehouse.dsn(role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("create table public.mine (a integer)")


@pytest.mark.parametrize("role", ["publisher", "reader", "analyst", "auditor", "engineer"])
def test_only_who_loads_and_who_builds_makes_temporary_tables(module_warehouse: Settings, role: str) -> None:
    with psycopg.connect(module_warehouse.dsn("transformer")) as connection:
        connection.execute("create temporary table of_a_night (a integer)")
    with (
        psycopg.connect(module_warehouse.dsn(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("create temporary table of_a_night (a integer)")


@pytest.mark.parametrize(
    ("role", "limit"), [("reader", "1min"), ("analyst", "5min"), ("auditor", "5min"), ("loader", "0")]
)
def test_peoples_questions_end_by_themselves_and_the_load_does_not(
    module_warehouse: Settings, role: str, limit: str
) -> None:
    assert ask(module_warehouse.dsn(role), "show statement_timeout") == limit


def test_a_reader_finds_marts_without_naming_the_schema(module_warehouse: Settings) -> None:
    assert ask(module_warehouse.dsn("reader"), "show search_path") == "marts"
    assert ask(module_warehouse.dsn("analyst"), "show search_path") == "marts, quality"


@pytest.fixture
def server() -> Iterator[Settings]:
    """A server of one's own, without any of our roles."""
    with scratch_home():
        settings = get_settings()
        with running(Cluster.of(settings), settings):
            yield settings


def test_preparing_again_changes_nothing_but_passwords_that_changed(server: Settings) -> None:
    state = "select array_agg((rolname, rolsuper, rolconfig)::text order by rolname)::text from pg_roles"
    rights = "select array_agg((datname, datdba, datacl)::text order by datname)::text from pg_database"
    prepare_server(server)
    before = ask(server.admin_dsn(), state), ask(server.admin_dsn(), rights)
    prepare_server(server)
    assert (ask(server.admin_dsn(), state), ask(server.admin_dsn(), rights)) == before
    with environment(**variables(server, READER_PASSWORD="changed")):
        prepare_server(get_settings())
        assert ask(get_settings().dsn("reader"), "select 1") == 1
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn("reader"))


def test_an_existing_server_is_prepared_by_a_role_that_is_no_superuser(server: Settings) -> None:
    with connect_as_admin(server) as admin:
        admin.execute("create role dba login createrole createdb password 'dba'")
    url = f"postgresql://dba:dba@127.0.0.1:{server.db_port}/postgres"
    with environment(**variables(server, DATABASE_URL=url)):
        existing = get_settings()
        assert existing.embedded is False
        prepare_server(existing)
        prepare_server(existing)
        assert upgrade(existing) is True
        assert ask(existing.dsn("loader"), "select count(*) from raw.batch") == 0


def test_rights_an_existing_server_withholds_are_named_with_what_to_run(server: Settings) -> None:
    with connect_as_admin(server) as admin:
        admin.execute("create role visitor login password 'visitor'")
    url = f"postgresql://visitor:visitor@127.0.0.1:{server.db_port}/postgres"
    with environment(**variables(server, DATABASE_URL=url)), pytest.raises(DatabaseError) as refusal:
        prepare_server(get_settings())
    assert str(refusal.value) == (
        "Role 'visitor' of OTKLIK_DATABASE_URL lacks CREATEROLE and CREATEDB. "
        'As a superuser run: alter role "visitor" createrole createdb;'
    )


def test_an_unreachable_server_is_named_without_its_password(cluster: Settings) -> None:
    port = free_port()
    url = f"postgresql://dba:secret@127.0.0.1:{port}/postgres"
    with environment(**variables(cluster, DATABASE_URL=url)), pytest.raises(DatabaseError) as refusal:
        prepare_server(get_settings())
    assert str(refusal.value).startswith(f"PostgreSQL at 127.0.0.1:{port} cannot be reached: ")
    assert "Connection refused" in str(refusal.value)
    assert str(refusal.value).endswith("in OTKLIK_DATABASE_URL, or unset it to use the embedded database.")
    assert "secret" not in str(refusal.value)


def test_a_server_that_is_too_old_is_refused(cluster: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # There is no server older than 16 at hand, so the limit is moved instead of the server.
    monkeypatch.setattr(roles, "OLDEST_SERVER", 99)
    with connect_as_admin(cluster) as admin, pytest.raises(DatabaseError) as refusal:
        check_server(admin)
    assert str(refusal.value).startswith("PostgreSQL 18 is too old: Otklik needs 99 or newer.")
