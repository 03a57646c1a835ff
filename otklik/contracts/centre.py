"""Contracts of what the centre keeps in its own files: authorities, their pages, broadcasts, materials."""

import dataframely as dy
import polars as pl

from otklik.contracts import fields
from otklik.contracts.entity import Entity

LEVELS = ("regional", "municipal", "subordinate")
NETWORKS = ("vk", "ok", "telegram", "max")
FORMATS = ("text", "image", "infographic", "video", "article", "story", "other")


def _in_order(later: str, earlier: str) -> pl.Expr:
    return (pl.col(later) >= pl.col(earlier)).fill_null(True)


class Authority(fields.Row):
    """One authority as it was from `valid_from` to `valid_to` (local days, both included; NULL: no bound)."""

    authority_id = fields.key()
    name = fields.name(nullable=False)
    level = fields.code(LEVELS)
    founder = fields.name()
    municipality_code = fields.name()
    municipality = fields.name()
    valid_from = dy.Date(nullable=True)
    valid_to = dy.Date(nullable=True)

    @dy.rule()
    def ended_before_begun(cls) -> pl.Expr:
        return _in_order("valid_to", "valid_from")


class Page(fields.Row):
    """One official page on one network, and who answered for it from `valid_from` to `valid_to`.

    `external_id` is what the network knows it by: id or short name (VK, OK), @name (Telegram), chat id (MAX).
    """

    page_id = fields.key()
    network = fields.code(NETWORKS, nullable=False)
    external_id = fields.key()
    authority_id = fields.key()
    name = fields.name()
    url = fields.name()
    opened_on = dy.Date(nullable=True)
    closed_on = dy.Date(nullable=True)
    valid_from = dy.Date(nullable=True)
    valid_to = dy.Date(nullable=True)

    @dy.rule()
    def ended_before_begun(cls) -> pl.Expr:
        return _in_order("valid_to", "valid_from")

    @dy.rule()
    def closed_before_opened(cls) -> pl.Expr:
        return _in_order("closed_on", "opened_on")


class Broadcast(fields.Row):
    """One live broadcast."""

    broadcast_id = fields.key()
    held_at = fields.moment(nullable=False)
    title = fields.name()
    guest_post = fields.name()
    authority = fields.name()
    municipality_code = fields.name()
    municipality = fields.name()
    network = fields.code((*NETWORKS, "other"))
    url = fields.name()
    duration_minutes = fields.count()
    views = fields.count()

    @dy.rule()
    def in_future(cls) -> pl.Expr:
        return fields.have_happened("updated_at", "held_at")


class Material(fields.Row):
    """One information material, published once."""

    material_id = fields.key()
    published_at = fields.moment(nullable=False)
    title = fields.name()
    topic = fields.name()
    authority = fields.name()
    network = fields.code((*NETWORKS, "other"))
    format = fields.code(FORMATS)
    url = fields.name()
    views = fields.count()

    @dy.rule()
    def in_future(cls) -> pl.Expr:
        return fields.have_happened("updated_at", "published_at")


_ENDED = {"ended_before_begun": ("valid_to", "valid_from")}

AUTHORITY = Entity(
    name="authority",
    schema=Authority,
    key=("authority_id", "valid_from"),
    required=("authority_id", "name"),
    codes={"level": LEVELS},
    orders=_ENDED,
)
PAGE = Entity(
    name="page",
    schema=Page,
    key=("page_id", "valid_from"),
    required=("page_id", "network", "external_id", "authority_id"),
    codes={"network": NETWORKS},
    orders=_ENDED | {"closed_before_opened": ("closed_on", "opened_on")},
)
BROADCAST = Entity(
    name="broadcast",
    schema=Broadcast,
    key=("broadcast_id",),
    required=("broadcast_id", "held_at"),
    codes={"network": (*NETWORKS, "other")},
    events=("updated_at", "held_at"),
)
MATERIAL = Entity(
    name="material",
    schema=Material,
    key=("material_id",),
    required=("material_id", "published_at"),
    codes={"network": (*NETWORKS, "other"), "format": FORMATS},
    events=("updated_at", "published_at"),
)
