"""What the stand-in servers accept as proof of who asks."""

import secrets
from dataclasses import dataclass, field


def _token() -> str:
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Credentials:
    """One set of tokens and passwords for all systems, made up anew for each."""

    vk_token: str = field(default_factory=_token, repr=False)
    ok_application_key: str = field(default_factory=_token, repr=False)
    ok_application_secret: str = field(default_factory=_token, repr=False)
    ok_access_token: str = field(default_factory=_token, repr=False)
    telegram_token: str = field(default_factory=lambda: f"{secrets.randbelow(10**9)}:{_token()}", repr=False)
    max_token: str = field(default_factory=_token, repr=False)
    limesurvey_user: str = "otklik"
    limesurvey_password: str = field(default_factory=_token, repr=False)
    yandex_token: str = field(default_factory=_token, repr=False)
    yandex_organisation: str = "100500"
    kobo_token: str = field(default_factory=_token, repr=False)
