"""Why a row was refused, in words an auditor reads and someone at the source can act on."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from otklik.contracts.incident import EVENTS, PERSONAL

ORDERS = {
    "registered_before_received": ("registered_at", "received_at"),
    "assigned_before_received": ("assigned_at", "received_at"),
    "answered_before_received": ("first_response_at", "received_at"),
    "answered_before_registered": ("first_response_at", "registered_at"),
    "resolved_before_received": ("resolved_at", "received_at"),
    "closed_before_received": ("closed_at", "received_at"),
    "reopened_before_received": ("reopened_at", "received_at"),
}
"""Rule of the contract -> (the later moment, the earlier one)."""

_MESSAGES = {
    "missing": "Нет значения в обязательном столбце «{column}»: заполните его в источнике",
    "too_long": "Слишком длинное значение в столбце «{column}»: {length} знаков; сократите его в источнике",
    "negative": "Число в столбце «{column}» меньше нуля: исправьте его в источнике",
    "unknown_value": "Неизвестное значение «{value}» в столбце «{column}»: "
    "добавьте его в перечень values поля {field} в описании источника",
    "bad_time": "«{value}» в столбце «{column}» не подходит ни к одному виду записи времени: "
    "исправьте значение или добавьте вид в times.formats описания источника",
    "bad_number": "«{value}» в столбце «{column}» не целое число: исправьте значение в источнике",
    "nul_byte": "Нулевой байт в столбце «{column}»: выгрузите строку заново",
    "bad_encoding": "Байты вне кодировки файла в столбце «{column}»: проверьте кодировку выгрузки",
    "in_future": "Время {value} в столбце «{column}» позже ночи, с которой пришла строка: проверьте дату",
    "out_of_order": "Время в столбце «{column}» ({value}) раньше времени в столбце «{earlier}»: проверьте даты",
    "ragged_row": "В строке столбцов: {actual}, в заголовке: {expected}; проверьте разделители и кавычки",
    "open_quote": "Кавычка открыта и не закрыта до конца файла: следующие строки попали внутрь; закройте её",
    "bad_json": "Строка не является объектом JSON: {value}",
    "bad_answer": "Ответ источника не удалось прочитать: {value}",
    "duplicate_key": "Сообщение «{value}» уже есть в строке {first} этого файла с тем же временем изменения "
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


def reasons_of(row: Mapping[str, Any], broken: Iterable[str], columns: Mapping[str, str]) -> Iterator[Reason]:
    """Word the broken rules of one row.

    `row` holds the typed fields and, under `<field>|text`, what the file said; `broken` are rule names
    of the contract or of the mapping (`<field>|<rule>`); `columns` names the file's column of each field.
    """
    for rule in broken:
        field, _, check = rule.partition("|")
        if rule in ORDERS:
            later, earlier = ORDERS[rule]
            yield reason(
                rule,
                _column(columns, later),
                _shown(row, later),
                text="out_of_order",
                earlier=_column(columns, earlier),
            )
        elif rule == "in_future":
            for event in EVENTS:
                if row[event] is not None and row[event] > row["known_at"]:
                    yield reason(rule, _column(columns, event), _shown(row, event))
        else:
            yield _field_reason(field, check, row, columns)


def _field_reason(field: str, check: str, row: Mapping[str, Any], columns: Mapping[str, str]) -> Reason:
    column, value = _column(columns, field), _shown(row, field)
    if check == "nullability":
        return reason("missing", column)
    if check == "max_length":
        return reason("too_long", column, length=len(row[field]))
    if check == "min":
        return reason("negative", column, value)
    if check in ("check__known", "unknown_value"):
        code = _UNKNOWN.get(field, f"unknown_{field}")
        return reason(code, column, value, text="unknown_value", field=field)
    return reason(check, column, value)


def _column(columns: Mapping[str, str], field: str) -> str:
    return columns.get(field, field)


def _shown(row: Mapping[str, Any], field: str) -> str | None:
    """Return the value as the file said it, short; personal data is never repeated."""
    if field in PERSONAL:
        return None
    value = row.get(f"{field}|text") or row.get(field)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return None if value is None else str(value)[:100]
