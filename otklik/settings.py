"""Every setting of Otklik: read from the environment, then from the private file `<home>/.env`."""

import os
import secrets
from collections.abc import Callable
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from re import fullmatch
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values, set_key
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PROJECT = Path(__file__).resolve().parents[1]
PREFIX = "OTKLIK_"

DATABASE_ROLES = (
    "owner",
    "loader",
    "transformer",
    "publisher",
    "reader",
    "analyst",
    "auditor",
    "engineer",
)
SERVICE_ROLES = ("airflow", "superset")


class SettingsError(Exception):
    """A setting is missing or unusable; the message names it and says what to do."""


class Generated:
    """Marks a setting whose value is made up once, at first start, and kept in `.env`."""

    def __init__(self, make: Callable[[], str]) -> None:
        self.make = make


def _password() -> str:
    return secrets.token_urlsafe(18)


def _key() -> str:
    return secrets.token_hex(32)


def _fernet_key() -> str:
    # Imported here: cryptography is slow to load and needed once in a lifetime.
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _first_night() -> str:
    return datetime.now(ZoneInfo(_from_environment("TIME_ZONE", "Asia/Yekaterinburg"))).date().isoformat()


# Secrets travel through files of several formats, so quotes and spaces are left out of them.
Secret = Annotated[str, Field(repr=False, pattern=r"""^[^"'\s]+$""")]
Password = Annotated[Secret, Generated(_password)]
Key = Annotated[Secret, Generated(_key)]
FernetKey = Annotated[Secret, Generated(_fernet_key)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _from_environment(name: str, default: str) -> str:
    return os.environ.get(PREFIX + name) or default


def _home() -> Path:
    return Path(_from_environment("HOME", str(PROJECT))).expanduser().resolve()


class Settings(BaseSettings):
    """The settings, checked. Secrets are never shown by `repr`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=_home)
    time_zone: str = "Asia/Yekaterinburg"
    text_retention_days: Annotated[int, Field(ge=1)] = 1825
    mappings: Annotated[tuple[Path, ...], NoDecode] = Field(default_factory=lambda data: (data["home"] / "mappings",))
    inbox: str = Field(default_factory=lambda data: str(data["home"] / "var/inbox"))
    landing: str = Field(default_factory=lambda data: str(data["home"] / "var/landing"))
    first_night: Annotated[date, Generated(_first_night)]
    last_night: date | None = None

    database_url: str | None = Field(default=None, repr=False)
    db_host: str = Field(default_factory=lambda data: _address(data["database_url"]).hostname or "127.0.0.1")
    db_port: Port = Field(default_factory=lambda data: _port(data["database_url"]))
    db_name: str = Field(default="otklik", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    airflow_port: Port = 8080
    superset_port: Port = 8088
    site_port: Port = 8090
    airflow_address: str = Field(default_factory=lambda data: f"http://127.0.0.1:{data['airflow_port']}")
    superset_address: str = Field(default_factory=lambda data: f"http://127.0.0.1:{data['superset_port']}")
    site_address: str = Field(default_factory=lambda data: f"http://127.0.0.1:{data['site_port']}")
    superset_inside: str = Field(default_factory=lambda data: f"http://127.0.0.1:{data['superset_port']}")

    alerts_mail_to: str | None = None
    alerts_mail_from: str | None = None
    alerts_late_after: time = time(7)

    superset_authority: str | None = None

    admin_password: Password
    owner_password: Password
    loader_password: Password
    transformer_password: Password
    publisher_password: Password
    reader_password: Password
    analyst_password: Password
    auditor_password: Password
    engineer_password: Password
    airflow_db_password: Password
    superset_db_password: Password
    airflow_engineer_login_password: Password
    airflow_auditor_login_password: Password
    superset_leadership_login_password: Password
    superset_analyst_login_password: Password
    superset_auditor_login_password: Password
    superset_engineer_login_password: Password
    superset_authority_login_password: Password
    author_key: Key
    audit_key: Key
    airflow_fernet_key: FernetKey
    airflow_jwt_secret: Key
    airflow_api_secret_key: Key
    superset_secret_key: Key

    @field_validator("mappings", mode="before")
    @classmethod
    def _split_folders(cls, value: Any) -> Any:
        return tuple(Path(part).expanduser() for part in value.split(":") if part) if isinstance(value, str) else value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("inbox", "landing")
    @classmethod
    def _folder_or_address(cls, value: str) -> str:
        if "://" not in value:
            return str(Path(value).expanduser().resolve())
        # Imported here: most centres have a folder.
        from fsspec import available_protocols

        address = urlsplit(value)
        if address.scheme not in available_protocols():
            raise ValueError(f"no address begins with {address.scheme}://; use a folder, s3://… or sftp://…")
        if address.password:
            raise ValueError("leave the password out of the address: use a key in ~/.ssh, or FSSPEC_SFTP_PASSWORD")
        return value.rstrip("/")

    @field_validator("airflow_address", "superset_address", "site_address", "superset_inside")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
            raise ValueError("expected an address that people open, such as https://otklik.example.org")
        return value.rstrip("/")

    @field_validator("alerts_mail_to", "alerts_mail_from")
    @classmethod
    def _mail_addresses(cls, value: str | None, info: ValidationInfo) -> str | None:
        found = [address.strip() for address in (value or "").split(",")]
        if value and not all(fullmatch(r"[^@\s]+@[^@\s]+", address) for address in found):
            raise ValueError("expected name@example.org, several of them separated by commas")
        if info.field_name == "alerts_mail_from" and len(found) > 1:
            raise ValueError("expected one address")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone is called '{value}'; use a name such as Asia/Yekaterinburg") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _postgresql_address(cls, value: str | None) -> str | None:
        if value and (urlsplit(value).scheme not in ("postgresql", "postgres") or not urlsplit(value).hostname):
            raise ValueError("expected postgresql://user:password@host:port/database")
        return value

    @field_validator("db_host", "db_port", mode="before")
    @classmethod
    def _as_in_the_address(cls, value: Any, info: ValidationInfo) -> Any:
        # One server only: a port left over in .env must not part the roles from their administrator.
        if not (url := info.data.get("database_url")):
            return value
        return _address(url).hostname if info.field_name == "db_host" else _port(url)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Look for `.env` in the home the environment names, not in the current directory."""
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, env_file=_home() / ".env")

    @property
    def author_keys(self) -> tuple[str, ...]:
        """The keys authors are hashed by, one after the other: the first one, and what each rotation added."""
        return tuple(self.author_key.split(":"))

    @property
    def var(self) -> Path:
        """The folder of everything that changes while Otklik runs."""
        return self.home / "var"

    @property
    def env_file(self) -> Path:
        return self.home / ".env"

    @property
    def embedded(self) -> bool:
        """Whether Otklik runs a PostgreSQL of its own."""
        return self.database_url is None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def dsn(self, role: str) -> str:
        """Return the libpq address for a database role, e.g. 'loader' → postgresql://otklik_loader:…@host:port/otklik.

        Roles 'airflow' and 'superset' lead to their own databases, every other one to the warehouse.
        """
        return self._url("postgresql", role)

    def sqlalchemy_url(self, role: str) -> str:
        """Return the same address for SQLAlchemy with the psycopg 3 driver."""
        return self._url("postgresql+psycopg", role)

    def admin_dsn(self, database: str | None = None) -> str:
        """Return the address of the role that makes roles and databases.

        Without `database` it is the one named in OTKLIK_DATABASE_URL, or 'postgres'.
        """
        if self.database_url is None:
            return self._join("postgresql", "otklik_admin", self.admin_password, database or "postgres")
        address = urlsplit(self.database_url)
        return address._replace(path=f"/{database}" if database else address.path or "/postgres").geturl()

    def database(self, role: str) -> str:
        """Return the database a role works in."""
        return f"otklik_{role}" if role in SERVICE_ROLES else self.db_name

    def environment(self) -> dict[str, str]:
        """Return every setting as environment variables, for programs started by Otklik."""
        values = {PREFIX + name.upper(): _as_text(value) for name, value in self if value is not None}
        return values | _ssl_variables(self.database_url)

    def _url(self, scheme: str, role: str) -> str:
        if role not in DATABASE_ROLES + SERVICE_ROLES:
            raise SettingsError(f"no database role is called '{role}'; there are {', '.join(DATABASE_ROLES)}")
        field = f"{role}_db_password" if role in SERVICE_ROLES else f"{role}_password"
        return self._join(scheme, f"otklik_{role}", getattr(self, field), self.database(role))

    def _join(self, scheme: str, user: str, password: str, database: str) -> str:
        host = f"[{self.db_host}]" if ":" in self.db_host else self.db_host
        query = _address(self.database_url).query
        suffix = f"?{query}" if query else ""
        return f"{scheme}://{user}:{quote(password, safe='')}@{host}:{self.db_port}/{database}{suffix}"


@cache
def get_settings() -> Settings:
    """Return the settings of this process.

    Raises SettingsError naming every variable that is missing or wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def ensure_env_file(home: Path | None = None) -> bool:
    """Write the generated settings that neither `.env` nor the environment has; return whether any was missing.

    The file is readable by its owner only. What it already holds is kept.
    """
    path = (home or _home()) / ".env"
    present = {**(dotenv_values(path) if path.exists() else {}), **os.environ}
    missing = {
        PREFIX + name.upper(): marker.make()
        for name, field in Settings.model_fields.items()
        for marker in field.metadata
        if isinstance(marker, Generated) and not present.get(PREFIX + name.upper())
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # Opened with the right mode at once, so that the secrets are never readable by others.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        if missing:
            # The blank line also ends a last line that somebody left without its end.
            file.write(
                "\n# Generated. Keep private and keep a copy: OTKLIK_AUTHOR_KEY is what ties authors together.\n"
            )
        file.writelines(f"{name}={value}\n" for name, value in missing.items())
    return bool(missing)


def settings_of_no_installation() -> Settings:
    """Return settings whose secrets are made up for this process only, for what reads files and asks no warehouse."""
    made_up = {
        name: marker.make()
        for name, field in Settings.model_fields.items()
        for marker in field.metadata
        if isinstance(marker, Generated)
    }
    return Settings(**made_up)  # type: ignore[arg-type]


def add_author_key(settings: Settings) -> Settings:
    """Make up one more key that authors are hashed by, keep it in `.env`, and return the settings with it.

    Raises SettingsError where the key is not kept in that file.
    """
    name = PREFIX + "AUTHOR_KEY"
    if name in os.environ or not settings.env_file.exists() or name not in dotenv_values(settings.env_file):
        raise SettingsError(
            f"{name} is not kept in {settings.env_file}: add the new key where it is kept, after a colon"
            f" ({name}=<old>:<new>; `openssl rand -hex 32` makes one), and run this again"
        )
    longer = f"{settings.author_key}:{_key()}"
    set_key(settings.env_file, name, longer, quote_mode="never")
    return settings.model_copy(update={"author_key": longer})


def _address(database_url: str | None) -> Any:
    return urlsplit(database_url or "")


def _port(database_url: str | None) -> int:
    return 54320 if database_url is None else _address(database_url).port or 5432


def _ssl_variables(database_url: str | None) -> dict[str, str]:
    # dbt's profile takes host and port apart, so the rest of the address travels as libpq's own variables.
    pairs = (part.partition("=") for part in _address(database_url).query.split("&") if part.startswith("ssl"))
    return {f"PG{name.upper()}": unquote(value) for name, _, value in pairs}


def _as_text(value: Any) -> str:
    return ":".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _explain(error: ValidationError) -> str:
    missing = [PREFIX + str(item["loc"][0]).upper() for item in error.errors() if item["type"] == "missing"]
    wrong = [
        f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
        if item["type"] not in ("missing", "default_factory_not_called")
    ]
    if missing:
        wrong.append(f"not set: {', '.join(missing)}. `otklik up` generates them into {_home() / '.env'}")
    return "; ".join(wrong)
