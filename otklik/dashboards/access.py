"""Who may see what, as Superset is told: each role with the dashboards it opens and the datasets those read."""

from typing import Any

from otklik.dashboards.assets import Asset, Assets, datasets_of
from otklik.dashboards.bundle import READERS, asset_uuid
from otklik.dashboards.datasets import names


def full_access(assets: Assets, access: Asset) -> dict[str, Any]:
    """Return ``roles.yaml`` with the uuids of what each role reads.

    A role with rows of its own also gets `own_rows`: the column its rule is on and the datasets the rule is laid on.
    """
    return {
        "roles": {name: _role(name, role, assets) for name, role in access["roles"].items()},
        "users": access["users"],
    }


def _role(name: str, role: Asset, assets: Assets) -> Asset:
    dashboards = [
        dashboard for dashboard, content in assets["dashboards"].items() if name in content.get("readers", READERS)
    ]
    datasets = sorted({dataset for dashboard in dashboards for dataset in datasets_of(assets, dashboard)})
    full = {
        "permissions": role["permissions"],
        "dashboards": [asset_uuid("dashboards", dashboard) for dashboard in dashboards],
        "datasets": [asset_uuid("datasets", dataset) for dataset in datasets],
    }
    if rule := role.get("own_rows"):
        narrowed = [name for name in datasets if rule["column"] in names(assets["datasets"][name])[0]]
        full["own_rows"] = {
            "column": rule["column"],
            "datasets": [asset_uuid("datasets", name) for name in narrowed],
        }
    return full
