"""An incident's clock in the made-up region: from the message to the closed case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otklik.demo.authorities import authorities
from otklik.demo.calibrate import NEVER, calibrated_responses, postponed
from otklik.demo.messages import Messages
from otklik.demo.rhythm import DAY, END, HOUR, MINUTE, START, Arrivals, day_off, month_number
from otklik.demo.topics import SUBTOPICS

PRIORITIES = ("Высокий", "Обычный", "Низкий")
HIGH, NORMAL, LOW = range(3)

# Relative time to respond by month, from November 2020: the centre learns, and holidays slow it down.
_PACE_BY_MONTH = np.array(
    [
        *(480, 395),
        *(300, 272, 250, 236, 228, 205, 197, 192, 186, 180, 178, 170),
        *(172, 164, 158, 151, 149, 143, 141, 139, 138, 136, 135, 131),
        131,  # answers of January 2023, which nobody knows yet
    ]
)
_FIRST_MONTH = (2020 - 1970) * 12 + 10
# Shares of incidents.
_SOLVED_AT_ONCE, _INTERIM, _REOPENED = 0.5, 0.6, 0.035
_FORGOTTEN, _UNANSWERED, _WITHOUT_DEADLINE = 0.015, 0.0015, 0.04
_NIGHT_FROM, _NIGHT_TO = 22 * HOUR + 30 * MINUTE, 7 * HOUR + 30 * MINUTE
_WORKDAY_FROM, _WORKDAY = 9 * HOUR, 8 * HOUR


@dataclass
class Clock:
    """The moments of every incident, one value each; NEVER where one does not come."""

    priority: np.ndarray
    due_at: np.ndarray
    assigned_at: np.ndarray
    first_response_at: np.ndarray
    interim_at: np.ndarray
    resolved_at: np.ndarray
    closed_at: np.ndarray
    reopened_at: np.ndarray
    resolved_again_at: np.ndarray
    closed_again_at: np.ndarray


def clock(
    rng: np.random.Generator,
    arrivals: Arrivals,
    authority: np.ndarray,
    messages: Messages,
) -> Clock:
    """Run the clock of every incident: the authority gets it when the last of its messages is registered."""
    count = len(authority)
    first_registered_at = np.full(count, NEVER)
    np.minimum.at(first_registered_at, messages.incident, messages.registered_at)
    last_registered_at = np.zeros(count, dtype=np.int64)
    np.maximum.at(last_registered_at, messages.incident, messages.registered_at)
    priority = _priorities(rng, arrivals)
    assigned_at = last_registered_at + rng.integers(MINUTE, 14 * MINUTE, count)
    response = _responses(rng, arrivals, authority, priority, assigned_at)
    answered = response < NEVER
    resolved_at = _resolutions(rng, response, np.array([each.days for each in SUBTOPICS])[arrivals.subtopic])
    until_closed = rng.integers(3 * HOUR, 3 * DAY, count)
    reopened = answered & (rng.random(count) < _REOPENED)
    reopened_at = np.where(reopened, resolved_at + until_closed + rng.integers(6 * HOUR, 5 * DAY, count), NEVER)
    resolved_again_at = np.where(reopened, _resolutions(rng, reopened_at, np.full(count, 2.0)), NEVER)
    in_force = np.where(reopened_at < END, resolved_again_at, resolved_at)
    waits = postponed(rng, np.where(answered, in_force, NEVER), np.bincount(messages.incident), ~reopened)
    resolved_at[waits] = END + rng.integers(HOUR, 12 * DAY, len(waits))
    has_interim = answered & (resolved_at - response > 3 * DAY) & (rng.random(count) < _INTERIM)
    interim_at = response + ((resolved_at - response) * rng.uniform(0.2, 0.7, count)).astype(np.int64)
    return Clock(
        priority=priority,
        due_at=deadlines(rng, priority, first_registered_at),
        assigned_at=assigned_at,
        first_response_at=response,
        interim_at=np.where(has_interim, interim_at, NEVER),
        resolved_at=np.where(answered, resolved_at, NEVER),
        closed_at=np.where(answered, resolved_at + until_closed, NEVER),
        reopened_at=reopened_at,
        resolved_again_at=resolved_again_at,
        closed_again_at=np.where(reopened, resolved_again_at + until_closed, NEVER),
    )


def _priorities(rng: np.random.Generator, arrivals: Arrivals) -> np.ndarray:
    high = np.array([each.high for each in SUBTOPICS])[arrivals.subtopic]
    high = np.where(arrivals.in_crisis, np.maximum(high, 0.7), high)
    draw = rng.random(len(high))
    return np.select([draw < high, draw < high + 0.15 * (1 - high)], [HIGH, LOW], NORMAL)


def _responses(
    rng: np.random.Generator, arrivals: Arrivals, authority: np.ndarray, priority: np.ndarray, assigned_at: np.ndarray
) -> np.ndarray:
    """Draw the moments of first response: a lognormal time of the authority's own, sometimes forgotten."""
    count = len(authority)
    month = month_number(assigned_at // DAY) - _FIRST_MONTH
    pace = np.array([each.pace for each in authorities()])[authority] * _PACE_BY_MONTH[month]
    off = day_off(START // DAY, END // DAY + 1)[assigned_at // DAY - START // DAY]
    urgency = np.array([0.9, 1.0, 1.15])[priority]
    own = MINUTE * 0.6 * rng.lognormal(0, 0.72, count) * pace * arrivals.slow * urgency * np.where(off, 1.2, 1.0)
    forgotten = rng.random(count) < _FORGOTTEN
    own = np.where(forgotten, own * rng.uniform(4, 12, count), own)
    sleeps = rng.random(count) < np.array([0.25, 0.5, 0.6])[priority]
    morning = np.minimum(rng.exponential(40 * MINUTE, count), 3 * HOUR).astype(np.int64)
    unanswered = rng.random(count) < np.where(arrivals.in_crisis, 3, 1) * _UNANSWERED

    def respond(factor: np.ndarray) -> np.ndarray:
        response = assigned_at + np.maximum(own * factor, 2 * MINUTE).astype(np.int64)
        return np.where(unanswered, NEVER, _after_night(response, sleeps, morning))

    return calibrated_responses(arrivals.received_at, assigned_at, respond)


def _after_night(moment: np.ndarray, sleeps: np.ndarray, morning: np.ndarray) -> np.ndarray:
    """Move what falls into the night to the next morning, `morning` seconds after its start."""
    time = moment % DAY
    at_night = sleeps & ((time >= _NIGHT_FROM) | (time < _NIGHT_TO))
    days = moment // DAY + (time >= _NIGHT_FROM)
    return np.where(at_night, days * DAY + _NIGHT_TO + morning, moment)


def _resolutions(rng: np.random.Generator, since: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Draw when a matter is solved: often with the answer itself, else days later, never at night."""
    count = len(since)
    at_once = rng.random(count) < _SOLVED_AT_ONCE
    soon = 5 * MINUTE + rng.exponential(45 * MINUTE, count)
    later = np.minimum(DAY * days * rng.lognormal(0, 0.8, count), 40 * DAY)
    moment = since + np.where(at_once, soon, later).astype(np.int64)
    return _after_night(moment, np.ones(count, dtype=bool), rng.integers(0, 3 * HOUR, count))


def deadlines(rng: np.random.Generator, priority: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Return the source's own deadlines: 4 h for high priority, else 8 or 9 working hours; NEVER for some."""
    first, last = START // DAY, END // DAY + 14
    workdays = np.arange(first, last)[~day_off(first, last)]
    day = np.searchsorted(workdays, since // DAY)
    is_workday = workdays[day] == since // DAY
    worked = np.where(is_workday, np.clip(since % DAY - _WORKDAY_FROM, 0, _WORKDAY), 0)
    total = day * _WORKDAY + worked + np.where(priority == LOW, 9, 8) * HOUR
    # What ends with the working day is due at its end, not at the start of the next.
    full, rest = np.divmod(total - 1, _WORKDAY)
    working = workdays[full] * DAY + _WORKDAY_FROM + rest + 1
    due = np.where(priority == HIGH, since + 4 * HOUR, working)
    return np.where(rng.random(len(since)) < _WITHOUT_DEADLINE, NEVER, due)
