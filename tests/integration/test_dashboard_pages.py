"""What the SQL of «Госпаблики» and «Опросы» tells a reader, on marts built by dbt: worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from otklik.dashboards.assets import read_assets
from tests.fixtures import pages, survey_marts
from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.pages import CITY, REZH, authority, page, seen
from tests.fixtures.survey_rows import ANSWERS, PARK, PARK_OPTIONS, RESPONSES, load, survey

DATASETS = read_assets()["datasets"]
REGISTER = [
    authority("town", "Администрация Режа", REZH, level="municipal", municipality="Режевской городской округ"),
    authority("museum", "Музей", CITY, level="subordinate", municipality="город Екатеринбург"),
    authority("ministry", "Министерство", level="regional"),
]
PAGES = [
    page("town-vk", "town", name="Реж", opened_on="2020-01-10"),
    page("town-ok", "town", name="Реж в ОК", opened_on="2022-12-01"),
    page("museum-vk", "museum", name="Музей", opened_on="2015-05-01"),
    page("museum-tg", "museum", name="Музей в Telegram", opened_on="2021-05-01", closed_on="2022-12-05"),
    page("ministry-vk", "ministry", name="Министерство", opened_on="2020-01-10"),
]
NIGHTS = {
    "2022-09-01": [seen("town-vk", "2022-09-01 20:00", 900)],
    # Twenty-eight days before the last night.
    "2022-11-14": [
        seen("town-vk", "2022-11-14 20:00", 1000),
        seen("museum-vk", "2022-11-14 20:00", 500),
        seen("museum-tg", "2022-11-14 20:00", 70),
    ],
    "2022-12-10": [
        seen(
            "museum-vk",
            "2022-12-10 20:00",
            480,
            posts_7_days=2,
            has_avatar=True,
            has_description=True,
            has_cover=True,
            has_government_mark=False,
        ),
    ],
    "2022-12-12": [
        seen(
            "town-vk",
            "2022-12-12 20:00",
            1100,
            posts_7_days=3,
            reach_7_days=550,
            has_avatar=True,
            has_description=True,
            has_cover=False,
        ),
        seen("town-ok", "2022-12-12 20:00", 40, has_avatar=False, has_description=False),
        seen("museum-vk", "2022-12-12 20:00", "limit"),
        seen("ministry-vk", "2022-12-12 20:00", "closed"),
    ],
}
SURVEYS = [
    survey("park", "Парк", topic="Благоустройство", municipality_code=REZH),
    # Of the same title, a year earlier; and one that was closed later, and of which nothing was read.
    survey("twin", "Парк", opened_on="2021-03-01", closed_on="2021-03-10"),
    survey("snow", "Снег", closed_on="2022-03-11"),
    survey("yard", "Двор", topic="Благоустройство", closed_on="2022-03-31"),
]


@pytest.fixture(scope="module")
def marts(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Three authorities' pages on four nights; four surveys, of which one was read."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    # Of a region of which no messages were read the line above the dashboards says nothing.
    warehouse.night("2022-12-12", [])
    warehouse.load("authority", "2022-09-01", REGISTER)
    warehouse.load("page", "2022-09-01", PAGES)
    for night, snapshots in NIGHTS.items():
        warehouse.load("page_snapshot", night, snapshots)
    load(warehouse, "2022-03-04", questions=PARK, options=PARK_OPTIONS, responses=RESPONSES, answers=ANSWERS)
    warehouse.load("survey", "2022-03-12", SURVEYS)
    warehouse.model(marts=(*pages.MARTS, *survey_marts.MARTS, "dim_channel", "dim_municipality"))
    return warehouse


def ask(marts: TestWarehouse, dataset: str, columns: str, rest: str = "") -> list[tuple[Any, ...]]:
    """The answer a reader gets from a dataset, with ordinary spaces; the query is sent as it is."""
    with psycopg.connect(marts.settings.dsn("reader")) as connection:
        rows = connection.execute(f"select {columns} from ({DATASETS[dataset]['sql']}) as d {rest}").fetchall()  # noqa: S608
    return [tuple(cell.replace("\u00a0", " ") if isinstance(cell, str) else cell for cell in row) for row in rows]


def metric(dataset: str, name: str) -> str:
    return next(each["expression"] for each in DATASETS[dataset]["metrics"] if each.get("metric_name") == name)


def test_the_cards_tell_growth_apart_from_growth_of_the_same_pages(marts: TestWarehouse) -> None:
    # Then 1000 + 500 + 70; now 1100 + 480, and 40 on a new page.
    assert ask(marts, "page_figures", "title, value_label, first_note, second_note", "order by place") == [
        ("Работает госпабликов", "4", "на 12.12.2022", "год назад — нет данных"),
        (
            "Аудитория госпабликов",
            "1 620",
            "страниц с замером прошлых дней, не старше недели: 1",
            "страниц без замера, в сумму не вошли: 1",
        ),
        ("Прирост за 28 дней", "+50", "+3,2 % к 14.11.2022", "на одних и тех же страницах +80 (+5,3 %)"),
        ("Прирост за год", "нет данных", "", "сравнить не с чем"),
    ]


def test_audience_is_told_of_each_day_of_two_months_and_of_sundays_before(marts: TestWarehouse) -> None:
    vk = "where network = 'ВКонтакте'"
    assert ask(marts, "audience_day", "day, audience_now", f"{vk} and day <= '2022-10-13' order by day") == [
        (date(2022, 9, 4), 900),
        *((day, None) for day in (date(2022, 9, 11), date(2022, 9, 18), date(2022, 9, 25))),
        *((day, None) for day in (date(2022, 10, 2), date(2022, 10, 9))),
    ]
    assert ask(marts, "audience_day", "count(*), min(day), max(day)", f"{vk} and day > '2022-10-13'") == [
        (60, date(2022, 10, 14), date(2022, 12, 12))
    ]


def test_growth_of_each_network_is_the_same_pages_and_new_and_closed_ones(marts: TestWarehouse) -> None:
    parts = ", ".join(metric("audience_growth", name) for name in ("same_pages", "new_pages", "closed_pages"))
    columns = f"network, growth_count, {parts}"
    thousandth = Decimal("0.001")
    assert ask(marts, "audience_growth", columns, "group by network, growth_count, place order by place") == [
        ("ВКонтакте", 80, 80 * thousandth, 0, 0),
        ("Одноклассники", None, 0, 40 * thousandth, 0),
        ("Telegram", None, 0, 0, -70 * thousandth),
        ("Все сети", 50, 80 * thousandth, 40 * thousandth, -70 * thousandth),
    ]


def test_municipalities_stand_from_the_least_covered_and_those_of_unknown_residents_last(marts: TestWarehouse) -> None:
    columns = "municipality, audience_count, residents, coverage_share, growth_count"
    rows = ask(marts, "coverage", columns, "order by place")
    assert rows[:2] == [
        ("город Екатеринбург", 480, 1377738, Decimal("0.000348"), 480 - 570),
        ("Режевской городской округ", 1140, 38709, Decimal("0.029451"), 140),
    ]
    assert {row[3] for row in rows[2:]} == {None}


def test_working_pages_are_counted_at_the_end_of_each_month(marts: TestWarehouse) -> None:
    counted = ask(marts, "pages_month", "day, sum(pages_count)", "where day > '2022-11-01' group by day order by day")
    assert counted == [(date(2022, 11, 30), 4), (date(2022, 12, 12), 4)]


def test_who_lacks_a_mandatory_page_and_which_share_has_one(marts: TestWarehouse) -> None:
    columns = "authority, level, network, lacking_since"
    lacking = ask(marts, "page_duty", columns, "where not has_page order by authority")
    assert lacking == [
        ("Министерство", "региональный", "Одноклассники", date(2022, 12, 1)),
        ("Музей", "подведомственный", "Одноклассники", date(2022, 12, 1)),
    ]
    share = metric("page_duty", "with_page_share")
    assert ask(marts, "page_duty", f"network, round({share}, 2)", "group by network order by network") == [
        ("ВКонтакте", 1),
        ("Одноклассники", Decimal("0.33")),
    ]


def test_what_is_not_known_of_a_page_is_neither_met_nor_missed(marts: TestWarehouse) -> None:
    counted = ask(marts, "page_criterion", "criterion, state, count(*)", "group by 1, 2 order by criterion, state")
    shown = [(criterion.lstrip("\u200b"), state, count) for criterion, state, count in counted]
    assert set(shown) == {
        ("от 3 записей за 7 дней", "да", 1),
        ("от 3 записей за 7 дней", "нет", 1),
        ("от 3 записей за 7 дней", "неизвестно", 2),
        ("отметка госоргана", "нет", 1),
        ("отметка госоргана", "неизвестно", 3),
        ("подтверждена сетью", "неизвестно", 4),
        ("обложка", "да", 1),
        ("обложка", "нет", 1),
        ("обложка", "неизвестно", 2),
        ("описание", "да", 2),
        ("описание", "нет", 1),
        ("описание", "неизвестно", 1),
        ("аватар", "да", 2),
        ("аватар", "нет", 1),
        ("аватар", "неизвестно", 1),
    }


def test_a_page_is_told_what_it_lacks_and_what_of_it_is_not_known_the_worst_first(marts: TestWarehouse) -> None:
    columns = "name, posts_7_days, reach_share, missing, unknown, failed_count"
    assert ask(marts, "page_health", columns, "order by place") == [
        ("Реж в ОК", None, None, "аватара, описания", "записи, обложка, отметка", 2),
        ("Музей", 2, None, "записей, отметки", "", 2),
        ("Реж", 3, Decimal("0.5"), "обложки", "отметка", 1),
        ("Министерство", None, None, "", "записи, аватар, описание, обложка, отметка", 0),
    ]


def test_a_page_that_was_not_counted_says_why_since_when_and_what_is_carried(marts: TestWarehouse) -> None:
    columns = "name, network, reason, counted_label, days_unseen, carried_label"
    assert ask(marts, "page_not_observed", columns, "order by name") == [
        ("Министерство", "ВКонтакте", "закрыта от посторонних", "ни разу", None, "нет данных"),
        ("Музей", "ВКонтакте", "исчерпан предел запросов к сети", "10.12.2022", 2, "480"),
    ]


def test_the_survey_shown_first_is_the_latest_completed_one_that_was_read(marts: TestWarehouse) -> None:
    assert ask(marts, "survey", "survey, topic, state, year, response_count", "order by place") == [
        ("Парк · park", "Благоустройство", "завершён 10.03.2022", "2022", 5),
        ("Двор", "Благоустройство", "идёт до 31.03.2022", "не завершён", None),
        ("Снег", "не указано", "завершён 11.03.2022", "2022", None),
        ("Парк · twin", "не указано", "завершён 10.03.2021", "2021", None),
    ]


def test_a_survey_is_told_by_who_answered_when_and_how_exact_its_shares_are(marts: TestWarehouse) -> None:
    cards = "title, value_label, first_note, second_note"
    assert ask(marts, "survey_figures", cards, "where survey = 'Парк · park' order by place") == [
        ("Опрос", "Парк · park", "тема: Благоустройство", "Режевской городской округ"),
        ("Анкет учтено", "5", "неоконченных, не учтены: 1", "без отметки, окончены ли: 1"),
        ("Дней открыт", "10", "01.03.2022 — 10.03.2022", "завершён"),
        # Two residents answered the row «Чистота», each otherwise: from 9,5 to 90,5 %.
        ("Точность долей", "до ±40,5 п. п.", "половина самого широкого интервала", "вопросов: 8"),
    ]
    assert ask(marts, "survey_figures", cards, "where survey = 'Снег' and place = 2") == [
        ("Анкет учтено", "нет данных", "неоконченных, не учтены: нет данных", "")
    ]


def test_each_answer_has_its_share_with_the_interval_and_how_many_answered(marts: TestWarehouse) -> None:
    columns = "question_label, answer, share_label, people_label"
    assert ask(marts, "survey_result", columns, "order by place") == [
        ("Нужен ли парк?", "Да", "75,0 % (30,1–95,4)", "3 из 4"),
        ("", "Нет", "25,0 % (4,6–69,9)", "1 из 4"),
        ("Чего не хватает? (можно выбрать несколько)", "Скамеек", "100,0 % (43,9–100,0)", "3 из 3"),
        ("", "Деревьев", "66,7 % (20,8–93,9)", "2 из 3"),
        ("", "Урн", "0,0 % (0,0–56,1)", "0 из 3"),
        ("", "Другое", "0,0 % (0,0–56,1)", "0 из 3"),
        ("Оцените двор — средняя оценка 2,3", "1", "25,0 % (4,6–69,9)", "1 из 4"),
        ("", "2", "25,0 % (4,6–69,9)", "1 из 4"),
        ("", "3", "50,0 % (15,0–85,0)", "2 из 4"),
        ("Сколько вам лет?", "в среднем 26,3, у половины не больше 27,5", "", "ответили: 4"),
        ("Что ещё?", "ответили своими словами; тексты здесь не показаны", "", "ответили: 1"),
        ("Оцените по отдельности — Чистота", "Хорошо", "50,0 % (9,5–90,5)", "1 из 2"),
        ("", "Плохо", "50,0 % (9,5–90,5)", "1 из 2"),
        ("Оцените по отдельности — Свет", "Хорошо", "100,0 % (20,7–100,0)", "1 из 1"),
        ("", "Плохо", "0,0 % (0,0–79,3)", "0 из 1"),
        ("Ответит ли кто-нибудь?", "Да", "нет данных", "0 из 0"),
        ("", "Нет", "нет данных", "0 из 0"),
        ("И сколько раз?", "числа никто не назвал", "", "ответили: 0"),
    ]


def test_the_interval_is_drawn_where_its_numbers_say(marts: TestWarehouse) -> None:
    [(bar,)] = ask(marts, "survey_result", "bar", "where question = 'Нужен ли парк?' and answer = 'Да'")
    assert bar == (
        '<div class="share"><div class="share-part" style="width:75.0%"></div>'
        '<div class="share-range" style="left:30.1%;width:65.4%"></div></div>'
    )
    assert ask(marts, "survey_result", "bar", "where question = 'Что ещё?'") == [("",)]


def test_nothing_that_a_resident_wrote_is_told(marts: TestWarehouse) -> None:
    assert "8 900" not in str(ask(marts, "survey_result", "*"))


def test_responses_are_told_by_the_local_day_they_came(marts: TestWarehouse) -> None:
    assert ask(marts, "survey_day", "survey, day, response_count", "order by day") == [
        ("Парк · park", date(2022, 3, 1), 1),
        ("Парк · park", date(2022, 3, 2), 2),
        ("Парк · park", date(2022, 3, 3), 1),
    ]
