"""The contract of an incident row: one message of a resident with the state of its incident.

Rule names become the codes of `raw.rejected_row.reasons`; their Russian texts are in `reasons.py`.
"""

import dataframely as dy
import polars as pl

from otklik.contracts import fields
from otklik.contracts.entity import Entity

STATUSES = ("new", "registered", "assigned", "answered", "interim", "resolved", "closed", "reopened")
CHANNELS = ("vk", "ok", "telegram", "telegram_channel", "max", "portal", "phone", "app", "other")
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

PERSONAL = frozenset({"author_id", "author_name", "author_url", "message_url", "message_text"})
"""Fields whose values must not be repeated in a reason."""


def _not_before(later: str, earlier: str) -> pl.Expr:
    """Hold where both moments are known and in order, or where either is unknown."""
    return (pl.col(later) >= pl.col(earlier)).fill_null(True)


class Incident(fields.Row):
    """A valid incident row. `known_at` is the end of the night it came with: nothing can be later."""

    message_id = fields.key()
    incident_id = fields.key()
    author_id = fields.name()
    author_url = fields.name()
    message_url = fields.name()

    author_name = fields.name()
    message_text = fields.text()
    topic = fields.name()
    subtopic = fields.name()
    municipality_code = fields.name()
    municipality = fields.name()
    authority = fields.name()

    status = fields.code(STATUSES, nullable=False)
    channel = fields.code(CHANNELS)
    priority = fields.code(PRIORITIES)
    reopened_count = dy.Int32(nullable=True, min=0)

    received_at = fields.moment(nullable=False)
    registered_at = fields.moment()
    assigned_at = fields.moment()
    first_response_at = fields.moment()
    interim_at = fields.moment()
    resolved_at = fields.moment()
    closed_at = fields.moment()
    reopened_at = fields.moment()
    due_at = fields.moment()

    @dy.rule()
    def in_future(cls) -> pl.Expr:
        return fields.have_happened(*EVENTS)

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


INCIDENT = Entity(
    name="incident",
    schema=Incident,
    key=("message_id",),
    required=("message_id", "incident_id", "status", "received_at"),
    codes=CODES,
    events=EVENTS,
    orders={
        "registered_before_received": ("registered_at", "received_at"),
        "assigned_before_received": ("assigned_at", "received_at"),
        "answered_before_received": ("first_response_at", "received_at"),
        "answered_before_registered": ("first_response_at", "registered_at"),
        "resolved_before_received": ("resolved_at", "received_at"),
        "closed_before_received": ("closed_at", "received_at"),
        "reopened_before_received": ("reopened_at", "received_at"),
    },
    personal=PERSONAL,
    author=("author_id", "author_url", "author_name"),
    masked="message_text",
)
