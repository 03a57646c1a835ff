"""The contract of what was seen of one page at one moment."""

import dataframely as dy
import polars as pl

from otklik.contracts import fields
from otklik.contracts.centre import NETWORKS
from otklik.contracts.entity import Entity

METHODS = ("live", "trend", "file")
"""Counted when it was read; told by the network about a past day; brought in a file."""

NOT_READ = (
    "not_found",
    "bad_id",
    "closed",
    "blocked",
    "forbidden",
    "no_count",
    "limit",
    "no_answer",
    "bad_answer",
    "absent",
)
"""Why a page could not be read: there is no such page, the registry's id is malformed, closed to us, blocked by
the network, no right, the network does not tell the number, our limit is used up, no usable answer after retries,
an answer that is not what its documentation says, the page missing from an answer about several."""


class PageSnapshot(fields.Row):
    """One page at one moment. Every page asked for has a row: what could not be read is NULL, with the reason."""

    page_id = fields.key()
    network = fields.code(NETWORKS, nullable=False)
    external_id = fields.key()
    observed_at = fields.moment(nullable=False)
    method = fields.code(METHODS, nullable=False)
    members_count = fields.count()
    not_read = fields.code(NOT_READ)
    not_read_detail = fields.name()
    name = fields.name()
    is_verified = fields.flag()
    has_description = fields.flag()
    has_avatar = fields.flag()
    has_cover = fields.flag()
    has_government_mark = fields.flag()
    posts_7_days = fields.count()
    reach_7_days = fields.count()

    @dy.rule()
    def neither_count_nor_reason(cls) -> pl.Expr:
        return pl.col("members_count").is_not_null() | pl.col("not_read").is_not_null()

    @dy.rule()
    def in_future(cls) -> pl.Expr:
        return fields.have_happened("updated_at", "observed_at")


PAGE_SNAPSHOT = Entity(
    name="page_snapshot",
    schema=PageSnapshot,
    key=("page_id", "method", "observed_at"),
    required=("page_id", "network", "external_id", "observed_at", "method"),
    codes={"network": NETWORKS, "method": METHODS, "not_read": NOT_READ},
    events=("updated_at", "observed_at"),
)
