"""What «Очередь» and «Наш орган власти» tell, on marts built by dbt: their datasets' SQL, worked out by hand."""

from typing import Any

import psycopg
import pytest

from tests.fixtures import datasets
from tests.fixtures.dbt import TestWarehouse, message

MARTS = (
    "fct_incident",
    "mart_backlog_daily",
    "mart_resolution_cohort",
    "mart_repeat_and_reopened",
    "dim_date",
    "mart_as_of",
)
ROADS = {"authority": "Дороги", "municipality": "Реж", "topic": "Дороги"}
WATER = {"authority": "Водоканал", "municipality": "Ирбит", "topic": "Вода"}
SVERDLOVSK = "region_name = 'Свердловская область'"


@pytest.fixture(scope="module")
def marts(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """A year and a month up to 2023-01-01 00:00, and a region known for one day."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    waiting = [
        message("q1", "2022-12-31 09:00", due_at="2023-01-01 09:00", **ROADS),
        message("q2", "2022-12-24 09:00", due_at="2022-12-24 13:00", **ROADS),
        message("q3", "2022-12-21 09:00", first_response_at="2022-12-21 10:00", **ROADS),
        # Called solved without an answer, and open again.
        message(
            "q4",
            "2022-12-31 08:00",
            due_at="2022-12-31 09:00",
            resolved_at="2022-12-31 09:30",
            reopened_at="2022-12-31 10:00",
            reopened_count=1,
            status="reopened",
            **ROADS,
        ),
    ]
    over = [
        message(
            "w1",
            "2021-12-30 09:00",
            due_at="2021-12-30 12:00",
            first_response_at="2022-01-01 09:00",
            resolved_at="2022-01-02 10:00",
            status="resolved",
            **WATER,
        ),
        message(
            "w2",
            "2022-12-20 09:00",
            due_at="2023-01-20 12:00",
            first_response_at="2022-12-25 09:00",
            resolved_at="2022-12-26 10:00",
            status="resolved",
            **WATER,
        ),
    ]
    # Ten of one morning in November: one of an author who wrote before, one opened again, all over by noon.
    morning = [
        message(
            f"m{n}",
            f"2022-11-01 10:0{n}",
            author_hash="A" if n < 2 else f"N{n}",
            first_response_at="2022-11-01 11:00",
            resolved_at="2022-11-01 12:00",
            reopened_count=int(n == 0),
            status="resolved",
            **ROADS,
        )
        for n in range(10)
    ]
    warehouse.history("2021-12-01", "2022-12-31", [*waiting, *over, *morning])
    warehouse.night("2022-12-31", [message("u1", "2022-12-31 12:00")], region="77")
    warehouse.model(marts=MARTS)
    return warehouse


def ask(marts: TestWarehouse, dataset: str, columns: str, rest: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(marts.settings.dsn("reader")) as connection:
        return datasets.ask(connection, dataset, columns, rest)


def cards(marts: TestWarehouse, where: str) -> list[tuple[Any, ...]]:
    labels = "title, @value_label, @week_ago_label, @year_ago_label"
    return ask(marts, "backlog_now", labels, f"where {where} group by title order by @figure_order")


def test_the_cards_tell_what_waits_now_beside_a_week_and_a_year_ago(marts: TestWarehouse) -> None:
    # Now 0, 0, 7 and 10 days old; a week ago 0, 3 and 4; a year ago one of a day.
    assert cards(marts, SVERDLOVSK) == [
        ("В работе", "4", "неделю назад — 3", "год назад — 1"),
        ("Без ответа", "3", "неделю назад — 2", "год назад — 1"),
        ("Просрочено без ответа", "2", "неделю назад — 1", "год назад — 1"),
        ("Средний возраст, дней", "4,3", "неделю назад — 2,3", "год назад — 1,0"),
    ]


def test_an_authority_with_nothing_waiting_has_0_and_no_mean_age(marts: TestWarehouse) -> None:
    assert cards(marts, "authority = 'Водоканал'") == [
        ("В работе", "0", "неделю назад — 1", "год назад — 1"),
        ("Без ответа", "0", "неделю назад — 1", "год назад — 1"),
        ("Просрочено без ответа", "0", "неделю назад — 0", "год назад — 1"),
        ("Средний возраст, дней", "нет данных", "неделю назад — 4,0", "год назад — 1,0"),
    ]


def test_a_day_before_the_first_one_known_reads_no_data_never_0(marts: TestWarehouse) -> None:
    assert cards(marts, "region_name = 'Москва'")[0] == (
        "В работе",
        "1",
        "неделю назад — нет данных",
        "год назад — нет данных",
    )


def test_authorities_stand_by_what_is_overdue_beside_a_week_ago(marts: TestWarehouse) -> None:
    columns = "authority, @overdue_count, @overdue_week_ago_label, @unanswered_count, @open_count"
    ranking = f"where {SVERDLOVSK} group by authority order by @overdue_count desc"
    assert ask(marts, "backlog_now", columns, ranking) == [("Дороги", 2, "1", 3, 4), ("Водоканал", 0, "0", 0, 0)]


def test_weeks_show_the_state_of_sundays_and_of_the_latest_day(marts: TestWarehouse) -> None:
    columns = "to_char(day, 'MM-DD'), sum(open_count), sum(unanswered_count), sum(overdue_count)"
    assert ask(
        marts, "backlog_week", columns, f"where {SVERDLOVSK} and day > '2022-11-30' group by day order by day"
    ) == [("12-25", 3, 1, 1), ("12-31", 4, 3, 2)]


def test_ages_are_told_in_days(marts: TestWarehouse) -> None:
    assert ask(
        marts,
        "backlog_week",
        "age_band, sum(open_count)",
        f"where {SVERDLOVSK} and day = '2022-12-31' group by age_band order by age_band",
    ) == [("0 дней", 2), ("7–29 дней", 2)]


def test_the_list_of_overdue_incidents_is_the_overdue_of_the_latest_day(marts: TestWarehouse) -> None:
    columns = "incident_id, authority, received_label, deadline_label, overdue_label"
    assert ask(marts, "overdue_incident", columns, "order by overdue_days desc") == [
        ("q2", "Дороги", "24.12.2022 09:00", "24.12.2022 13:00", "7 сут 11 ч"),
        ("q4", "Дороги", "31.12.2022 08:00", "31.12.2022 09:00", "15 ч"),
    ]


def shares(marts: TestWarehouse, where: str) -> dict[tuple[str, str], float | None]:
    told = ask(
        marts,
        "resolution_month",
        "cohort, ltrim(horizon, chr(8203)), @resolved_share",
        f"where {SVERDLOVSK} and is_compared and {where} group by cohort, horizon",
    )
    return {(cohort, horizon): None if share is None else float(share) for cohort, horizon, share in told}


def test_the_last_month_stands_beside_the_same_month_of_the_year_before(marts: TestWarehouse) -> None:
    # Of three watched for six days one was resolved; nobody has been watched for thirty.
    assert shares(marts, "true") == {
        ("декабрь 2022", "1 день"): 0,
        ("декабрь 2022", "3 дня"): 0,
        ("декабрь 2022", "7 дней"): 0.333333,
        ("декабрь 2022", "30 дней"): None,
        ("декабрь 2021", "1 день"): 0,
        ("декабрь 2021", "3 дня"): 0,
        ("декабрь 2021", "7 дней"): 1,
        ("декабрь 2021", "30 дней"): 1,
    }


def test_a_chosen_authority_has_its_own_shares_and_two_have_none_together(marts: TestWarehouse) -> None:
    own = shares(marts, "authority = 'Водоканал'")
    assert (own["декабрь 2022", "3 дня"], own["декабрь 2022", "7 дней"]) == (0, 1)
    both = shares(marts, "authority in ('Водоканал', 'Дороги')")
    assert both["декабрь 2022", "7 дней"] is None


def test_horizons_stand_in_the_order_of_days(marts: TestWarehouse) -> None:
    told = ask(marts, "resolution_month", "distinct horizon", "order by horizon")
    assert [horizon.lstrip("\u200b") for (horizon,) in told] == ["1 день", "3 дня", "7 дней", "30 дней"]


def test_what_comes_back_is_ranked_from_ten_on(marts: TestWarehouse) -> None:
    ranking = f"where {SVERDLOVSK} group by authority order by @come_back_order desc"
    # Eleven were over once, two of them are or were open again; of ten authors known one wrote twice.
    assert ask(marts, "come_back_month", "authority, @reopened_label, @repeat_label", ranking) == [
        ("Дороги", "18,2 %", "10,0 %"),
        ("Водоканал", "мало данных", "мало данных"),
    ]
