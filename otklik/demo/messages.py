"""Residents' messages of the made-up region: how many make an incident, when, where and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from otklik.demo.places import places
from otklik.demo.rhythm import DAY, END, MINUTE, START, Arrivals, local_seconds

CHANNELS = ("ВКонтакте", "Одноклассники", "Telegram", "Instagram", "Портал", "Приложение", "Телефон")
# What an author's id and profile start with; a caller has no profile.
CHANNEL_PREFIXES = ("vk", "ok", "tg", "ig", "lk", "app", "tel")
PHONE = len(CHANNELS) - 1
_SHARES = np.array(
    [
        [0.54, 0.23, 0.03, 0.12, 0.04, 0.01, 0.03],  # 2020 and 2021
        [0.56, 0.22, 0.06, 0.07, 0.05, 0.02, 0.02],  # until Instagram is closed in March 2022
        [0.60, 0.20, 0.12, 0.00, 0.05, 0.02, 0.01],
    ]
)
_CHANNEL_CHANGES = [local_seconds(date(2022, 1, 1)), local_seconds(date(2022, 3, 14))]

_RESIDENTS_PER_AUTHOR = 25
_FIRST_AUTHOR = 10_000
_REPEAT_SHARE = 0.07
_REPEAT_DAYS = 30
UNKNOWN = -1


@dataclass
class Messages:
    """One value per message, in the order of receiving; `incident` is the incident's number."""

    incident: np.ndarray
    received_at: np.ndarray
    registered_at: np.ndarray


def messages_per_incident(rng: np.random.Generator, arrivals: Arrivals) -> np.ndarray:
    """Draw how many messages each incident has: mostly one, more in a crisis."""
    usual = rng.choice([1, 2, 3, 4, 6], len(arrivals.received_at), p=[0.925, 0.05, 0.015, 0.006, 0.004])
    crowd = np.minimum(rng.geometric(0.45, len(usual)), 12)
    return np.where(arrivals.in_crisis, crowd, usual)


def draw_messages(rng: np.random.Generator, arrivals: Arrivals, count: np.ndarray) -> Messages:
    """Draw the messages of every incident; its first one is received when the incident is."""
    incident = np.repeat(np.arange(len(count)), count)
    is_first = np.diff(incident, prepend=-1) > 0
    wait = rng.integers(0, 50 * MINUTE, len(incident))
    received_at = arrivals.received_at[incident] + np.where(is_first, 0, wait)
    received_at = np.where(is_first, received_at, np.minimum(received_at, END - 1))
    triage = MINUTE * np.clip(7 * rng.lognormal(0, 0.6, len(incident)), 1, 45)
    registered_at = received_at + triage.astype(np.int64)
    order = np.argsort(received_at, kind="stable")
    return Messages(incident[order], received_at[order], registered_at[order])


def taken_messages(messages: Messages, keep: np.ndarray) -> Messages:
    """Return the messages of the incidents of the mask `keep`, with the incidents numbered anew."""
    number = np.cumsum(keep) - 1
    rows = keep[messages.incident]
    return Messages(number[messages.incident[rows]], messages.received_at[rows], messages.registered_at[rows])


def draw_channels(rng: np.random.Generator, received_at: np.ndarray) -> np.ndarray:
    """Draw each message's channel by the shares of its time."""
    era = np.searchsorted(_CHANNEL_CHANGES, received_at, side="right")
    upto = np.cumsum(_SHARES, axis=1)
    channel: np.ndarray = (rng.random(len(era))[:, None] >= upto[era]).sum(axis=1)
    last: np.ndarray = np.minimum(channel, PHONE)
    return last


def draw_authors(
    rng: np.random.Generator, messages: Messages, arrivals: Arrivals, channel: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw each message's author (a number, UNKNOWN for some) and put repeats on their first channel.

    A repeat is the same author, topic and municipality within 30 days. Returns authors and channels.
    """
    place = arrivals.place[messages.incident]
    pool = np.array([max(each.weight // _RESIDENTS_PER_AUTHOR, 20) for each in places()])
    first = np.cumsum(pool) - pool
    number = rng.permutation(int(pool.sum())) + _FIRST_AUTHOR
    drawn = (rng.random(len(place)) ** 1.3 * pool[place]).astype(np.int64)
    author = number[first[place] + drawn]
    unknown = rng.random(len(place)) < np.where(channel == PHONE, 0.5, 0.005)
    author = np.where(unknown, UNKNOWN, author)
    earlier = _repeated(rng, messages.received_at, place, arrivals.subtopic[messages.incident])
    return author[earlier], channel[earlier]


def _repeated(rng: np.random.Generator, received_at: np.ndarray, place: np.ndarray, subtopic: np.ndarray) -> np.ndarray:
    """Return for each message the message whose author it has: mostly its own, else an earlier one's."""
    order = np.lexsort((received_at, subtopic, place))
    same = (np.diff(place[order], prepend=-1) == 0) & (np.diff(subtopic[order], prepend=-1) == 0)
    near = np.diff(received_at[order], prepend=START) < _REPEAT_DAYS * DAY
    repeats = same & near & (rng.random(len(order)) < _REPEAT_SHARE)
    origin = np.maximum.accumulate(np.where(repeats, 0, np.arange(len(order))))
    earlier = np.empty(len(order), dtype=np.int64)
    earlier[order] = order[origin]
    return earlier
