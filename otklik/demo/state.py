"""What was known of the made-up region's incidents at a moment: rows as the incident system shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from otklik.demo.authorities import authorities
from otklik.demo.calibrate import NEVER
from otklik.demo.clock import PRIORITIES, Clock
from otklik.demo.messages import CHANNEL_PREFIXES, CHANNELS, PHONE, UNKNOWN, Messages
from otklik.demo.places import places
from otklik.demo.rhythm import Arrivals
from otklik.demo.topics import SUBTOPICS

STATUSES = (
    "Новое",
    "Зарегистрировано",
    "Направлено в орган",
    "Дан ответ",
    "Промежуточный ответ",
    "Решено",
    "Закрыто",
    "Возвращено в работу",
)
NEW, REGISTERED, ASSIGNED, ANSWERED, INTERIM, RESOLVED, CLOSED, REOPENED = range(8)

_FIRST_MESSAGE, _FIRST_INCIDENT = 5_000_001, 1_000_001
_TIME = "%d.%m.%Y %H:%M:%S"


@dataclass
class Region:
    """Everything that ever happens: incidents, their clocks, and their messages."""

    arrivals: Arrivals
    authority: np.ndarray
    clock: Clock
    messages: Messages
    channel: np.ndarray
    author: np.ndarray
    texts: list[str]


def known(region: Region, moment: int) -> pl.DataFrame:
    """Return the rows known just before `moment`: one per message received by then, in Russian columns.

    Times are local, `dd.mm.yyyy HH:MM:SS`; what has not happened yet is null. `since` (local seconds,
    not for the file) is the row's last change.
    """
    clock, messages = region.clock, region.messages
    is_known = messages.received_at < moment
    incident = messages.incident[is_known]
    registered_at = messages.registered_at[is_known]

    reopened = clock.reopened_at < moment
    resolved_at = np.where(reopened, clock.resolved_again_at, clock.resolved_at)
    closed_at = np.where(reopened, clock.closed_again_at, clock.closed_at)
    moments = {
        "Направлено в орган": clock.assigned_at,
        "Дата ответа": clock.first_response_at,
        "Промежуточный ответ": clock.interim_at,
        "Дата решения": resolved_at,
        "Дата закрытия": closed_at,
        "Возвращено в работу": clock.reopened_at,
    }
    own_moments = [messages.received_at[is_known], registered_at]
    last_of_messages = _last_known(own_moments, moment)
    since = _last_known(list(moments.values()), moment)
    np.maximum.at(since, incident, last_of_messages)

    row = {"Дата публикации": messages.received_at[is_known], "Дата регистрации": registered_at}
    row |= {column: values[incident] for column, values in moments.items()}
    times = {column: _as_text(values, moment) for column, values in row.items()}
    times["Крайний срок"] = _as_text(clock.due_at[incident], NEVER)
    times["Изменено"] = _as_text(since[incident], moment)
    status = np.where(registered_at < moment, _statuses(moments, moment)[incident], NEW)
    labels = _labels(region, is_known, incident)
    return pl.DataFrame(
        labels
        | times
        | {
            "Статус": _named(STATUSES, status),
            "Число возвратов": pl.Series(reopened[incident].astype(np.int8)),
            "since": pl.Series(since[incident]),
        }
    )


def _last_known(moments: list[np.ndarray], moment: int) -> np.ndarray:
    last: np.ndarray = np.maximum.reduce([np.where(values < moment, values, 0) for values in moments])
    return last


def _statuses(moments: dict[str, np.ndarray], moment: int) -> np.ndarray:
    """Return each incident's status as of `moment`, once it is registered."""
    happened = {column: values < moment for column, values in moments.items()}
    return np.select(
        [
            happened["Дата закрытия"],
            happened["Дата решения"],
            happened["Возвращено в работу"],
            happened["Промежуточный ответ"],
            happened["Дата ответа"],
            happened["Направлено в орган"],
        ],
        [CLOSED, RESOLVED, REOPENED, INTERIM, ANSWERED, ASSIGNED],
        REGISTERED,
    )


def _as_text(moments: np.ndarray, before: int) -> pl.Series:
    """Write local seconds as the file does; what is not before `before` is null."""
    seconds = pl.Series(moments)
    return pl.select(
        pl.when(seconds < before).then(pl.from_epoch(seconds, time_unit="s").dt.strftime(_TIME))
    ).to_series()


def _named(names: tuple[str, ...], number: np.ndarray) -> pl.Series:
    return pl.Series(names).gather(number)


def _labels(region: Region, is_known: np.ndarray, incident: np.ndarray) -> dict[str, pl.Series]:
    """Return the columns that do not change with time."""
    arrivals = region.arrivals
    number = np.flatnonzero(is_known)
    subtopic, place = arrivals.subtopic[incident], arrivals.place[incident]
    channel, author = region.channel[is_known], region.author[is_known]
    frame = pl.DataFrame(
        {
            "message": number + _FIRST_MESSAGE,
            "author": author,
            "prefix": _named(CHANNEL_PREFIXES, channel),
            "has_author": author != UNKNOWN,
            "is_call": channel == PHONE,
        }
    )
    site = "https://example.invalid/{}/"
    link = pl.format(site + "wall-{}", "prefix", "message")
    profile = pl.format(site + "id{}", "prefix", "author")
    personal = frame.select(
        pl.when("has_author").then(pl.format("{}{}", "prefix", "author")).alias("ID автора"),
        pl.when("has_author").then(pl.format("Житель {}", "author")).alias("Автор"),
        pl.when(pl.col("has_author") & ~pl.col("is_call")).then(profile).alias("Профиль автора"),
        pl.when(~pl.col("is_call")).then(link).alias("Ссылка на сообщение"),
    )
    return {
        "№ сообщения": frame["message"],
        "№ инцидента": pl.Series(incident + _FIRST_INCIDENT),
        "Канал": _named(CHANNELS, channel),
        "Приоритет": _named(PRIORITIES, region.clock.priority[incident]),
        "Тема": _named(tuple(each.topic for each in SUBTOPICS), subtopic),
        "Подтема": _named(tuple(each.name for each in SUBTOPICS), subtopic),
        "Муниципалитет": _named(tuple(each.name for each in places()), place),
        "Ответственный орган": _named(tuple(each.name for each in authorities()), region.authority[incident]),
        "Текст": pl.Series(region.texts).gather(number),
        **personal.to_dict(),
    }
