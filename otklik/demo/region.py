"""The made-up region: Sverdlovsk oblast's incidents from November 2020 to the end of 2022, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from otklik.demo.authorities import assign_authorities
from otklik.demo.calibrate import MESSAGES_REGISTERED, surplus_incidents
from otklik.demo.clock import clock
from otklik.demo.dirty import defects
from otklik.demo.export import write_file, write_notes
from otklik.demo.messages import draw_authors, draw_channels, draw_messages, messages_per_incident, taken_messages
from otklik.demo.rhythm import (
    CRISES,
    END,
    LAST_NIGHT,
    YEAR_STARTS,
    crisis_arrivals,
    joined,
    ordinary_arrivals,
    taken,
)
from otklik.demo.state import Region, known
from otklik.demo.texts import message_texts

SEED = 66
# More incidents than the year's messages call for, to be thinned out to the exact number.
_SPARE = 1.03
_MESSAGES_PER_INCIDENT = 1.125
_MESSAGES_PER_CRISIS_INCIDENT = 2.2
_BAD_ROWS_A_MONTH = (1, 2)
_BAD_ROWS_LAST_NIGHT = 5


@dataclass(frozen=True)
class GeneratedFiles:
    """What was written: history to load once, the last night's file, and the notes of the bad rows."""

    history: tuple[Path, ...]
    night: Path
    notes: Path


def generate(folder: Path, seed: int = SEED) -> GeneratedFiles:
    """Write the region's files into `folder`: the same bytes for the same seed.

    `history_yyyy-mm.csv.gz` hold the messages of a month as they were known at the end of 30.12.2022,
    `incidents_2022-12-31.csv` what the last day brought and changed; `notes/bad_rows.json` lists the
    rows a loader must not load.
    """
    region = make_region(seed)
    folder.mkdir(parents=True, exist_ok=True)
    makers = defects()
    noted = []
    before = known(region, LAST_NIGHT)
    month = before["Дата публикации"].str.slice(6, 4) + "-" + before["Дата публикации"].str.slice(3, 2)
    history = []
    for number, (name, rows) in enumerate(_by_month(before, month)):
        path = folder / f"history_{name}.csv.gz"
        noted += write_file(path, rows, makers, _BAD_ROWS_A_MONTH[number % len(_BAD_ROWS_A_MONTH)])
        history.append(path)
    night = folder / "incidents_2022-12-31.csv"
    changed = known(region, END).filter(pl.col("since") >= LAST_NIGHT)
    noted += write_file(night, changed, makers, _BAD_ROWS_LAST_NIGHT)
    notes = folder / "notes" / "bad_rows.json"
    write_notes(notes, noted)
    return GeneratedFiles(history=tuple(history), night=night, notes=notes)


def make_region(seed: int) -> Region:
    """Draw everything that happens in the region."""
    rng = np.random.default_rng(seed)
    parts = [crisis_arrivals(rng, crisis) for crisis in CRISES]
    for start, end, target in zip(YEAR_STARTS[:-1], YEAR_STARTS[1:], MESSAGES_REGISTERED.values(), strict=True):
        in_crises = sum(((part.received_at >= start) & (part.received_at < end)).sum() for part in parts)
        everyday = (target - in_crises * _MESSAGES_PER_CRISIS_INCIDENT) / _MESSAGES_PER_INCIDENT
        parts.append(ordinary_arrivals(rng, int(start), int(end), int(everyday * _SPARE)))
    arrivals = joined(parts)

    count = messages_per_incident(rng, arrivals)
    drawn = draw_messages(rng, arrivals, count)
    keep = np.ones(len(count), dtype=bool)
    keep[surplus_incidents(rng, drawn.registered_at, drawn.incident, ~arrivals.in_crisis & (count == 1))] = False
    arrivals, messages = taken(arrivals, keep), taken_messages(drawn, keep)

    authority = assign_authorities(arrivals.subtopic, arrivals.place, rng.random(len(count)))
    clocks = clock(rng, arrivals, authority, messages)
    author, channel = draw_authors(rng, messages, arrivals, draw_channels(rng, messages.received_at))
    texts = message_texts(rng, arrivals.subtopic[messages.incident], arrivals.place[messages.incident])
    return Region(arrivals, authority, clocks, messages, channel, author, texts)


def _by_month(rows: pl.DataFrame, month: pl.Series) -> list[tuple[str, pl.DataFrame]]:
    return [(name, rows.filter(month == name)) for name in month.unique().sort()]
