"""After a night, Superset is asked again what readers asked lately, so that in the morning nobody waits."""

from dataclasses import dataclass
from time import monotonic

import httpx

from otklik.errors import OtklikError
from otklik.settings import Settings

# One call asks for 20 s, and lets the last questions end.
_PATIENCE = 300


class WarmingError(OtklikError):
    """Superset could not be asked; readers wait for the database once, and nothing else is amiss."""


@dataclass(frozen=True)
class Warming:
    """How many questions were asked again, how many of them Superset could not answer any more, and seconds it took."""

    asked: int
    failed: int
    seconds: float


def warm(settings: Settings) -> Warming:
    """Have every question that readers asked within 30 days asked again where its answer is of an earlier night.

    Superset remembers the questions, with the roles of who asked (``superset/kept_answers.py``). Raises WarmingError
    when it does not answer.
    """
    began = monotonic()
    asked = failed = 0
    try:
        # No proxy of the machine stands between us and Superset.
        with httpx.Client(base_url=settings.superset_inside, timeout=_PATIENCE, trust_env=False) as superset:
            engineer = {"username": "engineer", "password": settings.superset_engineer_login_password, "provider": "db"}
            left = 1
            while left:
                # A token of its own for each call: the first one would expire.
                token = superset.post("/api/v1/security/login", json=engineer).raise_for_status().json()["access_token"]
                answer = superset.post("/api/v1/otklik/warm", headers={"Authorization": f"Bearer {token}"})
                told = answer.raise_for_status().json()
                asked, failed, left = asked + told["asked"] + told["failed"], failed + told["failed"], told["left"]
    except httpx.HTTPError as error:
        raise WarmingError(f"Superset at {settings.superset_inside} could not be asked: {error}") from error
    return Warming(asked, failed, monotonic() - began)
