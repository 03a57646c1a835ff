"""What a report says: figures, charts and sections of one region and period, all of one published night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from otklik.audit.definitions import Definition, definitions
from otklik.report import charts, sections
from otklik.report.charts import Chart, Series
from otklik.report.checks import Check, Checks, published
from otklik.report.figures import Figure, Figures, Region
from otklik.report.footnotes import Note
from otklik.report.period import Period
from otklik.report.russian import moment
from otklik.report.sections import Contribution, Network, Ranked, Section, Survey, Topic

FIGURES = (
    "messages_processed",
    "mean_time_to_respond",
    "median_time_to_respond",
    "p90_time_to_respond",
    "on_time_share",
    "problems_resolved",
    "surveys_completed",
    "pages_working",
    "audience",
    "audience_growth_share",
    "audience_like_for_like_growth_share",
    "broadcasts_held",
    "materials_published",
)
"""The metrics of the centre's summary, in the order they are told."""

# What waits is told of months and longer: beside the answers of a week, all that ever waited would weigh too much.
_OF_A_WEEK = {"on_time_share": "on_time_share_of_answered"}
# Charted by the parts of a period: as bars or a line, how its axis is called, and in which units.
_BY_PART = {
    "messages_processed": (charts.Axis("сообщений", bars=True), Decimal(1)),
    "mean_time_to_respond": (charts.Axis("часов", digits=1), Decimal(60)),
}
# What only months can tell: a state, or a share that few days would toss about.
_BY_MONTH = {
    "on_time_share": (charts.Axis("% ответов", from_zero=False), Decimal("0.01")),
    "audience": (charts.Axis("тыс. подписчиков"), Decimal(1000)),
}
_CONTRIBUTIONS_DRAWN = 10


@dataclass(frozen=True)
class Cited(Section[sections.Row]):
    """A section with its footnote."""

    note: Note


@dataclass(frozen=True)
class Drawn:
    """A figure of every part of the period and of the period before, as a chart, with its footnote."""

    figure: Figure
    chart: Chart
    note: Note


@dataclass(frozen=True)
class Change:
    """Why the mean time to respond changed since the period before, in minutes: the parts add up to the change."""

    before: Period
    by_authority: Cited[Contribution]
    chart: Chart | None

    @property
    def mix(self) -> Decimal:
        """From more or less of the work being with those who are fast."""
        return sum((one.mix_minutes for one in self.by_authority.rows), Decimal(0))

    @property
    def rate(self) -> Decimal:
        """From authorities being faster or slower."""
        return sum((one.rate_minutes for one in self.by_authority.rows), Decimal(0))


@dataclass(frozen=True)
class Report:
    """A report, not yet written. A year and a month have a ranking and its reasons, a week has none."""

    region: Region
    is_only_region: bool
    period: Period
    others: Sequence[Period]
    first_years: Sequence[Period]
    figures: Mapping[str, Figure]
    notes: Mapping[str, Note]
    drawn: Mapping[str, Drawn]
    changes: Sequence[Change]
    ranking: Cited[Ranked] | None
    topics: Cited[Topic]
    surveys: Cited[Survey]
    networks: Cited[Network]

    @property
    def as_of(self) -> str:
        """As of when all of it is, by the region's clock."""
        return moment(self.region.as_of_local)

    def cited(self) -> list[Note]:
        """Return every footnote."""
        parts: list[Cited[Any] | Drawn | None] = [*self.drawn.values(), self.ranking, self.topics, self.surveys]
        parts += [self.networks, *(change.by_authority for change in self.changes)]
        return [*self.notes.values(), *(part.note for part in parts if part)]

    @property
    def were_checked(self) -> bool:
        """Whether every suite was run on this night."""
        return all(note.verdict.were_run for note in self.cited())

    def failed(self) -> list[Check]:
        """Return the critical checks behind its numbers that failed, each once."""
        return list(dict.fromkeys(check for note in self.cited() for check in note.verdict.failed))

    def warned(self) -> list[Check]:
        """Return the other checks behind its numbers that failed, each once."""
        return list(dict.fromkeys(check for note in self.cited() for check in note.verdict.warned))

    @property
    def holds(self) -> bool:
        """Whether all of its numbers may be told."""
        return self.were_checked and not self.failed()


def compile_report(
    connection: psycopg.Connection[Any], region_code: str | None, period: Period, installation: ZoneInfo
) -> Report:
    """Ask the marts for all that a report of the period says. The connection is the auditor's, autocommit.

    Raises RegionError when there is no such region, or several and none is named; PeriodError when the period has not
    begun by the last night.
    """
    while True:
        before = published(connection)
        region, count = Region.of(connection, region_code)
        figures = Figures(connection, region, installation)
        report = _Compiler(figures, Checks(connection), period.until(region.last_day)).report(count == 1)
        # A night that was published meanwhile would give half of its numbers.
        if published(connection) == before:
            return report


class _Compiler:
    """Asks for one report."""

    def __init__(self, figures: Figures, checks: Checks, period: Period) -> None:
        self._figures, self._checks, self._period = figures, checks, period
        self._others = period.compared()
        self._metrics = definitions()

    def report(self, is_only_region: bool) -> Report:
        first_years = self._first_years()
        periods = list(dict.fromkeys([self._period, *self._others, *first_years]))
        names = [_OF_A_WEEK.get(name, name) if self._period.kind == "week" else name for name in FIGURES]
        told = {name: self._figures.figure(self._metrics[name], periods) for name in names}
        return Report(
            region=self._figures.region,
            is_only_region=is_only_region,
            period=self._period,
            others=self._others,
            first_years=first_years,
            figures=told,
            notes={name: self._note(figure) for name, figure in told.items()},
            drawn=self._drawn(),
            changes=[change for other in self._others if (change := self._change(other)).by_authority.rows],
            ranking=None if self._period.kind == "week" else self._ranking(),
            topics=self._topics(),
            surveys=self._surveys(),
            networks=self._networks(),
        )

    def _first_years(self) -> list[Period]:
        """Every year before the last one that may have something: which is the first to have a figure, it tells."""
        begins = [span[0] for name in FIGURES if (span := self._figures.span(self._metrics[name].fact))]
        if self._period.kind != "year" or not begins:
            return []
        return [self._period.year_ago(back) for back in range(2, self._period.starts.year - min(begins).year + 1)]

    def _drawn(self) -> dict[str, Drawn]:
        before, parts = self._others[0], self._period.parts()
        drawn = {}
        for name, (axis, unit) in (_BY_PART | (_BY_MONTH if self._period.kind == "year" else {})).items():
            figure = self._figures.figure(self._metrics[name], [*parts, *before.parts()])
            now, then = (_series(figure, of, unit) for of in (self._period, before))
            drawn[name] = Drawn(figure, charts.over_time(self._period.ticks(), now, then, axis), self._note(figure))
        return drawn

    def _change(self, before: Period) -> Change:
        found = sections.contributions(self._figures, self._period, sections.compared_with(self._period, before))
        rows = found.rows[:_CONTRIBUTIONS_DRAWN]
        drawn = {one.member or "орган власти не указан": one.change_minutes for one in rows}
        chart = charts.contributions(drawn, "минут") if drawn else None
        cited = self._cited(
            found,
            "Вклад в изменение среднего времени ответа",
            "Изменение среднего между двумя периодами, разложенное по органам власти на две части: кому досталась"
            " работа (структура) и насколько быстро каждый отвечал (скорость). В сумме части дают всё изменение.",
        )
        return Change(before, cited, chart)

    def _ranking(self) -> Cited[Ranked]:
        return self._cited(
            sections.ranking(self._figures, self._period),
            "Рейтинг органов власти",
            "Место по среднему времени ответа среди органов власти, на обращения к которым в периоде ответили не меньше"
            f" {sections.ranking_minimum()} раз. 90-й процентиль — с точностью до 1 %.",
        )

    def _topics(self) -> Cited[Topic]:
        processed = self._metrics["messages_processed"]
        return self._cited(
            sections.topics(self._figures, processed, self._period, self._others[0]),
            "Обработано сообщений по темам",
            f"{processed.explanation} Тема — та, что указана у инцидента.",
        )

    def _surveys(self) -> Cited[Survey]:
        return self._cited(
            sections.surveys(self._figures, self._period),
            "Результаты опросов",
            "Заполненные анкеты каждого опроса, завершённого в периоде, и самый частый ответ на первый вопрос с"
            " выбором: доля среди ответивших на вопрос (n), в скобках 95-процентный доверительный интервал Уилсона.",
        )

    def _networks(self) -> Cited[Network]:
        return self._cited(
            sections.networks(self._figures, self._period),
            "Госпаблики по сетям",
            "Открытые страницы и их подписчики на последний известный день периода; прирост — за 365 дней до него."
            " Сопоставимый прирост — у страниц, аудитория которых известна в оба дня.",
        )

    def _note(self, figure: Figure) -> Note:
        metric: Definition = figure.metric
        verdict = self._checks.behind([metric.fact])
        return Note(metric.name, metric.label, metric.explanation, figure.query, verdict)

    def _cited(self, section: Section[sections.Row], label: str, explanation: str) -> Cited[sections.Row]:
        note = Note(section.marts[0], label, explanation, section.query, self._checks.behind(section.marts))
        return Cited(section.rows, section.query, section.marts, note)


def _series(figure: Figure, period: Period, unit: Decimal) -> Series:
    values = (figure.values[part] for part in period.parts())
    return Series(period.short, [None if value is None else value / unit for value in values])
