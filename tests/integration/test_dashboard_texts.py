"""What the dashboard's own SQL tells a reader, on marts built by dbt: texts worked out by hand."""

from typing import Any

import psycopg
import pytest

from otklik.dashboards.assets import read_assets
from tests.fixtures.dbt import MARTS, TestWarehouse, message

DATASETS = read_assets()["datasets"]


def answers(prefix: str, count: int, answered_at: str, due_at: str, authority: str) -> list[dict[str, Any]]:
    return [
        message(
            f"{prefix}{n}",
            "2022-12-05 10:00",
            first_response_at=f"2022-12-05 {answered_at}",
            due_at=f"2022-12-05 {due_at}",
            authority=authority,
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def marts(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """One night: ten answers after an hour, nine after ten hours, eleven after two hours and a half, too late."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.night(
        "2022-12-31",
        answers("r", 10, "11:00", "14:00", "Дороги")
        + answers("w", 9, "20:00", "21:00", "Водоканал")
        + answers("h", 11, "12:30", "12:00", "Больница"),
        rejected=1500,
    )
    warehouse.model(marts=(*MARTS, "mart_year_summary"))
    return warehouse


def ask(marts: TestWarehouse, query: str) -> list[tuple[Any, ...]]:
    """The answer a reader gets; the query is sent as it is, per cent signs and all."""
    with psycopg.connect(marts.settings.dsn("reader")) as connection:
        return connection.execute(query).fetchall()


def tell_year(marts: TestWarehouse, *figures: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Write `figures` (year, metric, value, previous, first, unit) as the year summary; what a reader then sees."""
    with psycopg.connect(marts.settings.dsn("transformer")) as connection:
        connection.execute("delete from marts.mart_year_summary")
        connection.cursor().executemany(
            "insert into marts.mart_year_summary"
            " (region_code, year, metric, value, value_previous_year, value_first_year, unit)"
            " values ('66', %s, %s, %s, %s, %s, %s)",
            figures,
        )
    shown = ask(
        marts,
        f"select title, value_label, change_label, first_label from ({DATASETS['year_summary']['sql']}) as d"  # noqa: S608
        " order by place",
    )
    return [tuple(text.replace("\u00a0", " ") for text in row) for row in shown]


def test_the_years_mean_is_told_beside_last_year_and_the_first(marts: TestWarehouse) -> None:
    metric = "mean_time_to_respond"
    assert tell_year(
        marts,
        (2020, metric, 430, None, 430, "minutes"),
        (2021, metric, 206, 430, 430, "minutes"),
        (2022, metric, 148, 206, 430, "minutes"),
    ) == [
        (
            "Среднее время ответа за 2022 год",
            "2 ч 28 мин",
            "на 58 мин быстрее, чем в 2021 году (3 ч 26 мин)",
            "в 2020 году — 7 ч 10 мин, в 2,9 раза дольше",
        )
    ]


def test_a_difference_is_that_of_the_numbers_shown(marts: TestWarehouse) -> None:
    shown = tell_year(marts, (2022, "mean_time_to_respond", "147.6", "206.4", "206.4", "minutes"))
    assert shown[0][1:3] == ("2 ч 28 мин", "на 58 мин быстрее, чем в 2021 году (3 ч 26 мин)")


def test_a_slower_year_says_so(marts: TestWarehouse) -> None:
    shown = tell_year(marts, (2022, "mean_time_to_respond", 160, 100, 100, "minutes"))
    assert shown[0][2] == "на 1 ч медленнее, чем в 2021 году (1 ч 40 мин)"


def test_counts_and_shares_are_written_as_a_russian_reader_does(marts: TestWarehouse) -> None:
    assert tell_year(
        marts,
        (2022, "messages_processed", 54548, 48211, 6120, "messages"),
        (2022, "problems_resolved", 54012, 54012, 5900, "messages"),
        (2022, "on_time_share", "0.93124", "0.9402", "0.71", "share"),
    ) == [
        ("Обработано сообщений за 2022 год", "54 548", "на 6 337 больше, чем в 2021 году (48 211)", ""),
        ("Решено проблем жителей за 2022 год", "54 012", "столько же, сколько в 2021 году (54 012)", ""),
        ("Ответы в срок за 2022 год", "93,1 %", "на 0,9 п. п. меньше, чем в 2021 году (94,0 %)", ""),
    ]


def test_the_unknown_reads_no_data_never_zero(marts: TestWarehouse) -> None:
    assert tell_year(
        marts,
        (2022, "mean_time_to_respond", None, None, None, "minutes"),
        (2022, "on_time_share", None, "0.5", "0.5", "share"),
    ) == [
        ("Среднее время ответа за 2022 год", "нет данных", "сравнить не с чем", ""),
        ("Ответы в срок за 2022 год", "нет данных", "сравнить не с чем", ""),
    ]


def test_a_year_still_running_is_not_compared_by_its_counts(marts: TestWarehouse) -> None:
    assert tell_year(marts, (2023, "messages_processed", 100, 54548, 54548, "messages")) == [
        ("Обработано сообщений с начала 2023 года", "100", "за весь 2022 год — 54 548", "")
    ]


def test_the_line_above_says_as_of_when_and_what_was_rejected(marts: TestWarehouse) -> None:
    shown = ask(marts, f"select as_of_label, checks_label, rows_label from ({DATASETS['as_of']['sql']}) as d")  # noqa: S608
    assert shown == [
        (
            "Данные на 01.01.2023 00:00",
            "Проверки данных ещё не проведены",
            "За последнюю ночь прочитано строк: 1\u00a0530, отклонено: 1\u00a0500",
        )
    ]


def test_a_night_that_was_not_published_is_said_to_be_in_the_line_above(marts: TestWarehouse) -> None:
    def label() -> str:
        [(told,)] = ask(marts, f"select checks_label from ({DATASETS['as_of']['sql']}) as d")  # noqa: S608
        return str(told)

    with psycopg.connect(marts.settings.dsn("publisher"), autocommit=True) as connection:
        decide = "insert into quality.publication (published, reason) values (%s, %s)"
        connection.execute(decide, (False, "не пройдены критические проверки: 2"))
        assert label() == (
            "Последняя ночь не опубликована: не пройдены критические проверки: 2."
            " Показаны данные предыдущей, проверенные"
        )
        connection.execute(decide, (True, None))
        assert label() == "Проверки данных ещё не проведены"


def test_the_ranking_puts_the_slow_first_and_too_few_answers_last(marts: TestWarehouse) -> None:
    dataset = DATASETS["incident"]
    metrics = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    shown = ("answered", "mean_label", "median_label", "p90_label", "on_time_label")
    ranking = ask(
        marts,
        f"select authority, {', '.join(metrics[name] for name in shown)} from ({dataset['sql']}) as d"  # noqa: S608
        f" group by authority order by {metrics['slowness']} desc",
    )
    few = "мало данных"
    assert [tuple(str(cell).replace("\u00a0", " ") for cell in row) for row in ranking] == [
        ("Больница", "11", "2 ч 30 мин", "2 ч 30 мин", "2 ч 30 мин", "0,0 %"),
        ("Дороги", "10", "1 ч", "1 ч", "1 ч", "100,0 %"),
        ("Водоканал", "9", few, few, few, few),
    ]


def test_the_bars_of_waiting_stand_in_the_order_of_time(marts: TestWarehouse) -> None:
    bars = ask(
        marts,
        f'select band, count(*) from ({DATASETS["incident"]["sql"]}) as d group by band order by band collate "C"',  # noqa: S608
    )
    assert [(text.lstrip("\u200b"), count) for text, count in bars] == [("1–2 ч", 10), ("2–4 ч", 11), ("8–24 ч", 9)]


def test_a_month_stands_beside_the_same_month_of_the_year_before(marts: TestWarehouse) -> None:
    dataset = DATASETS["response_day"]
    with psycopg.connect(marts.settings.dsn("transformer")) as connection:
        connection.execute(
            "insert into marts.mart_time_to_respond select region_code, day - interval '1 year', authority,"
            " municipality_code, municipality, topic, channel, answered_count, 2 * minutes_sum,"
            " 2 * working_minutes_sum, with_working_minutes_count,"
            " with_deadline_count, on_time_count, histogram from marts.mart_time_to_respond"
        )
    # 10 × 1 h, 9 × 10 h and 11 × 2,5 h: 127,5 h over 30 answers; the year before twice that.
    assert ask(
        marts,
        f"select to_char(day, 'YYYY-MM'), series, {dataset['metrics'][0]['expression']}"  # noqa: S608
        f" from ({dataset['sql']}) as d group by 1, 2 order by 1, 2",
    ) == [
        ("2021-12", "Среднее за месяц", 8.5),
        ("2022-12", "Среднее за месяц", 4.25),
        ("2022-12", "Тот же месяц годом ранее", 8.5),
    ]
