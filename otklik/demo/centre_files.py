"""The made-up region's registers and lists as the centre keeps them: CSV in UTF-8 with `;` and Russian headers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from otklik.demo.audience import history
from otklik.demo.centre_lists import broadcasts, materials
from otklik.demo.institutions import Body, register
from otklik.demo.pages import DemoPage, pages
from otklik.demo.places import places
from otklik.demo.surveys import plans

NETWORK_NAMES = {"vk": "ВКонтакте", "ok": "Одноклассники", "telegram": "Telegram"}
_SYSTEM_NAMES = {"limesurvey": "LimeSurvey", "yandex_forms": "Яндекс Формы", "kobo": "KoboToolbox"}
_DAY, _MOMENT = "%d.%m.%Y", "%d.%m.%Y %H:%M:%S"


def write_centre_files(folder: Path) -> tuple[Path, ...]:
    """Write all of them into `folder` and return their paths, in the order in which they are to be loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    writers = (write_authorities, write_pages, write_audience, write_surveys, write_broadcasts, write_materials)
    return tuple(write(folder) for write in writers)


def write_authorities(folder: Path) -> Path:
    """Write `authorities.csv`: the register of authorities, with what changed in 2022."""
    rows = [
        {
            "Код органа": body.authority_id,
            "Наименование": body.name,
            "Уровень": body.level,
            "Учредитель": body.founder,
            **_municipality(body),
            "Действует с": _day(body.valid_from),
            "Действует по": _day(body.valid_to),
        }
        for body in register()
    ]
    return _write(folder / "authorities.csv", rows)


def write_pages(folder: Path) -> Path:
    """Write `pages.csv`: the register of pages, one row for each authority that has had one."""
    rows = [
        {
            "Код страницы": page.page_id,
            "Сеть": NETWORK_NAMES[page.network],
            "Идентификатор": page.external_id,
            "Код органа": body.authority_id,
            "Название": page.title,
            "Ссылка": page.url,
            "Открыта": _day(page.opened_on),
            "Закрыта": _day(page.closed_on),
            "Действует с": _day(since),
            "Действует по": _day(until),
        }
        for page in pages()
        for body, since, until in _held(page)
    ]
    return _write(folder / "pages.csv", rows)


def write_audience(folder: Path) -> Path:
    """Write `audience_history.csv.gz`: what the centre counted before it had the networks asked every night."""
    registered = pl.DataFrame(
        {
            "Код страницы": [page.page_id for page in pages()],
            "Сеть": [NETWORK_NAMES[page.network] for page in pages()],
            "Идентификатор": [page.external_id for page in pages()],
        }
    ).with_row_index("page")
    rows = (
        history()
        .with_columns(pl.col("page").cast(pl.UInt32))
        .join(registered, on="page", how="left", maintain_order="left")
        .select(
            *registered.columns[1:],
            pl.col("observed_at").dt.strftime(_MOMENT).alias("Время замера"),
            pl.col("members").alias("Подписчики"),
        )
    )
    path = folder / "audience_history.csv.gz"
    path.write_bytes(gzip.compress(_csv(rows), compresslevel=4, mtime=0))
    return path


def write_surveys(folder: Path) -> Path:
    """Write `surveys.csv`: the register of surveys and where each is held."""
    rows = [
        {
            "Код опроса": plan.survey_id,
            "Система": _SYSTEM_NAMES[plan.system],
            "Номер в системе": plan.external_id,
            "Название": plan.title,
            "Тема": plan.topic.topic,
            "ОКТМО": plan.municipality_code,
            "Открыт": _day(plan.opened_on),
            "Закрыт": _day(plan.closed_on),
        }
        for plan in plans()
    ]
    return _write(folder / "surveys.csv", rows)


def write_broadcasts(folder: Path) -> Path:
    """Write `broadcasts.csv`: live broadcasts with heads of municipalities and departments."""
    rows = [
        {
            "Код эфира": each.broadcast_id,
            "Начало": _moment(each.held_at),
            "Название": each.title,
            "Гость": each.guest_post,
            "Орган": each.body.name,
            **_municipality(each.body),
            "Сеть": each.network,
            "Ссылка": each.url,
            "Минут": each.minutes,
            "Просмотры": each.views,
        }
        for each in broadcasts()
    ]
    return _write(folder / "broadcasts.csv", rows)


def write_materials(folder: Path) -> Path:
    """Write `materials.csv`: information materials, one row for each publication."""
    rows = [
        {
            "Код материала": each.material_id,
            "Опубликован": _moment(each.published_at),
            "Заголовок": each.title,
            "Тема": each.topic,
            "Орган": each.authority,
            "Сеть": each.network,
            "Формат": each.form,
            "Ссылка": each.url,
            "Просмотры": each.views,
        }
        for each in materials()
    ]
    return _write(folder / "materials.csv", rows)


def _held(page: DemoPage) -> Iterator[tuple[Body, date, date | None]]:
    """Yield who had the page, from which day and to which; the last of them has no end."""
    since = page.opened_on
    for body, until in page.owners:
        yield body, since, until
        if until is not None:
            since = until + timedelta(days=1)


def _municipality(body: Body) -> dict[str, str | None]:
    place = None if body.place is None else places()[body.place]
    return {"ОКТМО": place.oktmo if place else None, "Муниципалитет": place.name if place else None}


def _day(day: date | None) -> str | None:
    return day.strftime(_DAY) if day else None


def _moment(moment: datetime) -> str:
    return moment.strftime(_MOMENT)


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_bytes(_csv(pl.DataFrame(rows, infer_schema_length=None)))
    return path


def _csv(rows: pl.DataFrame) -> bytes:
    return rows.write_csv(separator=";", line_terminator="\r\n").encode()
