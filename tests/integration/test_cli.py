"""The command `otklik`, run as people run it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from otklik.settings import Settings
from tests.fixtures.cluster import scratch_home

OTKLIK = Path(sys.prefix) / "bin" / "otklik"


def otklik(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run([OTKLIK, *arguments], capture_output=True, text=True, check=False, env=environment)


def test_help_teaches_by_examples() -> None:
    told = otklik("--help").stdout
    for example in ("otklik up", "otklik status", "otklik sql", "otklik doctor", "otklik down"):
        assert example in told
    assert "--role" in otklik("sql", "--help").stdout


def test_sql_prints_csv_with_a_header_and_nothing_else(module_warehouse: Settings) -> None:
    query = "select 'Иванов, «я»' as name, null as absent, '' as empty, 54548 as messages -- all; of them\n;"
    answer = otklik("sql", query, "--role", "reader")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == 'name,absent,empty,messages\n"Иванов, «я»",,"",54548\n'


@pytest.mark.parametrize("role", ["reader", "analyst", "auditor", "engineer"])
def test_sql_asks_as_the_role_named(module_warehouse: Settings, role: str) -> None:
    assert otklik("sql", "select current_user", "--role", role).stdout == f"current_user\notklik_{role}\n"


def test_sql_refuses_what_the_role_may_not_see_with_the_databases_words(module_warehouse: Settings) -> None:
    with psycopg.connect(module_warehouse.dsn("owner")) as connection:
        connection.execute("create table if not exists raw.secret (a integer)")
    refused = otklik("sql", "select * from raw.secret", "--role", "auditor")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("permission denied for schema raw")


def test_sql_can_only_ask(module_warehouse: Settings) -> None:
    refused = otklik("sql", "drop table raw.batch", "--role", "engineer")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert 'syntax error at or near "drop"' in refused.stderr
    assert otklik("sql", "select 1) to stdout; drop table raw.batch; --", "--role", "engineer").returncode == 1
    assert otklik("sql", "select count(*) from raw.batch", "--role", "engineer").stdout == "count\n0\n"


def test_sql_takes_no_role_of_the_pipeline(module_warehouse: Settings) -> None:
    refused = otklik("sql", "select 1", "--role", "owner")
    assert (refused.returncode, refused.stdout) == (2, "")


def test_a_wide_answer_is_streamed_whole(module_warehouse: Settings) -> None:
    answer = otklik(
        "sql", "select n, repeat('я', 1000) as text from generate_series(1, 20000) as n", "--role", "analyst"
    )
    rows = answer.stdout.splitlines()
    assert len(rows) == 20001
    assert rows[-1] == "20000," + "я" * 1000


def test_status_of_what_never_started_is_3_and_stopping_it_is_no_error() -> None:
    with scratch_home():
        status = otklik("status")
        assert status.returncode == 3
        assert status.stdout.count("STOPPED") == 7
        down = otklik("down")
        assert (down.returncode, "nothing was running" in down.stderr) == (0, True)


def test_without_settings_every_command_says_what_to_do(tmp_path: Path) -> None:
    with scratch_home() as home:
        (home / ".env").unlink()
        refused = otklik("status")
    assert refused.returncode == 1
    assert "`otklik up` generates them into" in refused.stderr


def test_up_starts_nothing_when_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with scratch_home(SITE_PORT=str(port)) as home:
            refused = otklik("up")
            assert refused.returncode == 1
            assert f"Port {port} (OTKLIK_SITE_PORT) is in use by process {os.getpid()}" in refused.stderr
            assert not (home / "var" / "postgres").exists()


def test_up_says_how_an_existing_server_fails_it() -> None:
    with scratch_home(DATABASE_URL="postgresql://dba:dba@127.0.0.1:1/postgres"):
        refused = otklik("up")
    assert refused.returncode == 1
    assert "PostgreSQL at 127.0.0.1:1 cannot be reached" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_doctor_tells_well_from_ill_and_what_to_do(module_warehouse: Settings) -> None:
    told = otklik("doctor")
    assert told.returncode == 1
    assert "✓ The warehouse's tables are at this version" in told.stdout
    assert f"✗ The site: http://127.0.0.1:{module_warehouse.site_port}/ does not answer" in told.stdout
    assert f"→ Run `otklik up`; its log is {module_warehouse.var / 'log' / 'site.log'}." in told.stdout


def test_doctor_finds_secrets_that_others_may_read(module_warehouse: Settings) -> None:
    module_warehouse.env_file.chmod(0o644)
    told = otklik("doctor").stdout
    module_warehouse.env_file.chmod(0o600)
    assert f"✗ {module_warehouse.env_file} has mode 644\n    → Others may read the secrets: chmod 600" in told
