"""Each piece of news goes out once by each way: noted in quality.told in the transaction in which it is sent."""

from collections.abc import Callable, Iterable
from itertools import groupby

import psycopg

from otklik.settings import Settings
from otklik.telling.messages import Message, message
from otklik.telling.news import News


def tell(news: Iterable[News], way: str, send: Callable[[Message], None], settings: Settings) -> list[Message]:
    """Send what was not told by this way yet, and return it.

    News of one kind about one thing go in one message. What `send` raises is raised; the message it could not send is
    not noted as told, those before it are.
    """
    sent = []
    with psycopg.connect(settings.dsn("publisher"), autocommit=True) as connection:
        for _, about_one in groupby(news, key=lambda one: (one.kind, one.about)):
            # Whoever else tells the same at this moment waits here until it is sent, or is not.
            with connection.transaction():
                fresh = [one for one in about_one if _note(connection, way, one)]
                if fresh:
                    told = message(fresh, settings)
                    send(told)
                    sent.append(told)
    return sent


def _note(connection: psycopg.Connection, way: str, news: News) -> bool:
    """Note that this was told; return False when it was noted before."""
    noted = connection.execute(
        "insert into quality.told (way, kind, what) values (%s, %s, %s) on conflict do nothing",
        (way, news.kind, news.what),
    )
    return noted.rowcount == 1
