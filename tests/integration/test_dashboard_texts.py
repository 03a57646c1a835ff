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
    warehouse.model(marts=(*MARTS, "dim_channel", "mart_topic_trend", "mart_year_summary"))
    return warehouse


def ask(marts: TestWarehouse, query: str) -> list[tuple[Any, ...]]:
    """The answer a reader gets; the query is sent as it is, per cent signs and all."""
    with psycopg.connect(marts.settings.dsn("reader")) as connection:
        return connection.execute(query).fetchall()


def tell_year(
    marts: TestWarehouse, *figures: tuple[Any, ...], columns: str = "title, value_label, change_label, first_label"
) -> list[tuple[Any, ...]]:
    """Write `figures` (year, metric, value, previous, first, unit) as the summary; what is seen of the last year."""
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
        f"select {columns} from ({DATASETS['year_summary']['sql']}) as d"  # noqa: S608
        f" where year = '{max(figure[0] for figure in figures)}' order by place",
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


def test_pages_and_their_audience_are_told_of_the_last_day(marts: TestWarehouse) -> None:
    assert tell_year(
        marts,
        (2021, "pages_working", 1787, None, 1787, "pages"),
        (2022, "pages_working", 3000, 1787, 1787, "pages"),
        (2022, "audience", 2047318, 1439465, 1439465, "people"),
        (2022, "audience_growth_share", "0.422277", None, "0.422277", "share"),
        (2022, "audience_like_for_like_growth_share", "-0.0123", "0.3041", "0.3041", "share"),
    ) == [
        ("Работающих госпабликов к концу 2022 года", "3 000", "на 1 213 больше, чем в 2021 году (1 787)", ""),
        ("Аудитория госпабликов к концу 2022 года", "2 047 318", "на 607 853 больше, чем в 2021 году (1 439 465)", ""),
        ("Прирост аудитории за год к концу 2022 года", "42,2 %", "сравнить не с чем", ""),
        (
            "Сопоставимый прирост за год к концу 2022 года",
            "−1,2 %",
            "на 31,6 п. п. меньше, чем в 2021 году (30,4 %)",
            "",
        ),
    ]


def test_what_began_two_years_ago_and_earlier_is_told_beside_its_first_year(marts: TestWarehouse) -> None:
    shown = tell_year(
        marts,
        (2020, "surveys_completed", 3, None, 3, "surveys"),
        (2021, "surveys_completed", 22, 3, 3, "surveys"),
        (2022, "surveys_completed", 40, 22, 3, "surveys"),
        (2022, "broadcasts_held", 20, 12, 1, "broadcasts"),
        (2022, "materials_published", 1537, 1184, 96, "materials"),
    )
    assert shown == [
        ("Завершено опросов за 2022 год", "40", "на 18 больше, чем в 2021 году (22)", "в 2020 году — 3"),
        ("Проведено прямых эфиров за 2022 год", "20", "на 8 больше, чем в 2021 году (12)", ""),
        ("Опубликовано материалов за 2022 год", "1 537", "на 353 больше, чем в 2021 году (1 184)", ""),
    ]


def test_a_figure_leads_to_its_definition_and_to_the_next_question(marts: TestWarehouse) -> None:
    assert tell_year(
        marts,
        (2022, "mean_time_to_respond", 148, 206, 430, "minutes"),
        (2022, "broadcasts_held", 20, 12, 1, "broadcasts"),
        columns="title_linked, more_linked",
    ) == [
        (
            '<a href="/help/metrics#mean_time_to_respond">Среднее время ответа</a> за 2022 год',
            '<a href="/superset/dashboard/vremya-otveta/">кто дольше других →</a>',
        ),
        ('<a href="/help/metrics#broadcasts_held">Проведено прямых эфиров</a> за 2022 год', ""),
    ]


def test_steps_from_last_years_mean_to_this_years_add_up(marts: TestWarehouse) -> None:
    tell_year(marts, (2022, "mean_time_to_respond", 148, 206, 430, "minutes"))
    with psycopg.connect(marts.settings.dsn("transformer")) as connection:
        connection.execute("delete from marts.mart_response_change")
        connection.cursor().executemany(
            "insert into marts.mart_response_change (region_code, period_kind, period_start, compared_with,"
            " compared_start, dimension, member, answered_count, answered_count_before, mean_minutes,"
            " mean_minutes_before, mix_minutes, rate_minutes, change_minutes, whole_change_minutes)"
            " values ('66', 'year', '2022-01-01', 'previous_year', '2021-01-01',"
            " %s, %s, 10, 8, 60, %s, %s, %s, %s, -58)",
            [
                ("authority", "Дороги", 130, "-1.5", -70, "-71.5"),
                ("authority", "Больница", None, "0.5", 13, "13.5"),
                ("topic", None, 118, 0, -58, -58),
            ],
        )
    steps = ask(
        marts,
        f"select step, part, sum(change_minutes) from ({DATASETS['response_bridge']['sql']}) as d"  # noqa: S608
        " where year = '2022' group by step, part order by step, part",
    )
    assert steps == [
        ("2021", "Среднее время ответа", 206),
        ("2021 1", "Быстрее", -70),
        ("2021 2", "Дольше", 13),
        ("2021 3", "Состав", -1),
        ("2022", "Среднее время ответа", 148),
    ]
    assert sum(minutes for _, _, minutes in steps[:-1]) == steps[-1][2]
    parts = ask(
        marts,
        "select place, coalesce(authority, topic), change_label, mean_label, mean_before_label"  # noqa: S608
        f" from ({DATASETS['response_change']['sql']}) as d where year = '2022' order by dimension, place",
    )
    assert [tuple(str(cell).replace("\u00a0", " ") for cell in row) for row in parts] == [
        ("1", "Дороги", "−71,5 мин", "1 ч", "2 ч 10 мин"),
        ("2", "Больница", "+13,5 мин", "1 ч", "нет данных"),
        ("1", "не указано", "−58,0 мин", "1 ч", "1 ч 58 мин"),
    ]


def test_filters_offer_what_charts_write(marts: TestWarehouse) -> None:
    def offered(column: str) -> set[str]:
        sql = DATASETS[f"list_{column}"]["sql"]
        return {value for (value,) in ask(marts, f"select {column} from ({sql}) as d")}  # noqa: S608

    assert offered("authority") == {"Дороги", "Водоканал", "Больница"}
    assert offered("municipality") == offered("topic") == {"не указано"}
    assert {"ВКонтакте", "MAX", "Другое", "не указано"} <= offered("channel")
    for column in ("authority", "municipality", "topic", "channel"):
        written = f"select distinct {column} from ({DATASETS['first_response']['sql']}) as d"  # noqa: S608
        assert {value for (value,) in ask(marts, written)} <= offered(column)


@pytest.mark.parametrize(
    ("held", "offered"),
    [
        ({2021: 1, 2022: 1, 2023: 1}, ["2022", "2021", "2023"]),
        # A source that is read no more has nothing to show of its last years.
        ({2020: 1, 2021: 1, 2022: 0}, ["2021", "2020", "2022"]),
    ],
)
def test_the_latest_full_year_in_which_there_was_anything_is_offered_first(
    marts: TestWarehouse, held: dict[int, int], offered: list[str]
) -> None:
    tell_year(marts, *((year, "broadcasts_held", count, 1, 1, "broadcasts") for year, count in held.items()))
    dataset = DATASETS["list_year"]
    order = dataset["metrics"][0]["expression"]
    years = ask(marts, f"select year from ({dataset['sql']}) as d group by year order by {order}")  # noqa: S608
    assert [year for (year,) in years] == offered


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
    dataset = DATASETS["first_response"]
    metrics = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"] if "expression" in metric}
    shown = ("mean_label", "median_label", "p90_label", "on_time_label")
    ranking = ask(
        marts,
        f"select authority, count(*), {', '.join(metrics[name] for name in shown)} from ({dataset['sql']}) as d"  # noqa: S608
        f" group by authority order by {metrics['slowness']} desc",
    )
    few = "мало данных"
    assert [tuple(str(cell).replace("\u00a0", " ") for cell in row) for row in ranking] == [
        ("Больница", "11", "2 ч 30 мин", "2 ч 30 мин", "2 ч 30 мин", "0,0 %"),
        ("Дороги", "10", "1 ч", "1 ч", "1 ч", "100,0 %"),
        ("Водоканал", "9", few, few, few, few),
    ]


def test_the_bars_of_waiting_stand_in_the_order_of_time(marts: TestWarehouse) -> None:
    sql = DATASETS["first_response"]["sql"]
    bars = ask(marts, f'select band, count(*) from ({sql}) as d group by band order by band collate "C"')  # noqa: S608
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
        "select to_char(day, 'YYYY-MM'), series, sum(minutes_sum) / sum(answered_count) / 60"  # noqa: S608
        f" from ({dataset['sql']}) as d group by 1, 2 order by 1, 2",
    ) == [
        ("2021-12", "Среднее за месяц", 8.5),
        ("2022-12", "Годом ранее", 8.5),
        ("2022-12", "Среднее за месяц", 4.25),
    ]
