"""Files to measure with: incidents as a centre's system would export them, any number of rows."""

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from otklik.demo.places import places
from otklik.demo.topics import SUBTOPICS

_BEGIN = datetime(2020, 11, 1)  # noqa: DTZ001 - the file writes local times without a zone
_TEXT = "Добрый день! Во дворе третью неделю не вывозят мусор, контейнеры переполнены, просим принять меры. "
_PART = 500_000
_EACH, _REFUSED, _REPEATED, _REPEATED_AFTER = 10_000, 4_000, 7_000, 2_500


def write_incidents(path: Path, rows: int) -> None:
    """Write `rows` incidents as CSV (`,`, UTF-8, ISO times, 23 columns), about 700 bytes each, in parts.

    Of every 10,000 rows one has a status nobody knows, to be refused, and one says the same as a row before.
    """
    with path.open("wb") as file:
        for start in range(0, rows, _PART):
            part = _incidents(start, min(start + _PART, rows))
            part.write_csv(file, include_header=start == 0)


def _incidents(start: int, end: int) -> pl.DataFrame:
    rng = np.random.default_rng(start)
    size = end - start
    number = pl.Series(np.arange(start, end))
    received = pl.Series(np.arange(start, end) * 60 + rng.integers(0, 60, size))
    later = {
        name: received + pl.Series(rng.integers(low, high, size))
        for name, low, high in (
            ("registered_at", 60, 3_600),
            ("assigned_at", 3_600, 7_200),
            ("first_response_at", 7_200, 36_000),
            ("resolved_at", 36_000, 900_000),
            ("closed_at", 900_000, 1_800_000),
            ("due_at", 2_592_000, 2_592_001),
        )
    }
    moments = {"received_at": received, **later, "updated_at": later["closed_at"]}
    subtopic, place = rng.integers(0, len(SUBTOPICS), size), rng.integers(0, len(places()), size)
    author = pl.Series(rng.integers(1, 300_000, size))
    topics, names = [each.topic for each in SUBTOPICS], [each.name for each in SUBTOPICS]
    municipalities, codes = [each.name for each in places()], [each.oktmo for each in places()]
    columns = {
        "message_id": pl.select(pl.format("m{}", number)).to_series(),
        "incident_id": pl.select(pl.format("i{}", number // 2)).to_series(),
        **{
            name: pl.select(
                (pl.lit(_BEGIN) + pl.duration(seconds=pl.lit(values))).dt.strftime("%Y-%m-%d %H:%M:%S")
            ).to_series()
            for name, values in moments.items()
        },
        "status": pl.select(
            pl.when(number % _EACH == _REFUSED).then(pl.lit("?")).otherwise(pl.lit("closed"))
        ).to_series(),
        "channel": pl.Series(["vk", "ok", "telegram", "portal"]).gather(rng.integers(0, 4, size)),
        "priority": pl.Series(["high", "normal", "low"]).gather(rng.integers(0, 3, size)),
        "topic": pl.Series(topics).gather(subtopic),
        "subtopic": pl.Series(names).gather(subtopic),
        "municipality_code": pl.Series(codes).gather(place),
        "municipality": pl.Series(municipalities).gather(place),
        "authority": pl.select(pl.format("Администрация: {}", pl.Series(municipalities).gather(place))).to_series(),
        "author_id": pl.select(pl.format("id{}", author)).to_series(),
        "author_name": pl.select(pl.format("Житель {}", author)).to_series(),
        "author_url": pl.select(pl.format("https://example.invalid/id{}", author)).to_series(),
        "message_url": pl.select(pl.format("https://example.invalid/wall-{}", number)).to_series(),
        "message_text": _texts(number),
    }
    repeated = pl.when(number % _EACH == _REPEATED).then(number - start - _REPEATED_AFTER).otherwise(number - start)
    return pl.DataFrame(columns)[pl.select(repeated).to_series()]


def _texts(number: pl.Series) -> pl.Series:
    """One text in twenty holds a phone."""
    plain = pl.format(_TEXT + "Обращение {}.", number)
    with_phone = pl.format(_TEXT + "Телефон {}.", number + 89_220_000_000)
    return pl.select(pl.when(number % 20 == 0).then(with_phone).otherwise(plain)).to_series()
