"""Telegram's Bot API: how a method of it is asked, and what it says when it refuses.

The token is a part of every address, so no address may get into an error, a log or an answer.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from otklik.errors import CredentialsError, SourceError
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, TryAgain, caller_for, clock_of
from otklik.sources.pages import parsed
from otklik.sources.turns import in_turn

RATE = 30.0
"""Requests a second that Telegram lets a bot make."""

_CREDENTIALS = (401, 404)


def bot_for(connection: Connection) -> Caller:
    """Return a caller that waits as long as Telegram asks for."""
    return caller_for(connection, RATE, event_hooks={"response": [_obey_flood_control]})


def method_path(connection: Connection, method: str) -> str:
    """Return the path of a method, which holds the token; raise CredentialsError where there is none."""
    if not connection.password:
        raise CredentialsError(f"Connection {connection.name}: no password; put the bot's token there")
    return f"/bot{quote(connection.password, safe=':')}/{method}"


def judge_token(connection: Connection, response: httpx.Response) -> None:
    """Raise CredentialsError for an answer that refuses the token."""
    code = refusal(parsed(response.text))[0] or response.status_code
    if code in _CREDENTIALS:
        raise CredentialsError(
            f"Connection {connection.name}: Telegram does not know the bot (error {code}). "
            "Put the token that @BotFather gives into the connection's password, and check its address"
        )


def refusal(said: Any) -> tuple[int | None, str]:
    """Return the error code and description of a refusal; None and an empty text for what is none."""
    if not isinstance(said, dict) or said.get("ok") is not False:
        return None, ""
    code, description = said.get("error_code"), said.get("description")
    known = isinstance(code, int) and not isinstance(code, bool)
    return code if known else None, description if isinstance(description, str) else ""


def check(connection: Connection) -> datetime:
    """Ask who the bot is; return the moment by Telegram's clock, raise CredentialsError for a token it refuses."""
    with in_turn(connection, bot_for(connection)) as ask:
        response = ask("GET", method_path(connection, "getMe"), lambda answer: judge_token(connection, answer))
    said = parsed(response.text)
    if not isinstance(said, dict) or said.get("ok") is not True:
        raise SourceError(f"Connection {connection.name}: the answer is not Telegram's; check the address")
    return clock_of(response)


async def _obey_flood_control(response: httpx.Response) -> None:
    """Ask again after `retry_after`, which Telegram says in the body."""
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return
    await response.aread()
    said = parsed(response.text)
    parameters = said.get("parameters") if isinstance(said, dict) else None
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if isinstance(seconds, int | float) and seconds >= 0:
        raise TryAgain("HTTP 429", float(seconds))
