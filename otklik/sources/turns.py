"""Questions asked in turn, where the next one depends on the answer before; no answer ends the reading."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from otklik.errors import SourceError
from otklik.sources.connection import Connection
from otklik.sources.http import Caller, Unanswered

Ask = Callable[..., httpx.Response]
"""`Caller.ask` without `await`: a question left unanswered is a SourceError."""


@contextmanager
def in_turn(connection: Connection, caller: Caller) -> Iterator[Ask]:
    """Open the caller and give its `ask`, which waits for each answer."""
    with asyncio.Runner() as runner:

        def ask(*question: object, **request: object) -> httpx.Response:
            try:
                return runner.run(caller.ask(*question, **request))  # type: ignore[arg-type]
            except Unanswered as error:
                raise unanswered(connection, error) from None

        runner.run(caller.__aenter__())
        try:
            yield ask
        finally:
            runner.run(caller.__aexit__())


def unanswered(connection: Connection, error: Unanswered) -> SourceError:
    """Return the error that says that a system gave no usable answer."""
    return SourceError(
        f"Connection {connection.name}: no usable answer ({error.trouble}). "
        "Check its address; if that is right, the system is down: run the task again later"
    )
