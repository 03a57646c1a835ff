"""All stand-in systems as one application: each under its name, with its limits, by the clock of their world."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC
from email.utils import format_datetime
from importlib import import_module
from types import ModuleType
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otklik.demo.standin.credentials import Credentials
from otklik.demo.standin.faults import Fault, Faults, system_of
from otklik.demo.standin.limits import RATES, Window
from otklik.demo.standin.world import Clock, World

# A system is a module here with `routes(world, credentials)`, and where it has them `error(code)`, the system's own
# error as JSON or as a response, and `too_many(seconds)`, its refusal of a request that may come in so many seconds.
SYSTEMS = (
    "vk",
    "ok",
    "telegram",
    "max",
    "open311",
    "limesurvey",
    "yandex",
    "kobo",
)
_CONTROL = "_control"


@dataclass
class Asked:
    """One request as it came: `arrived` is monotonic seconds, `refused` that it came too soon, `status` of HTTP."""

    system: str
    method: str
    path: str
    query: str
    arrived: float
    body: bytes = b""
    status: int = 0
    refused: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of the query and of the form in the body."""
        return dict(parse_qsl(self.query) + parse_qsl(self.body.decode("utf-8", "replace")))


class Front:
    """Middleware that logs every request, refuses those that come too soon, and dates every answer."""

    def __init__(
        self, app: ASGIApp, clock: Clock, log: list[Asked], systems: Mapping[str, ModuleType], limits: bool
    ) -> None:
        self._app = app
        self._clock = clock
        self._log = log
        self._systems = systems
        self._windows = {name: Window(rate) for name, rate in RATES.items()} if limits else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or system_of(scope) == _CONTROL:
            await self._app(scope, receive, send)
            return
        asked = self._logged(scope)

        async def listen() -> Message:
            message = await receive()
            asked.body += message.get("body", b"")
            return message

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked.status = message["status"]
                now = format_datetime(self._clock.now().astimezone(UTC), usegmt=True)
                MutableHeaders(scope=message)["date"] = now
            await send(message)

        window = self._windows.get(asked.system)
        wait = window.enter() if window else 0
        asked.refused = wait > 0
        app: ASGIApp = self._systems[asked.system].too_many(wait) if asked.refused else self._app
        await app(scope, listen, answer)

    def _logged(self, scope: Scope) -> Asked:
        query = scope["query_string"].decode("latin-1")
        asked = Asked(system_of(scope), scope["method"], scope["path"], query, time.monotonic())
        self._log.append(asked)
        return asked


def make_app(world: World, credentials: Credentials, *, limits: bool = True) -> Starlette:
    """Return the application; its `state` holds `faults` and `log`, which may be read and changed while it runs.

    The server that runs it must leave the Date header to it.
    """
    systems = {name: import_module(f"otklik.demo.standin.{name}") for name in SYSTEMS}
    faults: list[Fault] = []
    log: list[Asked] = []
    app = Starlette(
        routes=[
            *(Mount(f"/{name}", routes=module.routes(world, credentials)) for name, module in systems.items()),
            Mount(f"/{_CONTROL}", routes=_control(faults, log)),
        ],
        middleware=[
            Middleware(Front, clock=world.clock, log=log, systems=systems, limits=limits),
            Middleware(Faults, faults=faults, systems=systems),
        ],
    )
    app.state.faults = faults
    app.state.log = log
    return app


def _control(faults: list[Fault], log: list[Asked]) -> list[Route]:
    async def change_faults(request: Request) -> Response:
        if request.method == "DELETE":
            faults.clear()
        else:
            faults.append(Fault(**await request.json()))
        return JSONResponse([asdict(fault) for fault in faults])

    async def show_log(request: Request) -> Response:
        return JSONResponse([asdict(asked) | {"body": asked.body.decode("utf-8", "replace")} for asked in log])

    return [Route("/faults", change_faults, methods=["POST", "DELETE"]), Route("/log", show_log)]
