"""Work ahead of who consumes it, in a thread: parsing goes on while the database writes."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, the next being made meanwhile; what the making raises is raised here."""
    made = iter(items)
    end = object()
    with ThreadPoolExecutor(1, "ahead") as maker:
        coming = maker.submit(next, made, end)
        while (item := coming.result()) is not end:
            coming = maker.submit(next, made, end)
            yield item  # type: ignore[misc]
            # Else it would stay in memory while the next is waited for.
            del item
