"""Bring Superset to what the files say, in one process, as its start-up costs more than the work.

Tables of its own database, roles, logins, dashboards: each step is done again on every run and
changes nothing when nothing changed. Run with Superset's own Python::

    superset/.venv/bin/python superset/bootstrap.py

What is imported lies in ``$SUPERSET_HOME/prepared``, which ``otklik/dashboards`` writes from ``superset/assets``.
Settings come from the environment (``superset_config.py``).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from warnings import catch_warnings, simplefilter

import yaml
from kept_answers import create_tables, forget_answers
from mails import sync_mails

os.environ.setdefault("SUPERSET_CONFIG_PATH", str(Path(__file__).with_name("superset_config.py")))


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Print what is done and how many seconds it took."""
    started = perf_counter()
    yield
    print(f"superset: {name}: {perf_counter() - started:.1f} s", flush=True)


def upgrade_database() -> None:
    """Create or migrate the tables of Superset's own database."""
    from flask_migrate import upgrade

    upgrade()


def sync_permissions() -> None:
    """Superset's own permissions and roles (Admin, Alpha, Gamma, sql_lab), as `superset init` does."""
    from superset.extensions import appbuilder, db, security_manager

    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    db.session.commit()


def sync_users(access: dict[str, Any]) -> None:
    """Make each login of ``assets/roles.yaml`` have its roles and its password of the environment.

    Whose rows are narrowed has the role of that rule from the beginning: nobody sees more while this runs.

    Raises LookupError naming the variable when a password is missing.
    """
    from superset.extensions import db, security_manager
    from werkzeug.security import check_password_hash, generate_password_hash

    narrowed = row_rules(access)
    for login, wanted in access["users"].items():
        variable = f"OTKLIK_SUPERSET_{login.upper()}_LOGIN_PASSWORD"
        password = os.environ.get(variable)
        if not password:
            raise LookupError(f"{variable} is not set: it is the password of login {login!r}.")
        names = [*wanted["roles"], *([_row_role(login)] if login in narrowed else [])]
        roles = [security_manager.add_role(role) for role in names]
        user = security_manager.find_user(username=login)
        if user is None:
            user = security_manager.add_user(
                login, wanted["first_name"], "", f"{login}@otklik.invalid", roles, password
            )
        user.first_name, user.roles, user.active = wanted["first_name"], roles, True
        if not check_password_hash(user.password, password):
            user.password = generate_password_hash(password)
    db.session.commit()


def import_bundle(bundle: dict[str, str]) -> None:
    """Import every asset of the bundle (path → YAML text), over what is there."""
    from sqlalchemy.exc import SAWarning
    from superset.commands.importers.v1.assets import ImportAssetsCommand

    with catch_warnings():
        # Superset's own models make SQLAlchemy warn while they are saved.
        simplefilter("ignore", SAWarning)
        ImportAssetsCommand(bundle).run()


def remove_stale(bundle: dict[str, str]) -> list[str]:
    """Delete what an earlier run imported and the bundle does not hold any more; returns the names.

    Only objects marked as managed by files are touched: what analysts saved for themselves stays.
    """
    from superset.connectors.sqla.models import SqlaTable
    from superset.extensions import db
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    kept = {yaml.safe_load(text).get("uuid") for text in bundle.values()}
    removed = []
    for model in (Dashboard, Slice, SqlaTable, Database):
        for found in db.session.query(model).filter_by(is_managed_externally=True):
            if str(found.uuid) not in kept:
                removed.append(f"{model.__name__.lower()}: {found}")
                db.session.delete(found)
    db.session.commit()
    return removed


def sync_roles(roles: dict[str, Any]) -> None:
    """Give each role exactly the permissions, datasets and dashboards that the files say.

    Raises LookupError when Superset knows no such permission (its version changed, or a misprint).
    """
    from superset.connectors.sqla.models import SqlaTable
    from superset.extensions import db, security_manager
    from superset.models.dashboard import Dashboard

    readers: dict[str, list[Any]] = {}
    for name, wanted in roles.items():
        datasets = _by_uuid(SqlaTable, wanted["datasets"])
        pairs = [*map(tuple, wanted["permissions"]), *(("datasource_access", dataset.perm) for dataset in datasets)]
        permissions = []
        for permission, view in pairs:
            found = security_manager.find_permission_view_menu(permission, view)
            if found is None:
                raise LookupError(f"superset/assets/roles.yaml, role {name}: Superset has no [{permission}, {view}].")
            permissions.append(found)
        role = security_manager.add_role(name)
        role.permissions = permissions
        for uuid in wanted["dashboards"]:
            readers.setdefault(uuid, []).append(role)
    for dashboard in db.session.query(Dashboard).filter_by(is_managed_externally=True):
        dashboard.roles = readers.get(str(dashboard.uuid), [])
    db.session.commit()


def sync_row_rules(access: dict[str, Any]) -> None:
    """Lay one rule for each login that sees only rows of its authority; a login whose authority is unknown sees none.

    The rule hangs on a role that only this login has. Rules of logins no longer in the files go.
    """
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable
    from superset.extensions import db, security_manager

    wanted = {_row_role(login): (login, rule) for login, rule in row_rules(access).items()}
    for found in db.session.query(RowLevelSecurityFilter):
        if found.name.startswith(_row_role("")) and found.name not in wanted:
            db.session.delete(found)
    for name, (login, rule) in wanted.items():
        authority = os.environ.get(access["users"][login]["authority"], "").replace("'", "''")
        found = db.session.query(RowLevelSecurityFilter).filter_by(name=name).one_or_none()
        if found is None:
            found = RowLevelSecurityFilter(name=name)
            db.session.add(found)
        found.filter_type = "Regular"
        found.clause = f"{rule['column']} = '{authority}'" if authority else "false"
        found.roles = [security_manager.add_role(name)]
        found.tables = _by_uuid(SqlaTable, rule["datasets"])
    db.session.commit()


def row_rules(access: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Login → the rule of the rows it sees, for each login that sees only its own."""
    return {
        login: rule
        for login, user in access["users"].items()
        for role in user["roles"]
        if (rule := access["roles"].get(role, {}).get("own_rows"))
    }


def _row_role(login: str) -> str:
    """The role that only this login has, and its rule hangs on."""
    return f"otklik_rows_of_{login}"


def _by_uuid(model: Any, uuids: list[str]) -> list[Any]:
    from superset.extensions import db

    return [found for found in db.session.query(model) if str(found.uuid) in uuids]


def read_prepared(folder: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """What Otklik prepared: the bundle, and who may see what. Raises LookupError when it is not there."""
    bundle = folder / "bundle"
    if not bundle.is_dir():
        raise LookupError(f"{bundle} is not there: `otklik dashboards apply` prepares it.")
    files = {str(path.relative_to(bundle)): path.read_text(encoding="utf-8") for path in sorted(bundle.rglob("*.yaml"))}
    access: dict[str, Any] = yaml.safe_load((folder / "access" / "access.yaml").read_text(encoding="utf-8"))
    return files, access


def main() -> None:
    """Do every step, each with its seconds."""
    bundle, access = read_prepared(Path(os.environ["SUPERSET_HOME"]) / "prepared")
    with _step("start"):
        from superset.app import create_app

        app = create_app()
    with app.app_context():
        from superset.extensions import db, security_manager
        from superset.utils.core import override_user

        with _step("tables"):
            upgrade_database()
            create_tables()
        with _step("permissions"):
            sync_permissions()
        with _step("logins"):
            sync_users(access)
        with override_user(security_manager.find_user(username="engineer")), _step("dashboards"):
            import_bundle(bundle)
            for name in remove_stale(bundle):
                print(f"superset: removed {name}", flush=True)
        with _step("roles"):
            # Rows are narrowed before they are opened.
            sync_row_rules(access)
            sync_roles(access["roles"])
            forget_answers(db.session)
            db.session.commit()
        with _step("mails"):
            sync_mails()


if __name__ == "__main__":
    main()
