"""Settings come from the environment, then from the private file of the home; secrets are made once."""

import os
import stat
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dotenv import dotenv_values

from otklik.settings import Settings, SettingsError, ensure_env_file, get_settings
from tests.fixtures.cluster import environment


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with environment(HOME=str(tmp_path)):
        yield tmp_path


@pytest.fixture
def secrets(home: Path) -> dict[str, str]:
    """All generated settings by the names they have in the environment, without the prefix."""
    ensure_env_file()
    return {name.removeprefix("OTKLIK_"): str(value) for name, value in dotenv_values(home / ".env").items()}


def test_secrets_are_made_once_and_kept(home: Path) -> None:
    assert ensure_env_file() is True
    written = (home / ".env").read_text()
    assert ensure_env_file() is False
    assert (home / ".env").read_text() == written
    assert len({get_settings().reader_password, get_settings().owner_password, get_settings().author_key}) == 3


def test_only_the_owner_may_read_the_file_of_secrets(home: Path) -> None:
    (home / ".env").write_text("OTKLIK_SITE_PORT=9999\n")
    (home / ".env").chmod(0o644)
    ensure_env_file()
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600


def test_what_the_file_holds_is_kept_and_only_what_is_missing_is_added(home: Path) -> None:
    (home / ".env").write_text("OTKLIK_READER_PASSWORD=chosen\nOTKLIK_SITE_PORT=9999")
    ensure_env_file()
    assert get_settings().reader_password == "chosen"
    assert get_settings().site_port == 9999
    assert (home / ".env").read_text().count("OTKLIK_READER_PASSWORD") == 1


def test_the_environment_wins_over_the_file(secrets: dict[str, str], home: Path) -> None:
    with environment(HOME=str(home), READER_PASSWORD="from-environment"):
        assert get_settings().reader_password == "from-environment"
        assert get_settings().analyst_password == secrets["ANALYST_PASSWORD"]


def test_a_secret_given_by_the_environment_is_not_written_down(home: Path) -> None:
    with environment(HOME=str(home), AUTHOR_KEY="kept-elsewhere"):
        ensure_env_file()
    assert "OTKLIK_AUTHOR_KEY=" not in (home / ".env").read_text()


def test_missing_secrets_are_named_with_what_to_do(home: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        get_settings()
    assert "OTKLIK_AUTHOR_KEY" in str(refusal.value)
    assert f"`otklik up` generates them into {home / '.env'}" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("TIME_ZONE", "Mars/Olympus", "OTKLIK_TIME_ZONE: no time zone is called 'Mars/Olympus'"),
        ("SITE_PORT", "99999", "OTKLIK_SITE_PORT: Input should be less than or equal to 65535"),
        (
            "DATABASE_URL",
            "mysql://a@b/c",
            "OTKLIK_DATABASE_URL: expected postgresql://user:password@host:port/database",
        ),
        ("LAST_NIGHT", "31.12.2022", "OTKLIK_LAST_NIGHT: "),
        ("DB_NAME", "a b", "OTKLIK_DB_NAME: "),
        ("READER_PASSWORD", 'with"quote', "OTKLIK_READER_PASSWORD: "),
    ],
)
def test_a_wrong_setting_is_named(secrets: dict[str, str], home: Path, name: str, value: str, complaint: str) -> None:
    with environment(**secrets | {"HOME": str(home), name: value}), pytest.raises(SettingsError) as refusal:
        get_settings()
    assert complaint in str(refusal.value)


def test_addresses_follow_role_and_port_and_quote_the_password(secrets: dict[str, str], home: Path) -> None:
    with environment(**secrets | {"HOME": str(home), "LOADER_PASSWORD": "p@ss/w:rd", "DB_PORT": "55999"}):
        settings = get_settings()
        assert settings.dsn("loader") == "postgresql://otklik_loader:p%40ss%2Fw%3Ard@127.0.0.1:55999/otklik"
        airflow = f"otklik_airflow:{settings.airflow_db_password}@127.0.0.1:55999/otklik_airflow"
        assert settings.sqlalchemy_url("airflow") == f"postgresql+psycopg://{airflow}"
        with pytest.raises(SettingsError, match="no database role is called 'root'"):
            settings.dsn("root")


def test_an_existing_server_is_found_by_its_address_alone(secrets: dict[str, str], home: Path) -> None:
    url = "postgresql://dba:se%40cret@db.example:6543/maintenance?sslmode=require"
    left_over = {"DB_HOST": "127.0.0.1", "DB_PORT": "54320"}
    with environment(**secrets | left_over | {"HOME": str(home), "DATABASE_URL": url, "READER_PASSWORD": "r"}):
        settings = get_settings()
        assert settings.embedded is False
        assert settings.dsn("reader") == "postgresql://otklik_reader:r@db.example:6543/otklik?sslmode=require"
        assert settings.admin_dsn() == url
        assert settings.admin_dsn("otklik") == "postgresql://dba:se%40cret@db.example:6543/otklik?sslmode=require"
        # dbt takes host and port apart; libpq's own variables carry the rest.
        assert settings.environment()["OTKLIK_DB_HOST"] == "db.example"
        assert settings.environment()["PGSSLMODE"] == "require"


def test_everything_has_its_place_in_the_home(secrets: dict[str, str], home: Path) -> None:
    settings = get_settings()
    assert (settings.inbox, settings.landing) == (str(home / "var/inbox"), str(home / "var/landing"))
    assert settings.mappings == (home / "mappings",)
    with environment(HOME=str(home), MAPPINGS="/a:/b"):
        assert get_settings().mappings == (Path("/a"), Path("/b"))


def test_the_first_night_is_the_day_of_the_first_start_in_the_local_zone(home: Path) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")
    with environment(HOME=str(home), TIME_ZONE="Pacific/Kiritimati"):
        before = datetime.now(zone).date()
        ensure_env_file()
        assert get_settings().first_night in {before, datetime.now(zone).date()}
    with environment(HOME=str(home), FIRST_NIGHT="2022-12-31", LAST_NIGHT="2022-12-31"):
        assert (get_settings().first_night, get_settings().last_night) == (date(2022, 12, 31), date(2022, 12, 31))


def test_secrets_do_not_show_when_settings_are_printed(secrets: dict[str, str], home: Path) -> None:
    shown = repr(get_settings())
    assert "site_port=8090" in shown
    assert not [name for name, value in secrets.items() if value in shown and name != "FIRST_NIGHT"]


def test_programs_are_told_the_same_settings_we_have(secrets: dict[str, str], home: Path, tmp_path: Path) -> None:
    settings = get_settings()
    told = {name.removeprefix("OTKLIK_"): value for name, value in settings.environment().items()}
    (home / ".env").unlink()
    with environment(**told):
        assert Settings() == settings


def test_an_empty_variable_counts_as_unset(secrets: dict[str, str], home: Path) -> None:
    with environment(HOME=str(home), DATABASE_URL="", SITE_PORT=""):
        assert get_settings().embedded
        assert get_settings().site_port == 8090
    assert "OTKLIK_DATABASE_URL" not in os.environ
