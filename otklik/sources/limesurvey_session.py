"""A session with one LimeSurvey server: paced, tried again, opened anew when the server forgets it."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import requests
from citric import Client
from citric.exceptions import (
    InvalidJSONResponseError,
    LimeSurveyError,
    LimeSurveyStatusError,
    ResponseMismatchError,
    RPCInterfaceNotEnabledError,
)
from requests.adapters import HTTPAdapter
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from otklik.errors import CredentialsError, SourceError
from otklik.sources.connection import Connection
from otklik.sources.http import ATTEMPTS, FIRST_WAIT, number_in

_TIMEOUT = (10, 120)
_FORGOTTEN = "Invalid session key"
_REFUSED = "Invalid user name or password"
_PASSING = (429, 500, 502, 503, 504)
# What an answer that is not as RemoteControl documents it does inside citric.
_NOT_AS_DOCUMENTED = (KeyError, TypeError, ValueError, AttributeError, ResponseMismatchError)


class Trouble(Exception):  # noqa: N818 - what came of one question; its asker decides whether that is an error
    """Why a question has no usable answer, in a few words without addresses or secrets."""


class Session:
    """Calls methods of citric's client, `rate` times a second unless the connection's extra says otherwise.

    Entering it raises CredentialsError or SourceError where nobody is let in.
    """

    def __init__(self, connection: Connection, rate: float) -> None:
        rate, first_wait = number_in(connection, "rate", rate), number_in(connection, "first_wait", FIRST_WAIT)
        self._connection = connection
        self._adapter = _Adapter(1 / rate if rate else 0)
        self._retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=first_wait, max=20, jitter=2 * first_wait),
            retry=retry_if_exception(_is_passing),
            reraise=True,
        )

    def __enter__(self) -> Self:
        """Log in."""
        self._client = self._log_in()
        return self

    def __exit__(self, *error: Any) -> None:
        """Log out; a server that does not hear it ends the session by itself."""
        try:
            self._client.close()
        except (requests.RequestException, LimeSurveyError, *_NOT_AS_DOCUMENTED):
            return

    @property
    def answered_at(self) -> datetime:
        """Return the moment of the latest answer by the server's clock, in UTC."""
        return self._adapter.answered_at

    @property
    def body(self) -> str:
        """Return the latest answer as it came."""
        return self._adapter.body

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return the result of a method of citric's client; raise Trouble when there is none."""
        try:
            return self._ask(method, args, kwargs)
        except LimeSurveyStatusError as error:
            if _FORGOTTEN not in str(error):
                raise Trouble(str(error)) from None
        self._client = self._log_in()
        try:
            return self._ask(method, args, kwargs)
        except LimeSurveyStatusError as error:
            raise Trouble(str(error)) from None

    def _ask(self, method: str, args: Any, kwargs: Any) -> Any:
        try:
            return self._retrying(getattr(self._client, method), *args, **kwargs)
        except RPCInterfaceNotEnabledError:
            raise self._switched_off() from None
        except LimeSurveyStatusError:
            raise
        except (requests.RequestException, LimeSurveyError, *_NOT_AS_DOCUMENTED) as error:
            raise Trouble(_told(error)) from None

    def _log_in(self) -> Client:
        name, url = self._connection.name, f"{self._connection.url}/admin/remotecontrol"
        login, password = self._connection.login or "", self._connection.password or ""
        session = requests.Session()
        session.mount("http://", self._adapter)
        session.mount("https://", self._adapter)
        try:
            return self._retrying(Client, url, login, password, requests_session=session)
        except RPCInterfaceNotEnabledError:
            raise self._switched_off() from None
        except LimeSurveyStatusError as error:
            if _REFUSED in str(error):
                raise CredentialsError(
                    f"{name}: LimeSurvey refuses login «{login}» with this password; renew them in the connection"
                ) from None
            raise SourceError(f"{name}: LimeSurvey lets nobody in: {error}; ask its administrator") from None
        except (requests.RequestException, LimeSurveyError, *_NOT_AS_DOCUMENTED) as error:
            raise SourceError(
                f"{name}: no usable answer from {url} ({_told(error)}); check the address and the server"
            ) from None

    def _switched_off(self) -> SourceError:
        return SourceError(
            f"{self._connection.name}: the API of LimeSurvey is switched off; set «RPC interface enabled» to JSON-RPC "
            "in its global settings, tab «Interfaces»"
        )


class _Adapter(HTTPAdapter):
    """Lets `pause` seconds pass between requests, gives up after _TIMEOUT, and keeps the latest answer."""

    def __init__(self, pause: float) -> None:
        super().__init__()
        self.answered_at = datetime.now(UTC)
        self.body = ""
        self._pause = pause
        self._next = 0.0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._pause
        response = super().send(request, *args, **kwargs | {"timeout": _TIMEOUT})
        self.answered_at = _date_of(response)
        self.body = response.content.decode("utf-8", "backslashreplace")
        return response


def _date_of(response: requests.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, requests.HTTPError):
        return _status(error) in _PASSING
    return isinstance(error, requests.RequestException | InvalidJSONResponseError)


def _told(error: Exception) -> str:
    # The text of the libraries' errors holds addresses.
    if isinstance(error, requests.HTTPError):
        return f"HTTP {_status(error)}"
    return type(error).__name__


def _status(error: requests.HTTPError) -> int:
    return error.response.status_code if error.response is not None else 0
