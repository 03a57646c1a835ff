"""The contract of an incident row: one message of a resident with the state of its incident.

Rule names become the codes of `raw.rejected_row.reasons`; their Russian texts are in `reasons.py`.
"""

import dataframely as dy
import polars as pl

STATUSES = ("new", "registered", "assigned", "answered", "interim", "resolved", "closed", "reopened")
CHANNELS = ("vk", "ok", "telegram", "max", "portal", "phone", "app", "other")
PRIORITIES = ("high", "normal", "low")

CODES = {"status": STATUSES, "channel": CHANNELS, "priority": PRIORITIES}
"""Fields whose values are a closed list."""

EVENTS = (
    "updated_at",
    "received_at",
    "registered_at",
    "assigned_at",
    "first_response_at",
    "interim_at",
    "resolved_at",
    "closed_at",
    "reopened_at",
)
"""Moments of things that have happened, so none can lie in the future (a deadline can)."""

NAME_LENGTH = 1_000
TEXT_LENGTH = 100_000
KEY_LENGTH = 200

PERSONAL = frozenset({"author_id", "author_name", "author_url", "message_url", "message_text"})
"""Fields whose values must not be repeated in a reason."""


def _code(field: str, *, nullable: bool) -> dy.String:
    allowed = CODES[field]
    return dy.String(nullable=nullable, check={"known": lambda column: column.is_in(allowed)})


def _name() -> dy.String:
    return dy.String(nullable=True, max_length=NAME_LENGTH)


def _key() -> dy.String:
    return dy.String(nullable=False, max_length=KEY_LENGTH)


def _moment(*, nullable: bool = True) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_zone="UTC", time_unit="us")


def _not_before(later: str, earlier: str) -> pl.Expr:
    """Hold where both moments are known and in order, or where either is unknown."""
    return (pl.col(later) >= pl.col(earlier)).fill_null(True)


class Incident(dy.Schema):
    """A valid incident row. `known_at` is the end of the night it came with: nothing can be later."""

    row_number = dy.Int64(nullable=False)
    known_at = _moment(nullable=False)

    message_id = _key()
    incident_id = _key()
    author_id = _name()
    author_url = _name()
    message_url = _name()

    author_name = _name()
    message_text = dy.String(nullable=True, max_length=TEXT_LENGTH)
    topic = _name()
    subtopic = _name()
    municipality_code = _name()
    municipality = _name()
    authority = _name()

    status = _code("status", nullable=False)
    channel = _code("channel", nullable=True)
    priority = _code("priority", nullable=True)
    reopened_count = dy.Int32(nullable=True, min=0)

    updated_at = _moment()
    received_at = _moment(nullable=False)
    registered_at = _moment()
    assigned_at = _moment()
    first_response_at = _moment()
    interim_at = _moment()
    resolved_at = _moment()
    closed_at = _moment()
    reopened_at = _moment()
    due_at = _moment()

    @dy.rule()
    def in_future(cls) -> pl.Expr:
        return pl.all_horizontal((pl.col(event) <= pl.col("known_at")).fill_null(True) for event in EVENTS)

    @dy.rule()
    def registered_before_received(cls) -> pl.Expr:
        return _not_before("registered_at", "received_at")

    @dy.rule()
    def assigned_before_received(cls) -> pl.Expr:
        return _not_before("assigned_at", "received_at")

    @dy.rule()
    def answered_before_received(cls) -> pl.Expr:
        return _not_before("first_response_at", "received_at")

    @dy.rule()
    def answered_before_registered(cls) -> pl.Expr:
        return _not_before("first_response_at", "registered_at")

    @dy.rule()
    def resolved_before_received(cls) -> pl.Expr:
        return _not_before("resolved_at", "received_at")

    @dy.rule()
    def closed_before_received(cls) -> pl.Expr:
        return _not_before("closed_at", "received_at")

    @dy.rule()
    def reopened_before_received(cls) -> pl.Expr:
        return _not_before("reopened_at", "received_at")
