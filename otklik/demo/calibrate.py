"""The figures the made-up region must show exactly, and how its random draws are bent to them.

All arithmetic is in whole seconds, so that the means come out to the second.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otklik.demo.rhythm import DAY, END, MINUTE, YEAR_STARTS, YEARS

# Messages registered in the year (the first one: November and December).
MESSAGES_REGISTERED = {2020: 4_912, 2021: 46_137, 2022: 54_548}
# Mean minutes from receiving an incident to its first response, over those answered in the year:
# 7 h 10 min, 3 h 26 min, 2 h 28 min.
MEAN_MINUTES_TO_RESPOND = {2020: 430, 2021: 206, 2022: 148}
# Messages of the incidents resolved in 2022.
MESSAGES_RESOLVED_2022 = 54_126

NEVER = 1 << 40
"""A moment that does not come."""

# The first and the last days of a year keep their response times, so that none changes its year.
_MARGIN = 3 * DAY
_ROUNDS = 25
_LAST_WEEKS = 21 * DAY


def year_number(moment: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2 for moments of 2020, 2021, 2022; 3 for what is after."""
    return np.searchsorted(YEAR_STARTS, moment, side="right") - 1


def surplus_incidents(
    rng: np.random.Generator, registered_at: np.ndarray, incident: np.ndarray, removable: np.ndarray
) -> np.ndarray:
    """Choose the incidents to drop so that each year has its number of registered messages.

    `registered_at` and `incident` (its number) are per message; `removable` is per incident, and only
    incidents with one message may be. Returns the numbers of the incidents to drop.
    """
    year = year_number(registered_at)
    dropped = []
    for number, target in enumerate(MESSAGES_REGISTERED.values()):
        surplus = int((year == number).sum()) - target
        candidates = incident[(year == number) & removable[incident]]
        if not 0 <= surplus <= len(candidates):
            raise ValueError(f"{YEARS[number]}: {surplus} messages too many, {len(candidates)} can be dropped")
        dropped.append(rng.choice(candidates, surplus, replace=False))
    return np.concatenate(dropped)


def calibrated_responses(
    received_at: np.ndarray, assigned_at: np.ndarray, respond: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the moments of first response with the exact mean of every year.

    `respond` gives the moments for a factor per incident on the authority's own time.
    """
    received_year = year_number(received_at)
    targets = np.array([minutes * MINUTE for minutes in MEAN_MINUTES_TO_RESPOND.values()])
    factor = np.ones(len(targets))
    for _ in range(_ROUNDS):
        response = respond(factor[received_year])
        year = year_number(response)
        mean = np.array([(response - received_at)[year == number].mean() for number in range(len(targets))])
        factor *= targets / mean
    response = respond(factor[received_year])
    for number, target in enumerate(targets.tolist()):
        _spread_rest(response, received_at, assigned_at, number, target)
    return response


def _spread_rest(
    response: np.ndarray, received_at: np.ndarray, assigned_at: np.ndarray, number: int, target: int
) -> None:
    """Spread, in place, what the year's sum lacks over its responses: seconds for each."""
    rows = np.flatnonzero(year_number(response) == number)
    lacking = target * len(rows) - int((response[rows] - received_at[rows]).sum())
    first, last = YEAR_STARTS[number] + _MARGIN, YEAR_STARTS[number + 1] - _MARGIN
    inner = rows[(response[rows] > first) & (response[rows] < last) & (response[rows] - assigned_at[rows] > 5 * MINUTE)]
    each, rest = divmod(lacking, len(inner))
    if abs(each) > 2 * MINUTE:
        raise ValueError(f"{YEARS[number]}: {lacking} s are too many to spread over {len(inner)} responses")
    response[inner] += each
    response[inner[:rest]] += 1


def postponed(
    rng: np.random.Generator, resolved_at: np.ndarray, messages: np.ndarray, movable: np.ndarray
) -> np.ndarray:
    """Choose the incidents whose resolution waits until 2023, so that 2022 has its number of messages.

    `messages` counts each incident's; only incidents of the mask `movable`, with one message and resolved
    in the last weeks of 2022, are chosen. Returns their numbers.
    """
    surplus = int(messages[year_number(resolved_at) == YEARS.index(2022)].sum()) - MESSAGES_RESOLVED_2022
    candidates = np.flatnonzero(movable & (messages == 1) & (resolved_at >= END - _LAST_WEEKS) & (resolved_at < END))
    if not 0 <= surplus <= len(candidates):
        raise ValueError(f"{surplus} resolved messages too many, {len(candidates)} can wait until 2023")
    return rng.choice(candidates, surplus, replace=False)
