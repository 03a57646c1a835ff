"""Where an outside system is and how to enter it; a DAG fills this in from the Airflow connection of that name."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Connection:
    """Address and credentials of one outside system; the secret parts are never shown by `repr`.

    `url` is the base address without a final slash, `extra` the connection's further settings as text.
    """

    name: str
    url: str
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
