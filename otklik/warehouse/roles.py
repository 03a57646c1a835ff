"""The roles of Otklik, its three databases, and who may enter them.

Everything here can be repeated: it states how things are to be, and passwords follow the settings.
"""

import psycopg
from psycopg import sql

from otklik.settings import DATABASE_ROLES, SERVICE_ROLES, Settings

OLDEST_SERVER = 16

SEARCH_PATHS = {
    "owner": "raw, quality",
    "loader": "raw",
    "transformer": "marts_next, intermediate_next, staging, reference",
    "publisher": "quality",
    "reader": "marts",
    "analyst": "marts, quality",
    "auditor": "marts, quality",
    "engineer": "marts, intermediate, staging, reference, quality, raw",
}
# People's questions end by themselves; the pipeline's own work takes what it takes.
STATEMENT_TIMEOUTS = {"reader": "60s", "analyst": "5min", "auditor": "5min"}
# dbt and the load stage their work in temporary tables.
USES_TEMPORARY_TABLES = ("loader", "transformer")


class DatabaseError(Exception):
    """The server cannot be used as it is; the message says what to do."""


def prepare_server(settings: Settings) -> None:
    """Make or update the roles and the databases of the warehouse, Airflow and Superset.

    Raises DatabaseError when the server is unreachable, too old, or its administrator lacks rights.
    """
    with connect_as_admin(settings) as admin:
        check_server(admin)
        for role in DATABASE_ROLES + SERVICE_ROLES:
            _ensure_role(admin, settings, role)
        for role in ("owner", *SERVICE_ROLES):
            _act_for(admin, role)
        # The owner makes the others' schemas on their behalf when it migrates.
        admin.execute("grant otklik_transformer, otklik_publisher to otklik_owner")
        for role in SERVICE_ROLES:
            _ensure_database(admin, settings.database(role), f"otklik_{role}")
            open_database(admin, settings.database(role), (role,))
    prepare_warehouse(settings)


def prepare_warehouse(settings: Settings) -> None:
    """Make the warehouse's database and let in its roles, and nobody else."""
    with connect_as_admin(settings) as admin:
        _ensure_database(admin, settings.db_name, "otklik_owner")
        open_database(admin, settings.db_name, DATABASE_ROLES)
        database = sql.Identifier(settings.db_name)
        # Who publishes exchanges schemas by their names, which takes the right to make some; nobody else needs it.
        admin.execute(
            sql.SQL("revoke create, temporary on database {} from otklik_transformer, otklik_publisher").format(
                database
            )
        )
        admin.execute(sql.SQL("grant create on database {} to otklik_publisher").format(database))
        for role in USES_TEMPORARY_TABLES:
            grantee = sql.Identifier(f"otklik_{role}")
            admin.execute(sql.SQL("grant temporary on database {} to {}").format(database, grantee))
    with connect_as_admin(settings, settings.db_name) as admin:
        admin.execute("revoke create on schema public from public")


def open_database(admin: psycopg.Connection, name: str, roles: tuple[str, ...]) -> None:
    """Close a database to PUBLIC and let in the named roles."""
    database = sql.Identifier(name)
    admin.execute(sql.SQL("revoke all on database {} from public").format(database))
    for role in roles:
        admin.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(f"otklik_{role}")))


def connect_as_admin(settings: Settings, database: str | None = None) -> psycopg.Connection:
    """Return an autocommit connection of the administrator.

    Raises DatabaseError that names the address (without its password) and what to do.
    """
    try:
        return psycopg.connect(settings.admin_dsn(database), autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        where = f"{settings.db_host}:{settings.db_port}"
        advice = (
            "Start it with `otklik up`."
            if settings.embedded
            else "Check host, port, user and password in OTKLIK_DATABASE_URL, or unset it to use the embedded database."
        )
        raise DatabaseError(f"PostgreSQL at {where} cannot be reached: {str(error).strip()}. {advice}") from None


def check_server(admin: psycopg.Connection) -> None:
    """Raise DatabaseError when the server is too old or its administrator may not make roles and databases."""
    version = admin.info.server_version // 10000
    if version < OLDEST_SERVER:
        raise DatabaseError(
            f"PostgreSQL {version} is too old: Otklik needs {OLDEST_SERVER} or newer. "
            f"Upgrade the server, name another in OTKLIK_DATABASE_URL, or unset it to use the embedded one."
        )
    lacking = admin.execute(
        """
        select needed.privilege
        from pg_roles
        cross join lateral (values ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb)) as needed (privilege, held)
        where rolname = current_user and not rolsuper and not needed.held
        """
    )
    if rights := [right for (right,) in lacking]:
        user = admin.info.user
        raise DatabaseError(
            f"Role '{user}' of OTKLIK_DATABASE_URL lacks {' and '.join(rights)}. "
            f'As a superuser run: alter role "{user}" {" ".join(rights).lower()};'
        )


def _ensure_role(admin: psycopg.Connection, settings: Settings, role: str) -> None:
    name = sql.Identifier(f"otklik_{role}")
    if not admin.execute("select 1 from pg_roles where rolname = %s", (f"otklik_{role}",)).fetchone():
        admin.execute(sql.SQL("create role {} login").format(name))
    password = psycopg.conninfo.conninfo_to_dict(settings.dsn(role))["password"]
    # Hashed on our side: the password itself never reaches the server's log.
    verifier = admin.pgconn.encrypt_password(str(password).encode(), f"otklik_{role}".encode(), b"scram-sha-256")
    admin.execute(sql.SQL("alter role {} login password {}").format(name, sql.Literal(verifier.decode())))
    preferences = {"timezone": "UTC"}
    if role in STATEMENT_TIMEOUTS:
        preferences["statement_timeout"] = STATEMENT_TIMEOUTS[role]
    for parameter, value in preferences.items():
        admin.execute(sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(parameter), sql.Literal(value)))
    if role in SEARCH_PATHS:
        admin.execute(sql.SQL("alter role {} set search_path = {}").format(name, sql.SQL(SEARCH_PATHS[role])))


def _act_for(admin: psycopg.Connection, role: str) -> None:
    # Who is no superuser may make a database for another role only as a member of it.
    if admin.execute("select 1 from pg_roles where rolname = current_user and not rolsuper").fetchone():
        member = sql.Identifier(f"otklik_{role}")
        admin.execute(sql.SQL("grant {} to current_user with inherit true, set true").format(member))


def _ensure_database(admin: psycopg.Connection, name: str, owner: str) -> None:
    if not admin.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        admin.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner)))
