"""What «Темы и тревоги» tells, on marts built by dbt: its datasets' SQL, worked out by hand."""

from typing import Any

import psycopg
import pytest

from tests.fixtures.datasets import ask
from tests.fixtures.dbt import TestWarehouse, message

MARTS = ("mart_topic_trend", "mart_early_warning", "dim_date", "mart_as_of")
SNOW = {"municipality": "Реж", "topic": "Снег"}
HEAT = {"municipality": "Ирбит", "topic": "Тепло"}


def messages(day: str, count: int, **columns: Any) -> list[dict[str, Any]]:
    return [message(f"{day}-{columns['topic']}-{n}", f"{day} 10:0{n}", **columns) for n in range(count)]


@pytest.fixture(scope="module")
def marts(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Four Fridays with one message on snow each, and a fifth, 30 December, with six on heat: a warning."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    fridays = [row for day in ("02", "09", "16", "23") for row in messages(f"2022-12-{day}", 1, **SNOW)]
    before = [
        *messages("2021-12-04", 3, **SNOW),
        *messages("2021-12-05", 1, **HEAT),
        *messages("2022-11-05", 2, **SNOW),
    ]
    warehouse.history("2021-12-01", "2022-12-31", [*before, *fridays, *messages("2022-12-30", 6, **HEAT)])
    warehouse.model(marts=MARTS)
    return warehouse


def read(marts: TestWarehouse, dataset: str, columns: str, rest: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(marts.settings.dsn("reader")) as connection:
        return ask(connection, dataset, columns, rest)


CARDS = ("warning_state", "title, value_label, before_label, year_ago_label", "order by place")


def test_a_last_day_without_warnings_says_so_and_names_the_latest(marts: TestWarehouse) -> None:
    # Days are judged from 29 January 2022 on: nothing is known of the same days a year before.
    assert read(marts, *CARDS) == [
        (
            "Тревоги за последний день, 31.12.2022",
            "тревог нет",
            "последняя — 30.12.2022: Тепло, Ирбит",
            "сообщений за день — 6, обычно — 0",
        ),
        ("Тревоги за 7 дней", "1", "за 7 дней до этого — 0", ""),
        ("Тревоги за 30 дней", "1", "за 30 дней до этого — 0", "за те же дни годом раньше — нет данных"),
        ("Получено сообщений за декабрь 2022 года", "10", "месяцем раньше — 2", "годом раньше — 4"),
    ]


def test_a_warning_of_the_last_day_is_counted_and_the_strongest_named(marts: TestWarehouse) -> None:
    with psycopg.connect(marts.settings.dsn("transformer")) as connection:
        connection.execute("update marts.mart_early_warning set day = day + 1")
        assert ask(connection, *CARDS)[0] == (
            "Тревоги за последний день, 31.12.2022",
            "1",
            "сильнее всего — Тепло, Ирбит",
            "сообщений за день — 6, обычно — 0",
        )
        connection.rollback()


def test_a_region_too_young_to_be_judged_has_no_data_and_no_all_clear(marts: TestWarehouse) -> None:
    with psycopg.connect(marts.settings.dsn("transformer")) as connection:
        connection.execute("delete from marts.mart_early_warning")
        connection.execute("delete from marts.mart_topic_trend where month < '2022-12-01'")
        assert [card[1] for card in ask(connection, *CARDS)[:3]] == ["нет данных"] * 3
        connection.rollback()


def test_a_warning_stands_with_what_it_was_judged_by(marts: TestWarehouse) -> None:
    columns = "to_char(day, 'YYYY-MM-DD'), topic, municipality, message_count, median_count, mad, threshold_count"
    assert read(marts, "early_warning", f"{columns}, counts_before", "") == [
        ("2022-12-30", "Тепло", "Ирбит", 6, 0, 0, 3, "0, 0, 0, 0")
    ]


def test_topics_of_the_last_month_stand_beside_the_month_and_the_year_before(marts: TestWarehouse) -> None:
    columns = "topic, sum(message_count), @previous_month_label, @change_label, @year_change_label"
    growing = "where is_last_month group by topic order by sum(change_count) desc"
    assert read(marts, "topic_month", columns, growing) == [
        ("Тепло", 6, "0", "+6", "+5 (×6)"),
        ("Снег", 4, "2", "+2 (+100 %)", "+1 (+33 %)"),
    ]


def test_a_month_without_one_to_compare_with_reads_no_data(marts: TestWarehouse) -> None:
    columns = "@previous_month_label, @change_label, @year_change_label"
    assert read(marts, "topic_month", columns, "where month = '2021-12-01'") == [("нет данных",) * 3]
