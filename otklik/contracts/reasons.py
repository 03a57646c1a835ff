"""Why a row was refused, in words an auditor reads and someone at the source can act on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from otklik.contracts.entity import Entity
from otklik.privacy import HIDDEN, masked_text

_MESSAGES = {
    "missing": "Нет значения в обязательном столбце «{column}»: заполните его в источнике",
    "too_long": "Слишком длинное значение в столбце «{column}»: {length} знаков; сократите его в источнике",
    "negative": "Число в столбце «{column}» меньше нуля: исправьте его в источнике",
    "unknown_value": "Неизвестное значение «{value}» в столбце «{column}»: "
    "добавьте его в перечень values поля {field} в описании источника",
    "bad_time": "«{value}» в столбце «{column}» не подходит ни к одному виду записи времени: "
    "исправьте значение или добавьте вид в times.formats описания источника",
    "bad_number": "«{value}» в столбце «{column}» не число или не целое число: исправьте значение в источнике",
    "bad_flag": "«{value}» в столбце «{column}» не да и не нет: "
    "переведите его в values поля {field} описания источника",
    "neither_count_nor_reason": "Нет ни числа подписчиков, ни причины, по которой его нет: укажите одно из них",
    "says_nothing": "В ответе нет ни варианта, ни числа, ни текста: уберите строку или заполните её в источнике",
    "nul_byte": "Нулевой байт в столбце «{column}»: выгрузите строку заново",
    "bad_encoding": "Байты вне кодировки файла в столбце «{column}»: проверьте кодировку выгрузки",
    "in_future": "Время {value} в столбце «{column}» позже ночи, с которой пришла строка: проверьте дату",
    "out_of_order": "Время в столбце «{column}» ({value}) раньше времени в столбце «{earlier}»: проверьте даты",
    "ragged_row": "В строке столбцов: {actual}, в заголовке: {expected}; проверьте разделители и кавычки",
    "open_quote": "Кавычка открыта и не закрыта до конца файла: следующие строки попали внутрь; закройте её",
    "bad_json": "Строка не является объектом JSON: {value}",
    "bad_answer": "Ответ источника не удалось прочитать: {value}",
    "duplicate_key": "Ключ «{value}» уже есть в строке {first} этого файла с тем же временем изменения "
    "и другим содержанием: оставьте одну из строк",
}

_UNKNOWN = {"municipality_code": "unknown_municipality"}


class Reason(NamedTuple):
    """One reason: a code that can be counted, the column of the file, its value, and what to do."""

    code: str
    column: str | None
    value: str | None
    message: str


def reason(code: str, column: str | None = None, value: str | None = None, *, text: str = "", **facts: Any) -> Reason:
    """Word the reason `code`; `text` names the wording where several codes share one."""
    message = _MESSAGES[text or code].format(column=column, value=value, **facts)
    return Reason(code, column, value, message)


# Whose value is a piece of what came, whatever was in it.
_QUOTED = frozenset({"bad_json", "bad_answer"})

# Whose cells may stand in any column.
_DISPLACED = frozenset({"ragged_row", "open_quote"})


def are_displaced(reasons: Iterable[Reason]) -> bool:
    """Tell whether the cells of a refused row may stand in other columns than they belong to."""
    return any(why.code in _DISPLACED for why in reasons)


def shown_reasons(reasons: Iterable[Sequence[Reason]]) -> list[list[dict[str, str | None]]]:
    """Return reasons as people may read them who do not read `raw`: {code, column, message}, masked."""
    told = [list(several) for several in reasons]
    messages = [
        why.message.replace(why.value, HIDDEN) if why.value and why.code in _QUOTED else why.message
        for several in told
        for why in several
    ]
    series = pl.Series(messages, dtype=pl.String)
    shown = iter(masked_text(series).fill_null(series).to_list())
    return [[{"code": why.code, "column": why.column, "message": next(shown)} for why in several] for several in told]


def reasons_of(
    entity: Entity, row: Mapping[str, Any], broken: Iterable[str], columns: Mapping[str, str]
) -> Iterator[Reason]:
    """Word the broken rules of one row.

    `row` holds the typed fields and, under `<field>|text`, what the source said; `broken` are rule names
    of the contract or of the reading (`<field>|<rule>`); `columns` names the source's column of each field.
    """
    said = _Said(entity, row, columns)
    for rule in broken:
        field, _, check = rule.partition("|")
        if rule in entity.orders:
            later, earlier = entity.orders[rule]
            yield reason(rule, said.column(later), said.value(later), text="out_of_order", earlier=said.column(earlier))
        elif rule == "in_future":
            for event in entity.events:
                if row[event] is not None and row[event] > row["known_at"]:
                    yield reason(rule, said.column(event), said.value(event))
        elif not check:
            yield reason(rule)
        else:
            yield _field_reason(field, check, said)


class _Said(NamedTuple):
    """A row and what its source calls things."""

    entity: Entity
    row: Mapping[str, Any]
    columns: Mapping[str, str]

    def column(self, field: str) -> str:
        return self.columns.get(field, field)

    def value(self, field: str) -> str | None:
        """Return the value as the source said it, short; personal data is never repeated."""
        if field in self.entity.personal:
            return None
        value = self.row.get(f"{field}|text") or self.row.get(field)
        if isinstance(value, datetime):
            return value.isoformat(sep=" ")
        return None if value is None else str(value)[:100]


def _field_reason(field: str, check: str, said: _Said) -> Reason:
    column, value = said.column(field), said.value(field)
    if check == "nullability":
        return reason("missing", column)
    if check == "max_length":
        return reason("too_long", column, length=len(said.row[field]))
    if check == "min":
        return reason("negative", column, value)
    if check in ("check__known", "unknown_value"):
        code = _UNKNOWN.get(field, f"unknown_{field}")
        return reason(code, column, value, text="unknown_value", field=field)
    return reason(check, column, value, field=field)
