"""The year, month or week a report is of, those it is compared with, and how Russians call them."""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from otklik.errors import OtklikError
from otklik.report.russian import MONTHS, day

Kind = Literal["year", "month", "week", "day"]

_A_YEAR_OF_WEEKS = timedelta(weeks=52)
_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")


class PeriodError(OtklikError):
    """No such year, month or week, or none that has begun."""


@dataclass(frozen=True)
class Period:
    """Local days from `starts` until before `ends`; of a period that is not over, those that are known.

    `called` is what it is called beside the one that is compared with it, where its dates are too long to be read.
    """

    kind: Kind
    starts: date
    ends: date
    called: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether none of its days is missing."""
        return self.ends == _period(self.kind, self.starts).ends

    @property
    def last_day(self) -> date:
        """Its last day that is known."""
        return self.ends - timedelta(days=1)

    def until(self, last_known: date) -> "Period":
        """Return the days of it that are known. Raises PeriodError when none is."""
        if self.starts > last_known:
            raise PeriodError(f"{self.name}: ещё не наступило, данные есть по {day(last_known)}")
        return replace(self, ends=min(self.ends, last_known + timedelta(days=1)))

    def compared(self) -> list["Period"]:
        """Return what it is compared with, the same days of each: the one before, and that of a year before."""
        match self.kind:
            case "year":
                return [self.year_ago(1)]
            case "month":
                before = (self.starts - timedelta(days=1)).replace(day=1)
                return [self._moved(before), self._moved(self.starts.replace(year=self.starts.year - 1))]
            case _:
                length = _period(self.kind, self.starts).ends - self.starts
                back = {"неделей раньше": length, "годом раньше": _A_YEAR_OF_WEEKS}
                return [replace(self._moved(self.starts - days), called=called) for called, days in back.items()]

    def year_ago(self, years: int) -> "Period":
        """Return the same days of a year so many years before."""
        then = _period("year", date(self.starts.year - years, 1, 1))
        if self.is_whole:
            return then
        # Through 28 February also where this year is read through the 29th.
        month, last = self.last_day.month, self.last_day.day
        last = min(last, monthrange(then.starts.year, month)[1])
        return replace(then, ends=date(then.starts.year, month, last) + timedelta(days=1))

    def parts(self) -> list["Period"]:
        """Return the months of a year, the days of a month or week: all of them, known or not."""
        whole = _period(self.kind, self.starts)
        found, starts = [], whole.starts
        while starts < whole.ends:
            part = _period("month" if self.kind == "year" else "day", starts)
            found.append(part)
            starts = part.ends
        return found

    @property
    def code(self) -> str:
        """2022, 2022-12 or 2022-W52: as it is asked for."""
        match self.kind:
            case "year":
                return f"{self.starts:%Y}"
            case "month":
                return f"{self.starts:%Y-%m}"
            case _:
                return f"{self.starts:%G-W%V}"

    @property
    def name(self) -> str:
        """«2022 год», «декабрь 2022 года», «неделя 26.12.2022–01.01.2023»."""
        match self.kind:
            case "year":
                return f"{self.starts.year} год"
            case "month":
                return f"{MONTHS[self.starts.month - 1][0]} {self.starts.year} года"
            case _:
                return f"неделя {self._span}"

    @property
    def during(self) -> str:
        """«за 2022 год», «за декабрь 2022 года», «за неделю 26.12.2022–01.01.2023»."""
        return f"за неделю {self._span}" if self.kind == "week" else f"за {self.name}"

    @property
    def of(self) -> str:
        """«2022 года», «декабря 2022 года», «недели 26.12.2022–01.01.2023»."""
        match self.kind:
            case "year":
                return f"{self.starts.year} года"
            case "month":
                return f"{MONTHS[self.starts.month - 1][1]} {self.starts.year} года"
            case _:
                return f"недели {self._span}"

    @property
    def within(self) -> str:
        """«в 2022 году», «в декабре 2022 года», «неделей раньше»; of part of it «за те же дни 2022 года»."""
        if not self.is_whole:
            return f"за те же дни {self.called or self.of}"
        match self.kind:
            case "year":
                return f"в {self.starts.year} году"
            case "month":
                return f"в {MONTHS[self.starts.month - 1][2]} {self.starts.year} года"
            case _:
                return self.called or f"на неделе {self._span}"

    @property
    def at_end(self) -> str:
        """«на конец 2022 года», «неделей раньше»; of part of it «на 15.06.2022»."""
        return (self.called or f"на конец {self.of}") if self.is_whole else f"на {day(self.last_day)}"

    @property
    def short(self) -> str:
        """As the head of a column or the foot of a chart calls it."""
        match self.kind:
            case "year":
                return str(self.starts.year)
            case "month":
                return f"{MONTHS[self.starts.month - 1][0]} {self.starts.year}"
            case _:
                return self._span

    def ticks(self) -> list[str]:
        """Return what the axis of a chart calls each of its parts: «янв», «31», of a week «пн 26»."""
        if self.kind == "year":
            return [MONTHS[part.starts.month - 1][0][:3] for part in self.parts()]
        weekday = "{0} " if self.kind == "week" else ""
        return [f"{weekday}{{1}}".format(_WEEKDAYS[part.starts.weekday()], part.starts.day) for part in self.parts()]

    @property
    def _span(self) -> str:
        last = _period(self.kind, self.starts).last_day
        first = f"{self.starts:%d.%m}" if self.starts.year == last.year else day(self.starts)
        return f"{first}–{day(last)}"

    def _moved(self, starts: date) -> "Period":
        then = _period(self.kind, starts)
        return then if self.is_whole else replace(then, ends=min(then.ends, starts + (self.ends - self.starts)))


def year(text: str) -> Period:
    """Return a year written 2022. Raises PeriodError."""
    return _read("year", f"{text}-01-01", text, "2022")


def month(text: str) -> Period:
    """Return a month written 2022-12. Raises PeriodError."""
    return _read("month", f"{text}-01", text, "2022-12")


def week(text: str) -> Period:
    """Return a week, from Monday, written 2022-W52 as ISO 8601 numbers it. Raises PeriodError."""
    return _read("week", f"{text}-1", text, "2022-W52")


def _read(kind: Kind, first_day: str, text: str, example: str) -> Period:
    try:
        return _period(kind, date.fromisoformat(first_day))
    except ValueError:
        raise PeriodError(f"'{text}' is no {kind}; write it as {example}") from None


def _period(kind: Kind, starts: date) -> Period:
    match kind:
        case "year":
            ends = date(starts.year + 1, 1, 1)
        case "month":
            ends = starts + timedelta(days=monthrange(starts.year, starts.month)[1])
        case "week":
            ends = starts + timedelta(weeks=1)
        case "day":
            ends = starts + timedelta(days=1)
    return Period(kind, starts, ends)
