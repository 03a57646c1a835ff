"""Counts from the landed file to the mart, night by night and entity by entity, every difference with its name."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg.rows import dict_row

from expectations.record import Outcome, Run
from expectations.side import Side
from otklik.contracts.entities import ENTITIES

SUITE = "reconciliation"

# Entities of which each thing is one row of a fact, and which: its `batch_id` tells which version is shown.
_FACTS = {
    "incident": "fct_message",
    "survey_response": "fct_survey_response",
    "survey_answer": "fct_survey_answer",
    "broadcast": "fct_broadcast",
    "material": "fct_material",
}


@dataclass(frozen=True)
class Night:
    """What became of the rows of one night and entity. NULL where a step has no row for each.

    landed = rejected + duplicate + raw (versions that say that a row is gone are not in the file); raw = staging;
    staging = superseded + withdrawn + mart; incidents = answered + not_answered. What is left over is unexplained.
    """

    region_code: str
    source: str
    entity: str
    night: datetime
    landed_count: int
    rejected_count: int
    duplicate_count: int
    raw_count: int
    gone_count: int
    staging_count: int
    superseded_count: int | None
    withdrawn_count: int | None
    mart_count: int | None
    incident_count: int | None
    answered_count: int | None
    not_answered_count: int | None
    unexplained_count: int


def reconcile(connection: psycopg.Connection[Any], side: Side) -> list[Night]:
    """Return every night and entity of the batches that a build took in."""
    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=loader, undefined=StrictUndefined)  # noqa: S701 - it makes SQL
    template = templates.get_template("reconciliation.sql.j2")
    bounds = {"after": side.after, "through": side.through}
    nights = []
    with connection.cursor(row_factory=dict_row) as cursor:
        for entity in ENTITIES.values():
            query = template.render(entity=entity.name, key=entity.key, fact=_FACTS.get(entity.name))
            nights += [Night(entity=entity.name, **row) for row in cursor.execute(query, bounds)]
    return nights


def record_nights(connection: psycopg.Connection[Any], run: Run, nights: Sequence[Night]) -> None:
    """Keep the counts of a run."""
    columns = ", ".join(field.name for field in fields(Night))
    values = ", ".join(["%s"] * (len(fields(Night)) + 1))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into quality.reconciliation (run_id, {columns}) values ({values})",  # noqa: S608 - names of ours
            [(run.run_id, *astuple(night)) for night in nights],
        )


def outcomes(nights: Sequence[Night]) -> Iterator[Outcome]:
    """Yield for each entity whether every row of its nights is accounted for."""
    for entity in ENTITIES:
        own = [night for night in nights if night.entity == entity]
        unexplained = sum(night.unexplained_count for night in own)
        yield Outcome(
            expectation=f"raw.{entity}: every_row_is_accounted_for",
            column=None,
            severity="critical",
            success=unexplained == 0,
            observed=f"{unexplained} из {sum(night.landed_count for night in own)} строк",
            protects="Каждая строка, пришедшая в файле, найдена на экране или названо, почему её там нет: отклонена, "
            "повторена, заменена новой, отозвана источником, ещё не отвечена.",
        )
