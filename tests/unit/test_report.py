"""How a report says numbers and periods in Russian, and how its text, footnotes and charts become a page."""

from datetime import date
from decimal import Decimal

import pypandoc
import pytest

from otklik.audit.definitions import definition
from otklik.report import charts, period, phrases, russian
from otklik.report.checks import Check, Verdict, _made_of
from otklik.report.figures import Figure
from otklik.report.footnotes import MARK, Note, Notes, plain
from otklik.report.period import Period, PeriodError
from otklik.report.writing import _MARKDOWN

D = Decimal


def said(text: str) -> str:
    """With plain spaces, to be compared with what is typed here."""
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (russian.number(54548), "54 548"),
        (russian.number(-1213, signed=True), "−1 213"),
        (russian.number(0, signed=True), "0"),
        (russian.number(D("0.05"), 1, signed=True), "+0,1"),
        (russian.number(D("-0.04"), 1), "0,0"),
        (russian.number(None), "нет данных"),
        (russian.share(D("0.97626")), "97,6 %"),
        (russian.share(None), "нет данных"),
        (russian.duration(D("147.9999")), "2 ч 28 мин"),
        (russian.duration(D("120")), "2 ч"),
        (russian.duration(D("0.4")), "0 мин"),
        (russian.duration(D("-58"), signed=True), "−58 мин"),
        (russian.duration(D("2879")), "47 ч 59 мин"),
        (russian.duration(D("3060")), "2 сут 3 ч"),
        (russian.duration(None), "нет данных"),
        (russian.minutes(D("-4.368")), "−4,4 мин"),
    ],
)
def test_a_number_is_written_as_a_russian_reads_it(told: str, text: str) -> None:
    assert said(told) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1 материал"),
        (2, "2 материала"),
        (5, "5 материалов"),
        (11, "11 материалов"),
        (12, "12 материалов"),
        (21, "21 материал"),
        (113, "113 материалов"),
        (1537, "1 537 материалов"),
        (1541, "1 541 материал"),
        (0, "0 материалов"),
    ],
)
def test_a_word_has_the_form_its_number_asks_for(count: int, text: str) -> None:
    assert said(russian.counted(count, "материал", "материала", "материалов")) == text


def test_a_year_is_compared_with_the_year_before() -> None:
    year = period.year("2022")
    assert (year.name, year.within, year.of, year.at_end) == (
        "2022 год",
        "в 2022 году",
        "2022 года",
        "на конец 2022 года",
    )
    assert [(one.starts, one.ends) for one in year.compared()] == [(date(2021, 1, 1), date(2022, 1, 1))]
    assert [part.starts.month for part in year.parts()] == list(range(1, 13))


def test_a_month_is_compared_with_the_month_before_and_a_year_before() -> None:
    month = period.month("2022-01")
    assert (month.name, month.within) == ("январь 2022 года", "в январе 2022 года")
    assert [one.within for one in month.compared()] == ["в декабре 2021 года", "в январе 2021 года"]
    assert len(month.parts()) == 31


def test_a_week_begins_on_monday_and_is_compared_with_the_same_weekdays() -> None:
    week = period.week("2022-W52")
    assert (week.starts, week.ends, week.name) == (
        date(2022, 12, 26),
        date(2023, 1, 2),
        "неделя 26.12.2022–01.01.2023",
    )
    before, year_ago = week.compared()
    assert (before.starts, year_ago.starts) == (date(2022, 12, 19), date(2021, 12, 27))
    assert (before.within, before.short) == ("неделей раньше", "19.12–25.12.2022")
    assert week.ticks() == ["пн 26", "вт 27", "ср 28", "чт 29", "пт 30", "сб 31", "вс 1"]


def test_of_a_period_that_is_not_over_the_same_days_are_compared() -> None:
    year = period.year("2024").until(date(2024, 2, 29))
    assert (year.is_whole, year.ends, year.at_end) == (False, date(2024, 3, 1), "на 29.02.2024")
    [before] = year.compared()
    assert (before.ends, before.within) == (date(2023, 3, 1), "за те же дни 2023 года")
    month = period.month("2022-03").until(date(2022, 3, 30))
    assert [one.ends for one in month.compared()] == [date(2022, 3, 1), date(2021, 3, 31)]
    week = period.week("2022-W52").until(date(2022, 12, 27))
    assert [(one.starts, one.ends) for one in week.compared()[:1]] == [(date(2022, 12, 19), date(2022, 12, 21))]


@pytest.mark.parametrize(
    ("read", "text"),
    [(period.year, "22"), (period.month, "2022-13"), (period.week, "2022-W53"), (period.week, "2022-52")],
)
def test_a_period_that_there_is_not_is_refused_with_an_example(read: object, text: str) -> None:
    with pytest.raises(PeriodError, match=f"'{text}' is no .*; write it as 2022"):
        read(text)  # type: ignore[operator]


def test_a_period_that_has_not_begun_is_refused() -> None:
    with pytest.raises(PeriodError, match=r"данные есть по 31\.12\.2021"):
        period.year("2022").until(date(2021, 12, 31))


YEARS = {of: period.year(str(of)) for of in (2020, 2021, 2022)}


def told(metric: str, **values: int | str | None) -> str:
    """What is said of 2022 beside 2021, and of the first year where it is told."""
    numbers: dict[Period, Decimal | None] = {
        YEARS[int(of[1:])]: None if value is None else D(value) for of, value in values.items()
    }
    return said(phrases.compared(Figure(definition(metric), numbers, ""), YEARS[2022], [YEARS[2021]]))


def test_what_changed_is_said_with_the_number_it_is_compared_with() -> None:
    assert told("messages_processed", y2022=54548, y2021=46137) == "на 8 411 (18,2 %) больше, чем в 2021 году (46 137)"
    assert told("materials_published", y2022=5, y2021=9) == "на 4 меньше, чем в 2021 году (9)"
    assert told("surveys_completed", y2022=3, y2021=3) == "столько же, сколько в 2021 году"
    assert told("on_time_share", y2022="0.944", y2021="0.957") == "на 1,3 п. п. ниже, чем в 2021 году (95,7 %)"
    assert told("pages_working", y2022=12, y2021=10) == "на 2 (20,0 %) больше, чем на конец 2021 года (10)"


def test_a_difference_is_of_the_numbers_as_they_are_read() -> None:
    assert (
        told("mean_time_to_respond", y2022="147.5", y2021="206.4") == "на 58 мин быстрее, чем в 2021 году (3 ч 26 мин)"
    )


def test_time_is_told_beside_the_first_year_too_a_count_is_not() -> None:
    assert told("mean_time_to_respond", y2022=148, y2021=206, y2020=430) == (
        "на 58 мин быстрее, чем в 2021 году (3 ч 26 мин), и в 2,9 раза быстрее, чем в 2020 году, с которого начинаются"
        " данные (7 ч 10 мин)"
    )
    assert "2020" not in told("messages_processed", y2022=54548, y2021=46137, y2020=4912)


def test_what_is_not_known_is_compared_with_nothing() -> None:
    assert told("messages_processed", y2022=5, y2021=None) == "сравнить не с чем: в 2021 году нет данных"
    assert phrases.delta("people", D(5), None) == "нет данных"


def rendered(text: str) -> str:
    return str(pypandoc.convert_text(text, "plain", format=_MARKDOWN, extra_args=["--wrap=none"])).strip()


@pytest.mark.parametrize(
    "text", ["«Вода | *и* стоки»", "1. [x](http://a) <b> `c` ~d~ ^e^ $f$ @g [^1] \\h -- i: j & k", "# x"]
)
def test_what_people_wrote_is_shown_as_they_wrote_it(text: str) -> None:
    assert rendered(plain(text)) == text


def check(name: str, severity: str = "critical", *, success: bool) -> Check:
    return Check("marts.fct_message", name, severity, success, "3", "Сообщение считается один раз.")


def note(*checks: Check, were_run: bool = True, name: str = "messages_processed") -> Note:
    return Note(name, "Обработано", "По дню.", "select 1", Verdict(checks, were_run))


def test_a_footnote_says_what_the_number_is_and_how_it_was_checked() -> None:
    held, warned = check("once", success=True), check("often", "warning", success=False)
    assert said(rendered(note(held).markdown("01.01.2023 00:00"))) == (
        "Обработано (messages_processed). По дню. Запрос: select 1. Данные на 01.01.2023 00:00."
        " Пройдена 1 проверка, замечаний нет."
    )
    assert rendered(note(held, warned).markdown("")).endswith(
        "Проверок пройдено 1 из 2, замечания: «Сообщение считается один раз.» (marts.fct_message: often; найдено: 3)."
    )
    assert rendered(note(held, check("ever", success=False)).markdown("")).endswith(
        "НЕ ПРОЙДЕНЫ ПРОВЕРКИ: «Сообщение считается один раз.» (marts.fct_message: ever; найдено: 3)."
    )
    assert rendered(note(were_run=False).markdown("")).endswith("Проверки не проводились.")


def test_a_footnote_is_written_once_and_keeps_the_number_it_was_first_given() -> None:
    notes = Notes("01.01.2023", links=True)
    first, second = note(check("once", success=True)), note(name="audience")
    text = f"a{notes(first)} b{notes(second)} c{notes(first)}\n\n{notes.written()}"
    page = pypandoc.convert_text(text, "html", format=_MARKDOWN, extra_args=["--wrap=none"])
    assert page.count('<li id="fn') == 2
    assert page.split("<section")[0].strip().endswith(' c<sup><a href="#fn1">1</a></sup></p>')


def test_a_number_whose_checks_failed_is_marked() -> None:
    notes = Notes("01.01.2023", links=False)
    assert notes(note(check("once", success=True))) == "[^1]"
    assert notes(note(check("once", success=False))) == f"{MARK}[^2]"
    assert notes(note(check("once", success=False))) == f"{MARK}^2^"
    assert notes(note(were_run=False)) == f"{MARK}[^3]"


def test_behind_a_mart_stands_all_it_is_made_of() -> None:
    assert {"fct_message", "incident", "batch"} <= _made_of("fct_message")
    assert not {"page", "survey"} & _made_of("fct_message")
    assert {"mart_time_to_respond", "mart_time_to_respond_month", "incident"} <= _made_of("mart_authority_ranking")
    assert {"survey", "survey_question", "survey_answer"} <= _made_of("mart_survey_result")


def test_a_chart_speaks_russian_and_leaves_out_what_is_not_known() -> None:
    now, before = charts.Series("2022", [D(4500), None]), charts.Series("2021", [D(3500), D(3200)])
    bars = charts.over_time(["янв", "фев"], now, before, charts.Axis("сообщений", bars=True))
    assert "янв" in bars.svg
    assert "4\u00a0000" in bars.svg
    assert charts.BLUE in bars.svg
    assert bars.svg.count('aria-roledescription="bar"') == 1
    assert bars.png.startswith(b"\x89PNG")
    parts = charts.contributions({"Дороги": D("-4.4"), "Водоканал": D("1.2")}, "минут")
    assert "−4,0" in parts.svg
