"""What can be made to go wrong between a stand-in and who asks it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, get_args
from urllib.parse import unquote_plus

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal[
    "error", "status", "slow", "cut", "bad_json", "wrong_type", "missing_field", "extra_field", "forget_sessions"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class Fault:
    """One thing that goes wrong in the requests of one system.

    `error`: the system's own error `code`, made by its module's `error(code)`. `status`: HTTP status `code` of a
    gateway in between, with Retry-After where `seconds` is given. `slow`: answered after `seconds`. `cut`: the
    connection closes in the middle of the body. `bad_json`: the body is whole by its length, but half of the JSON.
    `wrong_type`, `missing_field`, `extra_field`: the value at `field` becomes `value`, goes, or comes; `field` is a
    dotted path with `[]` for every element, such as `response.groups[].members_count`. `forget_sessions`: the
    handler finds `request.state.forget_sessions` true.
    `match` is a part of the path, query or body. The first `after` such requests pass, then `times` fail (None: all).
    """

    system: str
    kind: Kind
    match: str = ""
    code: int = 0
    seconds: float = 0
    field: str = ""
    value: Any = None
    after: int = 0
    times: int | None = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(KINDS)}")


def system_of(scope: Scope) -> str:
    """Return the first part of the path: the name under which the system is mounted."""
    return str(scope["path"]).split("/", 2)[1]


class Faults:
    """Middleware that lets requests through as they are, but for those that one of `faults` is due for."""

    def __init__(self, app: ASGIApp, faults: list[Fault], systems: Mapping[str, ModuleType]) -> None:
        self._app = app
        self._faults = faults
        self._systems = systems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; without a fault for its system its body is not even looked at."""
        if scope["type"] != "http" or not any(fault.system == system_of(scope) for fault in self._faults):
            await self._app(scope, receive, send)
            return
        body = await _whole(receive)
        fault = self._due(scope, body)
        receive = _again(body, receive)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._fail(fault, scope, receive, send)

    def _due(self, scope: Scope, body: bytes) -> Fault | None:
        text = "\n".join((scope["path"], *(unquote_plus(part.decode()) for part in (scope["query_string"], body))))
        for fault in list(self._faults):
            if fault.system != system_of(scope) or fault.match not in text:
                continue
            if fault.after:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            return fault
        return None

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.kind == "forget_sessions":
            scope.setdefault("state", {})["forget_sessions"] = True
            await self._app(scope, receive, send)
        elif fault.kind == "status":
            retry_after = {"retry-after": f"{fault.seconds:g}"} if fault.seconds else {}
            await Response("a gateway in between", fault.code, retry_after, "text/plain")(scope, receive, send)
        elif fault.kind == "error":
            error = self._systems[fault.system].error(fault.code)
            await (error if isinstance(error, Response) else JSONResponse(error))(scope, receive, send)
        else:
            await _damaged(self._app, fault, scope, receive, send)


async def _damaged(app: ASGIApp, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the system answer, then damage its answer."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    start, body = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
    if fault.kind == "cut":
        await send(start)
        # Nothing follows: the server closes the connection that owes the rest.
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        return
    body = body[: len(body) // 2] if fault.kind == "bad_json" else _edited(body, fault)
    MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _edited(body: bytes, fault: Fault) -> bytes:
    answer = json.loads(body)
    *way, last = fault.field.replace("[]", ".[]").strip(".").split(".")

    def change(node: Any) -> None:
        if not isinstance(node, dict):
            return
        if fault.kind == "missing_field":
            node.pop(last, None)
        elif fault.kind == "extra_field" or last in node:
            node[last] = fault.value

    _walk(answer, way, change)
    # Half of a surrogate pair goes out as \uNNNN, as programs that write it do.
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _walk(node: Any, way: list[str], change: Callable[[Any], None]) -> None:
    if not way:
        change(node)
    elif way[0] == "[]":
        for element in node if isinstance(node, list) else []:
            _walk(element, way[1:], change)
    elif isinstance(node, dict) and way[0] in node:
        _walk(node[way[0]], way[1:], change)


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that has been read to the next who reads."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
