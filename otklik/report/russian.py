"""Numbers as a Russian reads them, and words in the form that a number asks for. Spaces inside do not break."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

NO_DATA = "нет данных"
NBSP = "\u00a0"
MINUS = "−"

MONTHS = (
    ("январь", "января", "январе"),
    ("февраль", "февраля", "феврале"),
    ("март", "марта", "марте"),
    ("апрель", "апреля", "апреле"),
    ("май", "мая", "мае"),
    ("июнь", "июня", "июне"),
    ("июль", "июля", "июле"),
    ("август", "августа", "августе"),
    ("сентябрь", "сентября", "сентябре"),
    ("октябрь", "октября", "октябре"),
    ("ноябрь", "ноября", "ноябре"),
    ("декабрь", "декабря", "декабре"),
)
"""Each month as «что», «чего», «в чём»."""

_HOUR, _DAY, _SAID_IN_DAYS = 60, 24, 48 * 60


def rounded(value: Decimal | int, digits: int = 0) -> Decimal:
    """Return the number with so many digits after the point, halves away from zero: as people and PostgreSQL round."""
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def number(value: Decimal | int | None, digits: int = 0, *, signed: bool = False) -> str:
    """54548 → «54 548», 0.5 with a digit → «0,5»; `signed` puts a plus before what grew; NULL → «нет данных»."""
    if value is None:
        return NO_DATA
    near = rounded(Decimal(value), digits)
    text = f"{abs(near):,.{digits}f}".replace(",", NBSP).replace(".", ",")
    return _sign(near, signed) + text


def share(value: Decimal | None, *, signed: bool = False) -> str:
    """0.97626 → «97,6 %»."""
    return NO_DATA if value is None else f"{number(value * 100, 1, signed=signed)}{NBSP}%"


def duration(minutes: Decimal | None, *, signed: bool = False) -> str:
    """148 → «2 ч 28 мин», from 48 hours «2 сут 3 ч»; as marts.duration_label says it."""
    if minutes is None:
        return NO_DATA
    near = rounded(minutes)
    whole = int(abs(near))
    if whole >= _SAID_IN_DAYS:
        days, hours = divmod(int(rounded(Decimal(whole) / _HOUR)), _DAY)
        parts = [(days, "сут"), (hours, "ч")]
    else:
        parts = [(whole // _HOUR, "ч"), (whole % _HOUR, "мин")]
    said = NBSP.join(f"{count}{NBSP}{unit}" for count, unit in parts if count)
    return _sign(near, signed) + (said or f"0{NBSP}мин")


def minutes(value: Decimal) -> str:
    """-4.368 → «−4,4 мин»: of a part of a duration, too small to be read in hours."""
    return f"{number(value, 1, signed=True)}{NBSP}мин"


def form(count: Decimal | int, one: str, few: str, many: str) -> str:
    """Return the word as the number asks for it: 1 опрос, 2 опроса, 40 опросов."""
    whole = abs(int(count))
    if whole % 10 == 1 and whole % 100 != 11:  # noqa: PLR2004 - the grammar of numerals
        return one
    if whole % 10 in (2, 3, 4) and whole % 100 not in (12, 13, 14):
        return few
    return many


def counted(count: Decimal | int, one: str, few: str, many: str) -> str:
    """Return the number and the word: «1 537 материалов»."""
    return f"{number(count)}{NBSP}{form(count, one, few, many)}"


def day(value: date) -> str:
    """Return dd.mm.yyyy."""
    return f"{value:%d.%m.%Y}"


def moment(value: datetime) -> str:
    """Return dd.mm.yyyy hh:mm."""
    return f"{value:%d.%m.%Y %H:%M}"


def _sign(value: Decimal, signed: bool) -> str:
    if value < 0:
        return MINUS
    return "+" if signed and value > 0 else ""
