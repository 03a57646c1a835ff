"""News in Russian: what a message is called, says and leads to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from otklik.settings import Settings
from otklik.telling import links
from otklik.telling.news import EarlyWarning, LateNight, News, NightNotPublished
from otklik.telling.runs import FailedRun

_THEMES = "temy-i-trevogi"
_CHECKS_NAMED = 5
_NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Message:
    """What is sent: `lines` are paragraphs, `leads_to` names what is behind the link."""

    kind: str
    title: str
    lines: tuple[str, ...]
    leads_to: str
    link: str

    @cached_property
    def text(self) -> str:
        """The whole message as plain text."""
        return "\n".join((self.title, "", *self.lines, "", f"{self.leads_to}: {self.link}"))

    @cached_property
    def html(self) -> str:
        """The message as the body of a mail."""
        templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
        )
        return templates.get_template("mail.html.j2").render(message=self)


def message(news: Sequence[News], settings: Settings) -> Message:
    """Return the message that tells of news of one kind about one thing."""
    match news[0]:
        case EarlyWarning():
            return _of_warnings([one for one in news if isinstance(one, EarlyWarning)], settings)
        case FailedRun():
            return _of_runs([one for one in news if isinstance(one, FailedRun)], settings)
        case NightNotPublished() as night:
            return _of_refusal(night, settings)
        case LateNight() as night:
            return _of_lateness(night, settings)


def _of_warnings(warnings: Sequence[EarlyWarning], settings: Settings) -> Message:
    region = warnings[0].region_name
    days = sorted({warning.day for warning in warnings})
    when = _day(days[0]) if len(days) == 1 else f"{_day(days[0])}–{_day(days[-1])}"
    word = _plural(len(warnings), "всплеск", "всплеска", "всплесков")
    return Message(
        EarlyWarning.kind,
        f"{region}: {_number(len(warnings))} {word} обращений за {when}",
        tuple(_of_warning(warning) for warning in warnings),
        "Темы и тревоги",
        links.of_dashboard(settings, _THEMES, region),
    )


def _of_warning(warning: EarlyWarning) -> str:
    word = _plural(warning.message_count, "сообщение", "сообщения", "сообщений")
    before = ", ".join(_number(count) for count in warning.counts_before)
    return (
        f"{_day(warning.day)}, {warning.place}, «{warning.topic}»: {_number(warning.message_count)} {word} за день,"
        f" обычно {_number(warning.median_count)}, порог {_number(warning.threshold_count)}."
        f" В тот же день недели неделями раньше: {before}."
    )


def _of_refusal(night: NightNotPublished, settings: Settings) -> Message:
    shown = [f"{region}: на экранах по-прежнему данные на {_moment(as_of)}." for region, as_of in night.shown]
    checks = [
        f"Не сошлось: {check.protects} Найдено: {check.observed or 'нет данных'} ({check.expectation})."
        for check in night.failed[:_CHECKS_NAMED]
    ]
    more = len(night.failed) - _CHECKS_NAMED
    return Message(
        NightNotPublished.kind,
        f"Ночь {_day(night.night)} не показана: {night.reason}",
        (
            *(shown or ["На экранах пока нет данных."]),
            *checks,
            *([f"Остальные ({more}) названы в отчёте о качестве."] if more > 0 else []),
        ),
        "Отчёт о качестве",
        links.of_quality_report(settings),
    )


def _of_runs(runs: Sequence[FailedRun], settings: Settings) -> Message:
    nights = ", ".join(_day(night) for night in sorted({run.night for run in runs}))
    latest = max(runs, key=lambda run: run.night)
    return Message(
        FailedRun.kind,
        f"Не выполнено: {latest.dag} за {nights}",
        (
            *(
                f"За {_day(run.night)}, окончено {_moment(run.ended_at.astimezone(settings.zone))};"
                f" не выполнены задачи: {', '.join(run.tasks) or 'нет данных'}."
                for run in runs
            ),
            f"Причина названа в журнале задачи, что делать — в описании {latest.dag}.",
        ),
        "Запуск в Airflow",
        links.of_run(settings, latest.dag, latest.run_id),
    )


def _of_lateness(late: LateNight, settings: Settings) -> Message:
    if late.refusal:
        why = f"Почему: {late.refusal}."
    elif late.silent_sources:
        why = f"Не прислали файлов: {', '.join(late.silent_sources)}."
    else:
        why = "Загрузка не закончена или не начата."
    return Message(
        LateNight.kind,
        f"{late.region_name}: ночь {_day(late.night)} не пришла к {settings.alerts_late_after:%H:%M}",
        (f"На экранах по-прежнему данные на {_moment(late.as_of_local)}.", why),
        "Ночи в Airflow",
        links.of_dag(settings, "incidents"),
    )


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _moment(moment: datetime) -> str:
    return f"{moment:%d.%m.%Y %H:%M}"


def _number(number: Decimal | int) -> str:
    """Write a number with a decimal comma and no-break spaces, to one decimal: 1 234,5."""
    text = f"{round(Decimal(number), 1):,f}"
    whole, _, part = text.partition(".")
    return whole.replace(",", _NBSP) + (f",{part}" if part.strip("0") else "")


def _plural(number: int, one: str, few: str, many: str) -> str:
    """Return the form of a noun after a number."""
    last, teens = number % 10, number % 100 in range(11, 15)
    if last == 1 and not teens:
        return one
    return few if last in (2, 3, 4) and not teens else many
