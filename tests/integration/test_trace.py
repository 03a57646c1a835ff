"""A figure walked back to its rows and files, and what it was on earlier nights."""

import csv
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from otklik.audit.definitions import MetricError, definition
from otklik.cli import app
from tests.fixtures.dbt import TestWarehouse, message

RUNNER = CliRunner()
PHONE, NAME = "+7 912 345-67-89", "Пётр Выдуманный"


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two nights that were published: an answer after an hour; then one after two, and the first one corrected."""
    house = module_dbt_warehouse
    house.region()
    first = house.night("2022-03-01", [answered("1", "2022-03-01 11:00", author_name=NAME, message_text=PHONE)])
    published(house, first, mean=60)
    second = house.night(
        "2022-03-02",
        [answered("2", "2022-03-01 12:00"), answered("1", "2022-03-01 11:30", updated_at="2022-03-02 09:00")],
    )
    house.model(marts=("mart_year_summary", "fct_message", "fct_incident", "fct_page_day"))
    published(house, second, mean=105)
    return house


def answered(name: str, at: str, **others: str) -> dict[str, object]:
    return message(name, "2022-03-01 10:00", status="answered", first_response_at=at, authority="Дороги", **others)


def published(house: TestWarehouse, through: int, mean: int) -> None:
    """Note that a build through this batch was published, and what it showed as the year's mean."""
    build: UUID = uuid4()
    with psycopg.connect(house.settings.dsn("publisher")) as connection:
        connection.execute(
            "insert into quality.build (build_id, started_at, finished_at, success, is_full_refresh, generation,"
            " batches_after, batches_through, otklik_version) values (%s, now(), now(), true, false, 1, %s, %s, '0')",
            (build, through - 1, through),
        )
        [(publication,)] = connection.execute(
            "insert into quality.publication (build_id, decided_at, published) values (%s, %s, true)"
            " returning publication_id",
            (build, f"2022-03-0{through + 1} 02:00+05"),
        )
        connection.execute("update quality.figure set until = %s where until is null", [publication])
        connection.execute(
            "insert into quality.figure"
            " (region_code, metric, period_kind, period_start, scope, authority, value, since)"
            " values ('66', 'mean_time_to_respond', 'year', '2022-01-01', 'region', '', %s, %s)",
            (mean, publication),
        )


def trace(*arguments: str) -> tuple[int, str]:
    ended = RUNNER.invoke(app, ["trace", *arguments])
    return ended.exit_code, ended.output


def test_a_figure_is_walked_back_to_the_rows_of_files(story: TestWarehouse) -> None:
    code, told = trace("mean_time_to_respond", "--year", "2022")
    assert code == 0, told
    lines = told.splitlines()
    assert lines[0] == "Среднее время ответа (mean_time_to_respond), регион 66, 2022"
    assert "На экране:  105 minutes" in lines
    assert "По фактам:  105 minutes, строк: 2 — совпадает" in lines
    assert "Строки файлов: 2, файлов: 1" in lines
    assert "  0 мин" not in told
    at = lines.index("Раньше показывали:")
    assert lines[at + 1] == "  60 → 105 с публикации 03.03.2022 02:00"
    assert lines[at + 2].startswith("    пришло или исправлено строк: 2, 2022-03-02-")


def test_the_query_it_shows_gives_the_figure(story: TestWarehouse) -> None:
    _, told = trace("mean_time_to_respond", "--year", "2022")
    [query] = [line for line in told.splitlines() if line.startswith("  select ")]
    assert story.rows(query, role="analyst") == [(105, 2)]


def test_every_row_behind_it_is_written_with_its_file_and_row(story: TestWarehouse, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    code, told = trace("mean_time_to_respond", "--year", "2022", "--month", "3", "--rows", str(file))
    assert (code, told.splitlines()[-1]) == (0, f"{file}: строк 2")
    rows = {row["incident_id"]: row for row in csv.DictReader(file.open(encoding="utf-8"))}
    assert {name: (row["minutes_to_respond"], row["row_number"]) for name, row in rows.items()} == {
        "1": ("90.000000", "3"),
        "2": ("120.000000", "2"),
    }
    assert {row["file_name"][:10] for row in rows.values()} == {"2022-03-02"}
    assert NAME not in file.read_text("utf-8")
    assert PHONE not in file.read_text("utf-8")


def test_one_authority_has_a_figure_of_its_own(story: TestWarehouse) -> None:
    code, told = trace("mean_time_to_respond", "--year", "2022", "--authority", "Дороги")
    assert code == 0
    assert "По фактам:  105 minutes, строк: 2; на экранах такого числа нет" in told
    assert "строк: 0" in trace("mean_time_to_respond", "--year", "2022", "--authority", "Водоканал")[1]


def test_a_figure_that_does_not_follow_from_its_rows_is_told_and_is_a_failure(story: TestWarehouse) -> None:
    with psycopg.connect(story.settings.dsn("publisher"), autocommit=True) as connection:
        connection.execute("update quality.figure set value = 106 where until is null")
        try:
            code, told = trace("mean_time_to_respond", "--year", "2022")
        finally:
            connection.execute("update quality.figure set value = 105 where until is null")
    assert code == 4
    assert "По фактам:  105 minutes, строк: 2 — НЕ СОВПАДАЕТ" in told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("mean_time", "--year", "2022"), "There is no metric 'mean_time' whose rows are known; there are: audience"),
        (("audience", "--year", "2022", "--region", "99"), "Nothing is published of region '99'"),
    ],
)
def test_what_cannot_be_traced_is_said_with_what_can(
    story: TestWarehouse, arguments: tuple[str, ...], complaint: str
) -> None:
    code, told = trace(*arguments)
    assert code == 1
    assert told.startswith(f"Error: {complaint}")


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(MetricError):
        definition("speed")
