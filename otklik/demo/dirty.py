"""Rows of the made-up export that no one should count: defects put in on purpose, and noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

Row = dict[str, str]


@dataclass(frozen=True)
class Defect:
    """One bad row as written; `reason` is why it is rejected, None where it only repeats its row."""

    name: str
    reason: str | None
    cells: list[str]


def _renumbered(row: Row, number: int) -> Row:
    """Return the row as a message and an incident that exist nowhere else."""
    return row | {"№ сообщения": str(number), "№ инцидента": str(number)}


def _unknown_status(row: Row) -> list[str]:
    return list((row | {"Статус": "На экспертизе"}).values())


def _unknown_municipality(row: Row) -> list[str]:
    return list((row | {"Муниципалитет": "Нью-Васюковский городской округ"}).values())


def _answered_before_received(row: Row) -> list[str]:
    day, _, time = row["Дата публикации"].partition(" ")
    year = int(day[-4:]) - 1
    # 28 February of the year before stands for the 29th, which only a leap year has.
    return list((row | {"Дата ответа": f"{day[:-4].replace('29.02', '28.02')}{year} {time}"}).values())


def _solved_in_2032(row: Row) -> list[str]:
    return list((row | {"Дата решения": "15.03.2032 12:00:00"}).values())


def _no_such_day(row: Row) -> list[str]:
    return list((row | {"Дата регистрации": "31.02.2022 10:15:00"}).values())


def _without_number(row: Row) -> list[str]:
    return list((row | {"№ сообщения": ""}).values())


def _cut_short(row: Row) -> list[str]:
    return list(row.values())[:7]


def _with_a_cell_too_many(row: Row) -> list[str]:
    return [*row.values(), "лишнее"]


_REJECTED: tuple[tuple[str, str, Callable[[Row], list[str]]], ...] = (
    ("unknown status", "unknown_status", _unknown_status),
    ("unknown municipality", "unknown_municipality", _unknown_municipality),
    ("answered before received", "answered_before_received", _answered_before_received),
    ("solved in 2032", "in_future", _solved_in_2032),
    ("no such day", "bad_time", _no_such_day),
    ("without a number", "missing", _without_number),
    ("cut short", "ragged_row", _cut_short),
    ("a cell too many", "ragged_row", _with_a_cell_too_many),
)


def defects() -> Iterator[Callable[[Row], Defect]]:
    """Yield makers of bad rows, one kind after another without end; each takes a good, answered row."""
    for number in count(9_000_001):
        kind = (number - 9_000_001) % (len(_REJECTED) + 2)
        if kind == len(_REJECTED):
            yield lambda row: Defect("exact duplicate", None, list(row.values()))
        elif kind == len(_REJECTED) + 1:
            yield lambda row: Defect(
                "duplicate with another text", "duplicate_key", list((row | {"Текст": "Вопрос снят."}).values())
            )
        else:
            yield _maker(*_REJECTED[kind], number)


def _maker(name: str, reason: str, spoil: Callable[[Row], list[str]], number: int) -> Callable[[Row], Defect]:
    return lambda row: Defect(name, reason, spoil(_renumbered(row, number)))
