"""What a report tells besides its figures, each from one query that its footnote shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

import yaml
from psycopg import sql
from psycopg.rows import class_row

from otklik.audit.definitions import Definition
from otklik.report.figures import Figures, spans
from otklik.report.period import Period
from otklik.settings import PROJECT

Row = TypeVar("Row")


@dataclass(frozen=True)
class Section(Generic[Row]):
    """Rows as one query gave them, and the marts it read."""

    rows: Sequence[Row]
    query: str
    marts: tuple[str, ...]


@dataclass(frozen=True)
class Contribution:
    """What an authority (None: unknown) added to the change of the mean time to respond; minutes."""

    member: str | None
    mean_minutes: Decimal | None
    mean_minutes_before: Decimal | None
    mix_minutes: Decimal
    rate_minutes: Decimal
    change_minutes: Decimal


@dataclass(frozen=True)
class Ranked:
    """An authority that answered in the period; without a place where it answered too few."""

    authority: str
    place: int | None
    answered_count: int
    mean_minutes: Decimal
    p90_minutes: Decimal
    on_time_share: Decimal | None


@dataclass(frozen=True)
class Topic:
    """Messages on one topic (None: unknown) taken into work in the period and in the one it is compared with."""

    topic: str | None
    message_count: int
    before_count: int


@dataclass(frozen=True)
class Survey:
    """A survey completed in the period, with the ready answer that most chose to its first question with a choice."""

    title: str | None
    closed_on: date
    response_count: int | None
    question_text: str | None
    option_text: str | None
    chosen_share: Decimal | None
    share_low: Decimal | None
    share_high: Decimal | None
    answered_count: int | None


@dataclass(frozen=True)
class Network:
    """The pages on one network, or `all`, on the last day of the period, and what changed in 365 days."""

    network: str
    pages_count: int
    audience_count: int | None
    growth_count: int | None
    growth_share: Decimal | None
    like_for_like_growth_count: int | None
    like_for_like_growth_share: Decimal | None
    new_pages_audience: int | None
    closed_pages_audience: int | None
    newly_known_audience: int | None
    no_longer_known_audience: int | None


def contributions(figures: Figures, period: Period, compared_with: str) -> Section[Contribution]:
    """Return what each authority added to the change since `previous_month` or `previous_year`, the largest first."""
    query = sql.SQL(
        "select member, mean_minutes, mean_minutes_before, mix_minutes, rate_minutes, change_minutes"
        " from marts.mart_response_change"
        " where region_code = {} and period_kind = {} and period_start = {}"
        " and compared_with = {} and dimension = 'authority' order by abs(change_minutes) desc, member"
    ).format(figures.code, period.kind, str(period.starts), compared_with)
    return _section(figures, query, Contribution, "mart_response_change")


def ranking(figures: Figures, period: Period) -> Section[Ranked]:
    """Return every authority that answered, the fastest first, those without a place last."""
    query = sql.SQL(
        "select authority, place, answered_count, mean_minutes, p90_minutes, on_time_share"
        " from marts.mart_authority_ranking where region_code = {} and period_kind = {} and period_start = {}"
        " order by place nulls last, authority"
    ).format(figures.code, period.kind, str(period.starts))
    return _section(figures, query, Ranked, "mart_authority_ranking")


def ranking_minimum() -> int:
    """Return from how many answers on an authority has a place, as the models take it."""
    project = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8"))
    return int(project["vars"]["ranking_minimum"])


def topics(figures: Figures, processed: Definition, period: Period, before: Period) -> Section[Topic]:
    """Return what the messages that were processed are about, the most frequent topic first."""
    query = sql.SQL(
        "select incident.topic, count(*) filter (where told.starts = {now}) as message_count,"
        " count(*) filter (where told.starts = {before}) as before_count"
        " from {spans} as told (starts, ends) inner join marts.fct_message as fact on {rows}"
        " inner join marts.fct_incident as incident using (region_code, source, incident_id)"
        " where region_code = {region} group by 1 order by 2 desc, 3 desc, 1"
    ).format(
        now=str(period.starts),
        before=str(before.starts),
        spans=spans([period, before]),
        rows=sql.SQL(processed.where).format(starts=sql.SQL("told.starts"), ends=sql.SQL("told.ends")),
        region=figures.code,
    )
    return _section(figures, query, Topic, "fct_message", "fct_incident")


def surveys(figures: Figures, period: Period) -> Section[Survey]:
    """Return the surveys that were completed in the period, in the order of their last days."""
    query = sql.SQL(
        "select survey.title, survey.closed_on, survey.response_count, told.question_text, told.option_text,"
        " told.chosen_share, told.share_low, told.share_high, told.answered_count"
        " from marts.mart_survey_summary as survey left join lateral ("
        "select concat_ws(': ', question_text, subquestion_text) as question_text, option_text,"
        " chosen_share, share_low, share_high, answered_count"
        " from marts.mart_survey_result as result"
        " where result.region_code = survey.region_code and result.survey_id = survey.survey_id"
        " and kind in ('single', 'multiple') and option_text is not null and chosen_count > 0"
        " order by question_position, question_code, subquestion_position, chosen_count desc, option_position limit 1"
        ") as told on true"
        " where survey.region_code = {} and is_completed and closed_on >= {} and closed_on < {}"
        " order by survey.closed_on, survey.survey_id"
    ).format(figures.code, str(period.starts), str(period.ends))
    return _section(figures, query, Survey, "mart_survey_summary", "mart_survey_result")


def networks(figures: Figures, period: Period) -> Section[Network]:
    """Return the pages by network, that with the largest audience first, and `all` before them; none if not known."""
    span = figures.span("fct_page_day")
    day = str(min(period.last_day, span[1])) if span and figures.is_known("fct_page_day", period) else None
    query = sql.SQL(
        "select told.network, told.pages_count, told.audience_count, growth_count, growth_share,"
        " like_for_like_growth_count, like_for_like_growth_share, new_pages_audience, closed_pages_audience,"
        " newly_known_audience, no_longer_known_audience"
        " from (select region_code, day, coalesce(network, 'all') as network,"
        " sum(pages_count)::bigint as pages_count, sum(audience_count)::bigint as audience_count"
        " from marts.mart_audience_daily where region_code = {} and day = {}"
        " group by grouping sets ((region_code, day), (region_code, day, network))) as told"
        " left join marts.mart_audience_growth as growth on growth.region_code = told.region_code"
        " and growth.day = told.day and growth.network = told.network and growth.period_days = 365"
        " order by told.network <> 'all', told.audience_count desc nulls last"
    ).format(figures.code, day)
    return _section(figures, query, Network, "mart_audience_daily", "mart_audience_growth")


def compared_with(period: Period, before: Period) -> str:
    """Return what mart_response_change calls the period before."""
    is_month_before = period.kind == "month" and period.starts - before.starts < timedelta(days=32)
    return "previous_month" if is_month_before else "previous_year"


def _section(figures: Figures, query: sql.Composed, row: type[Row], *marts: str) -> Section[Row]:
    with figures.connection.cursor(row_factory=class_row(row)) as cursor:
        rows = cursor.execute(query).fetchall()
    return Section(rows, query.as_string(figures.connection), marts)
