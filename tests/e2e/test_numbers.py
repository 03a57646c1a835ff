"""Numbers on the screen are those of the warehouse: asked in SQL by another way, written in Russian by Python."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from otklik.settings import Settings
from tests.e2e.readers import sql
from tests.e2e.screen import Screen, screen

AUTHORITY = "Управление автомобильных дорог"
MUNICIPALITY = "город Нижний Тагил"
FIRST_OF_DECEMBER = datetime(2022, 12, 1, tzinfo=UTC).timestamp() * 1000

Seen = Callable[[str], Screen]


@pytest.fixture(scope="module")
def seen(night: Settings) -> Iterator[Seen]:
    """The screen of a reader; it is closed when another reader comes."""
    with ExitStack() as stack:
        current: dict[str, Screen] = {}

        def of(login: str) -> Screen:
            if login not in current:
                current.clear()
                stack.close()
                current[login] = stack.enter_context(screen(night, login))
            return current[login]

        yield of


def count(number: Any) -> str:
    """54548 → «54 548»."""
    return f"{round(number):,}".replace(",", " ")


def rounded(number: Any, digits: int = 0) -> Decimal:
    return Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def decimal(number: Any, digits: int = 1) -> str:
    """12.345 → «12,3»."""
    return str(rounded(number, digits)).replace(".", ",")


def duration(minutes: Any) -> str:
    """148 → «2 ч 28 мин»; from 48 hours in days and hours."""
    whole = int(rounded(minutes))
    if whole >= 2 * 24 * 60:
        days, hours = divmod(int(rounded(Decimal(whole) / 60)), 24)
        return " ".join(f"{part} {unit}" for part, unit in ((days, "сут"), (hours, "ч")) if part)
    hours, rest = divmod(whole, 60)
    return " ".join(f"{part} {unit}" for part, unit in ((hours, "ч"), (rest, "мин")) if part) or "0 мин"


def total(rows: list[dict[str, Any]], column: str) -> float:
    return sum(row[column] or 0 for row in rows)


def answered(night: Settings, where: str = "true", **values: Any) -> tuple[int, Decimal]:
    """How many incidents of the region were answered, and after how many minutes on average, counted one by one."""
    query = f"""
        select count(*)::int, avg(minutes_to_respond) from marts.fct_incident
        where region_code = '66' and first_response_date is not null and {where}
    """  # noqa: S608 - conditions of ours
    [(number, mean)] = sql(night, query, **values)
    return number, mean


def waiting(night: Settings, where: str = "true", **values: Any) -> dict[str, Any]:
    """What waited in the region at the end of the last day: open, without an answer, overdue."""
    query = f"""
        select sum(open_count)::int, sum(unanswered_count)::int, sum(overdue_count)::int, sum(age_days_sum)
        from marts.mart_backlog_daily
        where region_code = '66' and {where} and day = (select max(day) from marts.mart_backlog_daily)
    """  # noqa: S608 - conditions of ours
    [row] = sql(night, query, **values)
    return dict(zip(("open", "unanswered", "overdue", "days"), row, strict=True))


def build_that_took(night: Settings, source: str) -> tuple[str, int, int, int, int]:
    """The newest build that took in rows of a source as the filter names it, and these: read, refused, same, loaded."""
    [row] = sql(
        night,
        """
        select
            to_char(build.finished_at at time zone 'Asia/Yekaterinburg', 'DD.MM.YYYY HH24:MI'),
            sum(rows_read)::int, sum(rows_rejected)::int, sum(rows_unchanged)::int, sum(rows_loaded)::int
        from quality.build as build
        inner join quality.batch as batch
            on batch.batch_id > build.batches_after and batch.batch_id <= build.batches_through
        where batch.source = %(source)s
        group by build.build_id, build.finished_at order by build.finished_at desc limit 1
        """,
        "auditor",
        source=source,
    )
    return row


# ---- Each dashboard ------------------------------------------------------------------------------


def test_the_year_and_the_year_chosen_are_counted_from_messages_and_answers(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("year_in_review")
    for year in (2022, 2021):
        if year != 2022:
            shown.choose("Год", str(year))
        [(messages,)] = sql(
            night,
            "select count(*)::int from marts.fct_message"
            " where region_code = '66' and extract(year from registered_date) = %(year)s",
            year=year,
        )
        _, mean = answered(night, "extract(year from first_response_date) = %(year)s", year=year)
        cards = shown.text("cards_year")
        assert f"Обработано сообщений за {year} год {count(messages)}" in cards
        assert f"Среднее время ответа за {year} год {duration(mean)}" in cards


def test_how_long_answers_took_is_counted_one_by_one(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("response_time")
    number, mean = answered(night)
    assert f"Среднее время ответа {duration(mean)}" in shown.text("cards_response")
    assert f"ответов: {count(number)}" in shown.text("cards_response")
    assert total(shown.data("distribution"), "incidents_answered") == number
    number, mean = answered(night, "authority = %(authority)s", authority=AUTHORITY)
    assert f"{AUTHORITY} {count(number)} {duration(mean)}" in shown.text("authorities")


def test_what_waits_is_what_waited_at_the_end_of_the_last_day(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("queue")
    left, cards = waiting(night), shown.text("cards_queue")
    assert f"В работе {count(left['open'])} " in cards
    assert f"Просрочено без ответа {count(left['overdue'])} " in cards
    assert f"Средний возраст, дней {decimal(left['days'] / left['open'])} " in cards
    assert total(shown.data("overdue_authorities"), "overdue_count") == left["overdue"]


def test_the_audience_is_the_sum_of_every_page_of_the_last_day(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("public_pages")
    [(pages, audience)] = sql(
        night,
        "select count(*)::int, sum(audience_count)::int from marts.fct_page_day"
        " where region_code = '66' and day = (select max(day) from marts.fct_page_day)",
    )
    cards = shown.text("cards_pages")
    assert f"Работает госпабликов {count(pages)} " in cards
    assert f"Аудитория госпабликов {count(audience)} " in cards


def test_the_survey_shown_first_and_those_of_the_year_are_counted_from_responses(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("surveys")
    [(title, responses)] = sql(
        night,
        """
        select survey.title, count(response.response_id)::int
        from marts.dim_survey as survey
        inner join marts.fct_survey_response as response using (region_code, survey_id)
        where survey.region_code = '66' and survey.closed_on < '2023-01-01' and response.is_counted
        group by survey.survey_id, survey.title, survey.closed_on
        order by survey.closed_on desc, survey.survey_id limit 1
        """,
    )
    cards = shown.text("cards_survey")
    assert title in cards
    assert f"Анкет учтено {count(responses)} " in cards
    [(closed,)] = sql(
        night,
        "select count(*)::int from marts.dim_survey"
        " where region_code = '66' and closed_on between '2022-01-01' and '2022-12-31'",
    )
    [year] = [row for row in shown.data("surveys_by_year") if row["year"] == "2022"]
    assert year["surveys"] == closed == 40


def test_what_grows_and_every_warning_are_those_of_the_days(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("topics_and_warnings")
    received = dict(
        sql(
            night,
            """
            select coalesce(incident.topic, 'не указано'), count(*)::int
            from marts.fct_message as message
            inner join marts.fct_incident as incident using (region_code, source, incident_id)
            where region_code = '66' and message.received_date between '2022-12-01' and '2022-12-31'
            group by incident.topic
            """,
        )
    )
    grown = {row["topic"]: row["messages_received"] for row in shown.data("topics_growing")}
    assert len(grown) > 3
    assert grown == {topic: received[topic] for topic in grown}
    query = "select count(*)::int from marts.mart_early_warning where region_code = '66' and is_warning"
    [(warnings,)] = sql(night, query)
    assert total(shown.data("warnings_by_month"), "warning_count") == warnings


def test_rows_are_counted_from_the_file_to_the_mart(night: Settings, seen: Seen) -> None:
    shown = seen("auditor")
    shown.open("data_quality")
    reasons_shown = shown.data("rejected_by_reason")
    build, read, rejected, unchanged, loaded = build_that_took(night, "sverdlovsk")
    shown.choose("Расчёт", build)
    flow = shown.text("quality_flow")
    assert f"sverdlovsk {count(read)} {count(rejected)} {count(unchanged)} {count(loaded)} " in flow
    [(all_read, all_rejected)] = sql(
        night,
        "select sum(rows_read)::int, sum(rows_rejected)::int from quality.batch where region_code = '66'",
        "auditor",
    )
    assert f"Строк отклонено за всё время {count(all_rejected)} из {count(all_read)} " in shown.text("cards_quality")
    [(reasons,)] = sql(
        night,
        """
        select count(distinct (rejected_row_id, cause ->> 'column'))::int
        from quality.rejected_row cross join jsonb_array_elements(reasons) as cause
        where cause ->> 'code' like 'unknown%%'
        """,
        "auditor",
    )
    [unknown] = [row for row in reasons_shown if row["reason"] == "неизвестное значение"]
    assert unknown["row_count"] == reasons


def test_an_authority_sees_its_own_queue_and_its_own_answers(night: Settings, seen: Seen) -> None:
    own = {"authority": night.superset_authority}
    shown = seen("authority")
    shown.open("own_authority")
    left = waiting(night, "authority = %(authority)s", **own)
    assert f"В работе {count(left['open'])} " in shown.text("cards_queue")
    assert f"Просрочено без ответа {count(left['overdue'])} " in shown.text("cards_queue")
    _, mean = answered(
        night, "authority = %(authority)s and first_response_date between '2022-12-01' and '2022-12-31'", **own
    )
    [december] = [row for row in shown.data("mean_by_month") if row["day"] == FIRST_OF_DECEMBER]
    assert december["Среднее за месяц"] == pytest.approx(float(mean) / 60)


# ---- Filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "value", "where"),
    [
        ("Муниципалитет", MUNICIPALITY, "municipality = %(value)s"),
        ("Орган власти", AUTHORITY, "authority = %(value)s"),
        ("Тема", "Дороги", "topic = %(value)s"),
        ("Канал", "Одноклассники", "channel = 'ok'"),
    ],
)
def test_a_filter_leaves_what_was_chosen(night: Settings, seen: Seen, title: str, value: str, where: str) -> None:
    shown = seen("leadership")
    shown.open("response_time")
    shown.choose(title, value)
    number, mean = answered(night, where, value=value)
    assert f"Среднее время ответа {duration(mean)}" in shown.text("cards_response")
    assert f"ответов: {count(number)}" in shown.text("cards_response")
    assert total(shown.data("distribution"), "incidents_answered") == number


def test_a_period_leaves_its_days(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("response_time")
    shown.choose_period(date(2022, 3, 1), date(2022, 4, 1))
    number, mean = answered(night, "first_response_date >= '2022-03-01' and first_response_date < '2022-04-01'")
    assert f"Среднее время ответа {duration(mean)}" in shown.text("cards_response")
    assert f"ответов: {count(number)}" in shown.text("cards_response")


def test_filters_of_the_queue_leave_what_was_chosen(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("queue")
    shown.choose("Муниципалитет", MUNICIPALITY)
    left = waiting(night, "municipality = %(value)s", value=MUNICIPALITY)
    assert f"В работе {count(left['open'])} " in shown.text("cards_queue")


# ---- Clicks --------------------------------------------------------------------------------------


def test_a_click_on_an_authority_leaves_its_answers_on_the_other_charts(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("response_time")
    shown.click("authorities", AUTHORITY)
    number, mean = answered(night, "authority = %(authority)s", authority=AUTHORITY)
    assert total(shown.data("distribution"), "incidents_answered") == number
    assert f"Среднее время ответа {duration(mean)}" in shown.text("cards_response")


def test_a_click_on_a_municipality_leaves_its_queue(night: Settings, seen: Seen) -> None:
    shown = seen("leadership")
    shown.open("queue")
    shown.click("overdue_municipalities", MUNICIPALITY)
    left = waiting(night, "municipality = %(value)s", value=MUNICIPALITY)
    assert f"В работе {count(left['open'])} " in shown.text("cards_queue")
    assert total(shown.data("overdue_authorities"), "overdue_count") == left["overdue"]


def test_a_click_on_a_source_leaves_its_rows(night: Settings, seen: Seen) -> None:
    shown = seen("auditor")
    shown.open("data_quality")
    shown.choose("Расчёт", build_that_took(night, "sverdlovsk")[0])
    shown.click("quality_flow", "sverdlovsk")
    assert {row["source"] for row in shown.data("quality_sources")} == {"sverdlovsk"}
    [(read,)] = sql(night, "select sum(rows_read)::int from quality.batch where source = 'sverdlovsk'", "auditor")
    assert f"sverdlovsk 31.12.2022 не отстаёт 27 0 {count(read)} " in shown.text("quality_sources")
