"""A figure in words: as its unit is read, and how it stands beside the periods it is compared with."""

from collections.abc import Sequence
from decimal import Decimal

from otklik.report.figures import Figure
from otklik.report.period import Period
from otklik.report.russian import NBSP, NO_DATA, duration, number, rounded, share

# (more, less) of what is measured in the unit; of everything else there is more or less.
_WORDS = {"minutes": ("дольше", "быстрее"), "share": ("выше", "ниже")}
_MORE, _LESS = "больше", "меньше"
# What is there at the end of a period, not what happened in it.
_STATES = ("pages", "people")
# Of fewer a percentage says nothing.
_COUNTED_IN_PARTS = 10
# From how many times on one says «в … раза».
_TIMES = Decimal("1.5")


def shown(unit: str, value: Decimal | None) -> str:
    """Return the number as its unit is read: «2 ч 28 мин», «97,6 %», «54 548»; «нет данных»."""
    match unit:
        case "minutes":
            return duration(value)
        case "share":
            return share(value)
        case _:
            return number(value)


def delta(unit: str, now: Decimal | int | None, before: Decimal | int | None) -> str:
    """Return the change as a cell of a table shows it: «+8 411 (+18,2 %)», «−58 мин», «+1,9 п. п.»."""
    if now is None or before is None:
        return NO_DATA
    change = _difference(unit, now, before)
    match unit:
        case "minutes":
            return duration(change, signed=True)
        case "share":
            return f"{number(change, 1, signed=True)}{NBSP}п.{NBSP}п."
        case _:
            part = f" ({share(change / before, signed=True)})" if before >= _COUNTED_IN_PARTS else ""
            return number(change, signed=True) + part


def compared(figure: Figure, period: Period, others: Sequence[Period]) -> str:
    """Return how a figure of the period stands beside the others: «на 58 мин быстрее, чем в 2021 году (3 ч 26 мин)»."""
    unknown = [f"{_then(figure, other)} нет данных" for other in others if figure.values[other] is None]
    said = [_beside(figure, period, other) for other in others if figure.values[other] is not None]
    first = figure.first()
    # A count of a year that may have begun in autumn says nothing beside that of a whole one.
    if figure.metric.unit in _WORDS and first and first.starts < min(other.starts for other in others):
        said.append(_beside_the_first(figure, period, first))
    return "; ".join([", и ".join(said), *unknown]) if said else f"сравнить не с чем: {', '.join(unknown)}"


def _beside(figure: Figure, period: Period, other: Period) -> str:
    unit, now, before = _told(figure, period, other)
    change, then = _difference(unit, now, before), _then(figure, other)
    if not change:
        return f"столько же, сколько {then}"
    return f"на {_size(unit, change, before)} {_word(unit, change)}, чем {then} ({shown(unit, before)})"


def _beside_the_first(figure: Figure, period: Period, first: Period) -> str:
    unit, now, then = _told(figure, period, first)
    change = _difference(unit, now, then)
    by = f"на {_size(unit, change, then)}"
    if unit == "minutes" and now > 0 and (times := rounded(then / now, 1)) >= _TIMES:
        by = f"в {number(times, 1)} раза"
    return f"{by} {_word(unit, change)}, чем {first.within}, с которого начинаются данные ({shown(unit, then)})"


def _told(figure: Figure, period: Period, other: Period) -> tuple[str, Decimal, Decimal]:
    now, before = figure.values[period], figure.values[other]
    if now is None or before is None:
        raise ValueError(f"{figure.metric.name} is not known of both periods")
    return figure.metric.unit, now, before


def _then(figure: Figure, other: Period) -> str:
    return other.at_end if figure.metric.unit in _STATES else other.within


def _difference(unit: str, now: Decimal | int, before: Decimal | int) -> Decimal:
    """Of the numbers as they are read, so that a reader who subtracts them gets it; of shares in percentage points."""
    digits, scale = {"share": (1, 100)}.get(unit, (0, 1))
    return rounded(now * scale, digits) - rounded(before * scale, digits)


def _size(unit: str, change: Decimal, before: Decimal) -> str:
    match unit:
        case "minutes":
            return duration(abs(change))
        case "share":
            return f"{number(abs(change), 1)}{NBSP}п.{NBSP}п."
        case _:
            return number(abs(change)) + (f" ({share(abs(change) / before)})" if before >= _COUNTED_IN_PARTS else "")


def _word(unit: str, change: Decimal) -> str:
    more, less = _WORDS.get(unit, (_MORE, _LESS))
    return more if change > 0 else less
