"""Questions to the warehouse, answered as CSV."""

from collections.abc import Iterator

import psycopg
from psycopg import sql


def csv_rows(dsn: str, query: str) -> Iterator[bytes]:
    """Yield the answer to one query as CSV with a header, in pieces as the database sends them.

    NULL is an empty field, an empty text is "". Raises psycopg.Error with the database's own message.
    """
    # The end of line keeps a comment at the end of the query from swallowing the bracket.
    copy = sql.SQL("copy ({}\n) to stdout (format csv, header)").format(sql.SQL(query.strip().rstrip(";")))
    with psycopg.connect(dsn, connect_timeout=10) as connection, connection.cursor().copy(copy) as answer:
        for piece in answer:
            yield bytes(piece)
