"""What residents said is kept for so many days; what is older is erased, night by night, and the count is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from otklik.contracts.entities import ENTITIES
from otklik.contracts.incident import PERSONAL
from otklik.places import Place
from otklik.settings import Settings
from otklik.warehouse import ledger

ERASED_ANSWER = "[стёрто]"
"""What an open answer says when it is erased: that there was one still counts."""


@dataclass(frozen=True)
class Retired:
    """What was too old: versions of messages, open answers, refused rows, landed files."""

    messages: int
    answers: int
    rejected: int
    files: int

    def __str__(self) -> str:
        return (
            f"Erased: {self.messages} versions of messages, {self.answers} open answers, {self.rejected} refused rows,"
            f" {self.files} landed files"
        )


def retire(settings: Settings, at: datetime) -> Retired:
    """Erase what is older than OTKLIK_TEXT_RETENTION_DAYS at that moment, and return how much it was.

    A message is as old as it was received; open answers, refused rows and files as they came. Texts, names, ids and
    links go; the keyed hash of the author, figures and counts stay. Reads only what grew too old since the last time,
    and what came since.
    """
    with psycopg.connect(settings.dsn("owner"), row_factory=tuple_row) as connection:
        ledger.lock(connection)
        span = _span(connection, at - timedelta(days=settings.text_retention_days))
        connection.execute(_OLD_BATCHES, span)
        retired = Retired(
            connection.execute(_ERASE_MESSAGES, span).rowcount,
            connection.execute(_ERASE_ANSWERS, {"erased": ERASED_ANSWER}).rowcount,
            connection.execute(_ERASE_REJECTED).rowcount,
            _delete_files(connection, span, Place.landing(settings)),
        )
        connection.execute(
            "insert into quality.retention (kept_days, older_than, batches_through, message_count, answer_count,"
            " rejected_count, file_count) values (%s, %s, %s, %s, %s, %s, %s)",
            (settings.text_retention_days, span["older_than"], span["through"], *vars(retired).values()),
        )
    return retired


def _span(connection: psycopg.Connection[Any], older_than: datetime) -> dict[str, Any]:
    """Return what is to be looked at: from `since` to `older_than`, and in the batches after `after` through `through`.

    Whatever was older last time is gone, so it is looked at from there on.
    """
    since, after = connection.execute(
        "select max(older_than), coalesce(max(batches_through), 0) from quality.retention"
    ).fetchone() or (None, 0)
    [(through,)] = connection.execute("select coalesce(max(batch_id), 0) from raw.batch")
    personal = [name for name, entity in ENTITIES.items() if entity.personal]
    return {"since": since, "older_than": older_than, "after": after, "through": through, "personal": personal}


_PERSONAL = (*sorted(PERSONAL), "masked_text")

# What is looked at grew too old since the last time, or came since; the latter is all there is the first time.
# A file that comes with old messages alone is old at once.
_OLD_BATCHES = """
    create temporary table old_batch on commit drop as
    select batch_id, landed_path, content_sha256
    from raw.batch
    where
        entity = any(%(personal)s)
        and known_at < %(older_than)s
        and (batch_id > %(after)s or known_at >= %(since)s)
    union
    select batch_id, batch.landed_path, batch.content_sha256
    from raw.batch
    inner join raw.incident using (batch_id)
    where batch_id > %(after)s
    group by batch_id
    having max(received_at) < %(older_than)s
"""

_ERASE_MESSAGES = sql.SQL(
    "update raw.incident set {blank} where received_at < %(older_than)s"
    " and (batch_id > %(after)s or received_at >= %(since)s) and num_nonnulls({columns}) > 0"
).format(
    blank=sql.SQL(", ").join(sql.SQL("{} = null").format(sql.Identifier(name)) for name in _PERSONAL),
    columns=sql.SQL(", ").join(map(sql.Identifier, _PERSONAL)),
)

_ERASE_ANSWERS = """
    update raw.survey_answer
    set text = %(erased)s, masked_text = null
    where batch_id in (select batch_id from old_batch) and text is not null and text <> %(erased)s
"""

_ERASE_REJECTED = """
    update raw.rejected_row
    set original = '{}', reasons = coalesce(shown_reasons, '[]')
    where batch_id in (select batch_id from old_batch) and original <> '{}'
"""


def _delete_files(connection: psycopg.Connection[Any], span: dict[str, Any], landing: Place) -> int:
    """Delete the landed files in which nothing that a resident said is young enough; return how many there were."""
    query = """
        insert into quality.retired_file (landed_path, content_sha256)
        select distinct landed_path, content_sha256
        from old_batch
        where
            not exists (
                select from raw.batch
                where
                    batch.landed_path = old_batch.landed_path
                    and entity = any(%(personal)s)
                    and known_at >= %(older_than)s
                    and batch_id not in (select batch_id from old_batch)
            )
        on conflict (landed_path) do nothing
        returning landed_path
    """
    addresses = [address for (address,) in connection.execute(query, span)]
    with landing.named():
        for address in addresses:
            landing.path_at(address).unlink(missing_ok=True)
    return len(addresses)
