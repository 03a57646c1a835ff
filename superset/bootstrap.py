"""Bring Superset to what the files say, in one process, as its start-up costs more than the work.

Tables of its own database, roles, logins, dashboards: each step is done again on every run and
changes nothing when nothing changed. Run with Superset's own Python::

    superset/.venv/bin/python superset/bootstrap.py

Settings come from the environment (``superset_config.py``, ``assets/roles.yaml``).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from warnings import catch_warnings, simplefilter

import yaml
from bundle import ASSETS, KINDS, asset_uuid, build_bundle, read_assets

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


def sync_users(users: dict[str, Any]) -> None:
    """Make each login of ``assets/roles.yaml`` have its roles and its password of the environment.

    Raises LookupError naming the variable when a password is missing.
    """
    from superset.extensions import db, security_manager
    from werkzeug.security import check_password_hash, generate_password_hash

    for login, wanted in users.items():
        variable = f"OTKLIK_SUPERSET_{login.upper()}_LOGIN_PASSWORD"
        password = os.environ.get(variable)
        if not password:
            raise LookupError(f"{variable} is not set: it is the password of login {login!r}.")
        roles = [security_manager.add_role(role) for role in wanted["roles"]]
        user = security_manager.find_user(username=login)
        if user is None:
            user = security_manager.add_user(
                login, wanted["first_name"], "", f"{login}@otklik.invalid", roles, password
            )
        user.first_name, user.roles, user.active = wanted["first_name"], roles, True
        if not check_password_hash(user.password, password):
            user.password = generate_password_hash(password)
    db.session.commit()


def import_assets(assets: dict[str, dict[str, Any]]) -> None:
    """Import every asset file, over what is there."""
    from sqlalchemy.exc import SAWarning
    from superset.commands.importers.v1.assets import ImportAssetsCommand

    with catch_warnings():
        # Superset's own models make SQLAlchemy warn while they are saved.
        simplefilter("ignore", SAWarning)
        ImportAssetsCommand(build_bundle(assets)).run()


def remove_stale(assets: dict[str, dict[str, Any]]) -> list[str]:
    """Delete what an earlier run imported and no file describes any more; returns the names.

    Only objects marked as managed by files are touched: what analysts saved for themselves stays.
    """
    from superset.connectors.sqla.models import SqlaTable
    from superset.extensions import db
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    models = dict(zip(KINDS, (Database, SqlaTable, Slice, Dashboard), strict=True))
    removed = []
    for kind in reversed(KINDS):
        kept = {asset_uuid(kind, name) for name in assets[kind]}
        for found in db.session.query(models[kind]).filter_by(is_managed_externally=True):
            if str(found.uuid) not in kept:
                removed.append(f"{kind}: {found}")
                db.session.delete(found)
    db.session.commit()
    return removed


def sync_roles(roles: dict[str, Any]) -> None:
    """Give each role of ``assets/roles.yaml`` exactly the permissions listed there.

    Raises LookupError when Superset knows no such permission (its version changed, or a misprint).
    """
    from superset.connectors.sqla.models import SqlaTable
    from superset.extensions import db, security_manager

    datasets = db.session.query(SqlaTable).filter_by(is_managed_externally=True).all()
    for name, wanted in roles.items():
        pairs = [tuple(pair) for pair in wanted["permissions"]]
        if wanted.get("datasets"):
            pairs += [("datasource_access", dataset.perm) for dataset in datasets]
        permissions = []
        for permission, view in pairs:
            found = security_manager.find_permission_view_menu(permission, view)
            if found is None:
                raise LookupError(f"superset/assets/roles.yaml, role {name}: Superset has no [{permission}, {view}].")
            permissions.append(found)
        security_manager.add_role(name).permissions = permissions
    db.session.commit()


def main() -> None:
    """Do every step, each with its seconds."""
    assets = read_assets()
    access = yaml.safe_load((ASSETS / "roles.yaml").read_text(encoding="utf-8"))
    with _step("start"):
        from superset.app import create_app

        app = create_app()
    with app.app_context():
        from superset.extensions import security_manager
        from superset.utils.core import override_user

        with _step("tables"):
            upgrade_database()
        with _step("permissions"):
            sync_permissions()
        with _step("logins"):
            sync_users(access["users"])
        with override_user(security_manager.find_user(username="engineer")), _step("dashboards"):
            import_assets(assets)
            for name in remove_stale(assets):
                print(f"superset: removed {name}", flush=True)
        with _step("roles"):
            sync_roles(access["roles"])


if __name__ == "__main__":
    main()
