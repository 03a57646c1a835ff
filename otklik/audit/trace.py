"""A figure walked back in words: from the screen to the facts, to the rows of files, and what it was before."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from otklik.audit.figure import Figure, File, Shown

# A mart keeps a value with six digits behind the point.
_DIGITS = Decimal("0.000001")
_FILES_SHOWN = 10


def tell(figure: Figure, zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines of the walk, in Russian; moments by the clock of `zone`."""
    metric, period = figure.metric, figure.period
    value, count = figure.counted()
    history = figure.history()
    when = f"{period.year}" if period.month is None else f"{period.month:02}.{period.year}"
    whose = "" if period.authority is None else f", {period.authority or 'орган власти неизвестен'}"
    yield f"{metric.label} ({metric.name}), регион {period.region_code}, {when}{whose}"
    yield f"  Определение: {metric.explanation}"
    yield f"  Данные на {figure.as_of.astimezone(zone):%d.%m.%Y %H:%M}"
    yield ""
    if history:
        shown = history[-1].value
        yield f"На экране:  {_number(shown)} {metric.unit}"
        yield f"По фактам:  {_number(value)} {metric.unit}, строк: {count} — {_verdict(shown, value)}"
    else:
        yield f"По фактам:  {_number(value)} {metric.unit}, строк: {count}; на экранах такого числа нет"
    yield f"  {figure.query}"
    yield ""
    yield from _tell_files(figure.files())
    if len(history) > 1:
        yield ""
        yield "Раньше показывали:"
        for before, now in pairwise(history):
            yield from _tell_change(figure, before, now, zone)


def differs(figure: Figure) -> bool:
    """Return whether what people see is not what the facts give."""
    history = figure.history()
    return bool(history) and _rounded(history[-1].value) != _rounded(figure.counted()[0])


def write_rows(figure: Figure, file: Path) -> int:
    """Write every row behind the figure as CSV, with the file and the row it came from; return how many."""
    written = 0
    with file.open("w", encoding="utf-8", newline="") as output:
        for row in figure.rows():
            if not written:
                writer = csv.DictWriter(output, row)
                writer.writeheader()
            writer.writerow(row)
            written += 1
    return written


def _tell_files(files: list[File]) -> Iterator[str]:
    yield f"Строки файлов: {sum(file.row_count for file in files)}, файлов: {len(files)}"
    for file in files[-_FILES_SHOWN:]:
        yield f"  {file.file_name}: {file.row_count} из {file.rows_read} строк, загрузка {file.batch_id}"
        yield f"    {file.landed_path} sha256 {file.content_sha256}"
    if len(files) > _FILES_SHOWN:
        yield f"  показаны последние {_FILES_SHOWN}; все — в файле, который пишет --rows"


def _tell_change(figure: Figure, before: Shown, now: Shown, zone: ZoneInfo) -> Iterator[str]:
    moment = f"{now.since.astimezone(zone):%d.%m.%Y %H:%M}"
    yield f"  {_number(before.value)} → {_number(now.value)} с публикации {moment}"
    came = figure.files(after=before.batches_through, through=now.batches_through)
    for file in came[-_FILES_SHOWN:]:
        yield f"    пришло или исправлено строк: {file.row_count}, {file.file_name}, загрузка {file.batch_id}"
    if not came:
        yield "    новых строк за этим числом нет: изменились строки, которых в нём больше нет, или расчёт"


def _verdict(shown: Decimal | None, counted: Decimal | None) -> str:
    return "совпадает" if _rounded(shown) == _rounded(counted) else "НЕ СОВПАДАЕТ"


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_DIGITS)


def _number(value: Decimal | None) -> str:
    if value is None:
        return "нет данных"
    text = f"{value.quantize(_DIGITS).normalize():,f}"
    return text.replace(",", "\u00a0").replace(".", ",")
