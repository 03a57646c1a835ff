"""«Итоги» of a story worked out by hand: what they say, that it is what the marts and MetricFlow say, when refused."""

import re
import zipfile
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pypandoc
import pytest
from typer.testing import CliRunner, Result

from otklik.cli import app
from otklik.report import period
from otklik.report.document import FIGURES, Report, compile_report
from otklik.report.footnotes import MARK
from tests.fixtures import survey_rows
from tests.fixtures.dbt import TestWarehouse, at, message
from tests.fixtures.metricflow import number, query
from tests.fixtures.metricflow import period as started
from tests.fixtures.pages import authority, page, seen

ROADS, WATER = {"authority": "Дороги", "topic": "Снег"}, {"authority": "Водоканал", "topic": "Вода | *и* стоки"}


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two years of a region; and one of which a broadcast of last year is known and a message of yesterday."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    warehouse.history("2021-01-01", "2022-12-31", [*_messages_of_2021(), *_messages_of_2022()])
    warehouse.night("2022-12-31", [message("u1", "2022-12-30 10:00")], region="77")
    load = warehouse.load
    load("authority", "2022-12-31", [authority("town", "Администрация Режа")])
    pages = [page(name, "town", opened_on="2021-01-10") for name in ("town-vk", "town-ok")]
    load("page", "2022-12-31", [*pages, page("late-vk", "town", opened_on="2022-12-03")])
    counted = {"2021-12-31 20:00": (100, 60, None), "2022-12-31 20:00": (130, 45, 25)}
    snapshots = [
        seen(name, when, members)
        for when, numbers in counted.items()
        for name, members in zip(("town-vk", "town-ok", "late-vk"), numbers, strict=True)
        if members
    ]
    load("page_snapshot", "2022-12-31", snapshots)
    load("survey", "2022-12-31", [survey_rows.survey("park", "Парк", closed_on="2022-03-10")])
    survey_rows.load(
        warehouse,
        "2022-12-31",
        questions=survey_rows.PARK,
        options=survey_rows.PARK_OPTIONS,
        responses=survey_rows.RESPONSES,
        answers=survey_rows.ANSWERS,
    )
    for region, day in (("66", "2021-12-30"), ("66", "2022-03-05"), ("66", "2022-12-30"), ("77", "2021-05-01")):
        load("broadcast", "2022-12-31", [{"broadcast_id": day, "held_at": at(f"{day} 12:00")}], region)
    load(
        "material", "2022-12-31", [{"material_id": f"M{n}", "published_at": at("2022-02-01 12:00")} for n in range(21)]
    )
    warehouse.dbt("run")
    return warehouse


def _messages_of_2021() -> list[dict[str, object]]:
    """Answered after 200 minutes in time, after 210 too late; the mean is 3 h 25 min."""
    first = {"first_response_at": "2021-12-10 13:20", "due_at": "2021-12-10 14:00", "resolved_at": "2021-12-12 10:00"}
    second = {"first_response_at": "2021-12-11 13:30", "due_at": "2021-12-11 12:00"}
    return [message("o1", "2021-12-10 10:00", **first, **ROADS), message("o2", "2021-12-11 10:00", **second, **WATER)]


def _messages_of_2022() -> list[dict[str, object]]:
    """Ten answered after an hour, one after three, one not yet due; the mean is 780 / 11 = 70.9 minutes."""
    roads = [
        message(
            f"r{day}",
            f"2022-03-{day:02} 10:00",
            first_response_at=f"2022-03-{day:02} 11:00",
            due_at=f"2022-03-{day:02} 14:00",
            resolved_at=f"2022-03-{day + 1:02} 10:00",
            **ROADS,
        )
        for day in range(1, 11)
    ]
    water = {"first_response_at": "2022-12-27 13:00", "due_at": "2022-12-27 14:00"} | WATER
    waiting = message("w2", "2022-12-31 23:50", due_at="2023-01-01 12:00", **WATER)
    return [*roads, message("w1", "2022-12-27 10:00", **water), waiting]


@pytest.fixture
def checked(story: TestWarehouse) -> TestWarehouse:
    """The story with the night published and every check passed."""
    (build_id,) = story.rows("select build_id from intermediate.int_build", role="engineer")[0]
    with psycopg.connect(story.settings.dsn("publisher")) as connection:
        connection.execute(
            "insert into quality.build values (%s, now(), now(), true, true, 1, 0, 1, '0') on conflict do nothing",
            [build_id],
        )
        connection.execute("insert into quality.publication (build_id, published) values (%s, true)", [build_id])
    for suite in ("raw", "marts", "reconciliation"):
        check(story, suite, "raw.incident: rows", success=True)
    return story


def check(story: TestWarehouse, suite: str, name: str, severity: str = "critical", *, success: bool) -> None:
    """Note a run of a suite on what people see, with one check."""
    run: UUID = uuid4()
    with psycopg.connect(story.settings.dsn("publisher")) as connection:
        connection.execute(
            "insert into quality.check_run select %s, %s, null, clock_timestamp(), clock_timestamp(), %s, 1, 0, 0,"
            " build_id from quality.publication order by publication_id desc limit 1",
            [run, suite, success],
        )
        connection.execute(
            "insert into quality.check_result (run_id, expectation, severity, success, observed, protects)"
            " values (%s, %s, %s, %s, '2', 'Сообщение считается один раз.')",
            [run, name, severity, success],
        )


def compiled(story: TestWarehouse, of: period.Period, region: str = "66") -> Report:
    with psycopg.connect(story.settings.dsn("auditor"), autocommit=True) as connection:
        return compile_report(connection, region, of, story.settings.zone)


def report(*arguments: str, region: str = "66") -> Result:
    return CliRunner().invoke(app, ["report", *arguments, "--region", region])


def text(file: Path) -> str:
    """What a reader reads, with plain spaces."""
    told = pypandoc.convert_file(str(file), "plain", extra_args=["--wrap=none"])
    return str(told).replace("\u00a0", " ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture
def year(checked: TestWarehouse, folder: Path) -> Path:
    """The page of 2022, its document beside it."""
    file = folder / "itogi-2022-66.html"
    if not file.exists():
        written = report("year", "2022", "--output", str(folder))
        assert written.exit_code == 0, written.output
        assert written.stdout.split() == [str(file), str(file.with_suffix(".docx"))]
    return file


def test_the_year_is_told_in_words(year: Path) -> None:
    told = text(year)
    assert "За 2022 год центр управления регионом обработал 12 сообщений[1] жителей" in told
    assert "на 10 больше, чем в 2021 году (2)." in told
    assert (
        "Первый ответ жители получали в среднем через 1 ч 11 мин[2] — на 2 ч 14 мин быстрее, чем в 2021 году"
        " (3 ч 25 мин)."
    ) in told
    assert "Половине ответили не позже чем через 1 ч[3], девяти из десяти — не позже чем через 1 ч[4]." in told
    assert "Доля ответов в срок составила 100,0 %[5] — на 50,0 п. п. выше, чем в 2021 году (50,0 %)." in told
    assert "Решено 10 проблем[6] жителей — на 9 больше, чем в 2021 году (1)." in told
    assert "Завершён 1 социологический опрос[7] — сравнить не с чем: в 2021 году нет данных." in told
    assert (
        "Проведено 2 прямых эфира[8] с главами муниципалитетов и ведомств — на 1 больше, чем в 2021 году (1)." in told
    )
    assert "Опубликован 21 информационный материал[9] — сравнить не с чем: в 2021 году нет данных." in told
    assert "На конец 2022 года работало 3 госпаблика[10] органов власти — на 1 больше" in told
    # 200 after 160; of the pages there were at both ends 175 after 160.
    assert "Их общая аудитория — 200 подписчиков[11] — на 40 (25,0 %) больше, чем на конец 2021 года (160)." in told
    assert "За 365 дней она выросла на 25,0 %[12], а аудитория страниц" in told
    assert "и тогда, и сейчас, выросла на 9,4 %[13]." in told


def test_the_year_tells_why_who_and_what_about(year: Path) -> None:
    told = text(year)
    assert "Среднее время ответа на 2 ч 14 мин[18] меньше, чем в 2021 году." in told
    assert "Дороги (вклад −" in told
    assert "было 3 ч 20 мин, стало 1 ч)" in told
    assert "Место получил 1 орган власти[19]: оно даётся тем, кто за период ответил не меньше 10 раз" in told
    assert "Без места, потому что мало данных, — 1 орган власти: Водоканал." in told
    assert re.search(r"Дороги +10 +1 ч +1 ч +100,0 %", told)
    assert "Чаще всего писали на темы: «Снег» — 83,3 %, «Вода | *и* стоки» — 16,7 % всех" in told
    assert "Больше всего прибавила тема «Снег»: на 9 сообщений больше, чем в 2021 году." in told
    assert re.search(r"Вода \| \*и\* стоки +2 +16,7 % +1 +\+1\n", told)
    # Three of four said yes.
    assert "Нужен ли парк? — «Да»: 75,0 % (30,1–95,4 %), n = 4" in told
    assert re.search(r"ВКонтакте +2 +155 +\+55,0 % +\+30,0 %", told)


def test_the_page_asks_for_nothing_outside_itself(year: Path) -> None:
    page_text = year.read_text("utf-8")
    addresses = re.findall(r"(?:src|srcset|href|action|data|poster)=\"([^\"]*)\"|url\(([^)]*)\)", page_text)
    assert {re.split(r"[\d:]", one)[0] for found in addresses for one in found if one} == {"#fn", "#fnref", "data"}
    assert page_text.count("data:image/svg+xml") == 5
    assert not re.search(r"<(script|link|iframe|object)\b|@import|https?://", page_text)


def test_the_document_says_the_same_with_footnotes_of_word(year: Path) -> None:
    document = year.with_suffix(".docx")
    # Where a page repeats a number that leads to a footnote, the document repeats the number.
    assert _words(text(document)) == _words(text(year).replace("Итоги 2022 года\n\n", "", 1))
    with zipfile.ZipFile(document) as archive:
        footnotes = archive.read("word/footnotes.xml").decode()
        body = archive.read("word/document.xml").decode()
        assert len([name for name in archive.namelist() if name.startswith("word/media/")]) == 5
    assert body.count("<w:footnoteReference ") == len(re.findall(r"<w:footnote w:id=", footnotes)) == 22
    assert all(name in footnotes for name in FIGURES)


def _words(told: str) -> list[str]:
    """The words without the lines of tables, and pictures without their frames: a page has no frames."""
    return re.sub(r"[-–]{4,}|[\[\]↩︎¹²³⁴⁵⁶⁷⁸⁹⁰]|\(\d+\)|\^", "", told).split()


def test_a_footnote_says_metric_definition_query_moment_and_checks(year: Path) -> None:
    [told] = [line for line in text(year).splitlines() if "(problems_resolved)" in line]
    assert "Решено проблем жителей (problems_resolved). Сообщения тех инцидентов, которые решены" in told
    assert (
        "Запрос: select told.starts, told.ends, (select coalesce(sum(message_count), 0) from marts.fct_incident" in told
    )
    assert "Данные на 01.01.2023 00:00. Пройдены 3 проверки, замечаний нет." in told


def test_a_footnotes_query_gives_the_numbers_to_whom_may_see_the_marts(checked: TestWarehouse) -> None:
    told = compiled(checked, period.year("2022"))
    asked = {note.name: note.query for note in told.cited()}
    assert [value for _, _, value in checked.rows(told.figures["messages_processed"].query)] == [12, 2]
    assert [checked.rows(text_of) != [] for text_of in asked.values()] == [True] * len(asked)


@pytest.mark.parametrize("of", [2021, 2022])
def test_every_figure_of_a_year_is_that_of_the_summary_on_the_screens(checked: TestWarehouse, of: int) -> None:
    told = compiled(checked, period.year(str(of)))
    summary = checked.rows(
        "select metric, value, value_previous_year from marts.mart_year_summary where region_code = '66' and year = %s",
        of,
    )
    before = period.year(str(of)).compared()[0]
    assert {name: (figure.values[told.period], figure.values[before]) for name, figure in told.figures.items()} == (
        dict.fromkeys(FIGURES, (None, None)) | {metric: (value, then) for metric, value, then in summary}
    )


@pytest.mark.parametrize(
    ("of", "grain", "starts"),
    [
        (period.month("2022-12"), "month", date(2022, 12, 1)),
        (period.month("2022-03"), "month", date(2022, 3, 1)),
        (period.week("2022-W52"), "week", date(2022, 12, 26)),
    ],
)
def test_every_figure_of_a_month_or_week_is_its_metric(
    checked: TestWarehouse, of: period.Period, grain: str, starts: date
) -> None:
    told = compiled(checked, of)
    answer = query(told.figures, f"metric_time__{grain}", "region")[started(starts), "66"]
    assert {name: number(figure.values[told.period]) for name, figure in told.figures.items()} == answer


def test_a_week_is_told_through_the_last_day_that_is_known(checked: TestWarehouse, tmp_path: Path) -> None:
    assert report("week", "2022-W52", "--output", str(tmp_path)).exit_code == 0
    told = text(tmp_path / "itogi-2022-W52-66.html")
    assert "Период не закончен: учтены дни с 26.12.2022 по 31.12.2022" in told
    assert "За неделю 26.12.2022–01.01.2023 центр управления регионом обработал 2 сообщения[1] жителей" in told
    assert "на 2 больше, чем за те же дни неделей раньше (0), и на 2 больше, чем за те же дни годом раньше (0)." in told
    assert "в среднем через 3 ч[2]" in told
    assert "за те же дни неделей раньше нет данных" in told
    assert "В срок дано 100,0 %[5] ответов" in told
    assert "Завершено опросов: 0[7] — столько же, сколько за те же дни неделей раньше" in told
    assert "Проведён 1 прямой эфир[8]" in told


def test_what_nothing_is_known_of_reads_no_data(checked: TestWarehouse, tmp_path: Path) -> None:
    assert report("month", "2021-06", "--output", str(tmp_path), region="77").exit_code == 0
    told = text(tmp_path / "itogi-2021-06-77.html")
    assert "Обработано сообщений: нет данных[1]." in told
    assert "Аудитория госпабликов: нет данных[" in told
    assert "Проведено прямых эфиров: 0[6] — на 1 меньше, чем в мае 2021 года (1); в июне 2020 года нет данных." in told
    assert "Нет данных: сравнить время ответа не с чем." in told


def test_a_report_whose_checks_failed_is_refused_by_name(checked: TestWarehouse, tmp_path: Path) -> None:
    check(checked, "marts", "marts.fct_message: counted_once", success=False)
    refused = report("year", "2022", "--output", str(tmp_path))
    assert refused.exit_code == 5
    assert "не пройдены проверки, на которых держатся его числа" in refused.stderr
    assert "«Сообщение считается один раз.» (marts.fct_message: counted_once; найдено: 2)" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_draft_marks_what_stands_on_failed_checks_and_nothing_else(checked: TestWarehouse, tmp_path: Path) -> None:
    check(checked, "marts", "marts.fct_message: counted_once", success=False)
    assert report("year", "2022", "--output", str(tmp_path), "--draft").exit_code == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["itogi-2022-66-draft.docx", "itogi-2022-66-draft.html"]
    for file in tmp_path.iterdir():
        told = text(file)
        assert "ЧЕРНОВИК, не для публикации." in told
        assert f"обработал 12 сообщений{MARK}[1] жителей" in told
        assert "Решено 10 проблем[6] жителей" in told
        assert "Опубликован 21 информационный материал[9]" in told
        [footnote] = [line for line in told.splitlines() if "Обработано сообщений (messages_processed)" in line][:1]
        assert "НЕ ПРОЙДЕНЫ ПРОВЕРКИ: «Сообщение считается один раз.»" in footnote
    assert "<title>Итоги 2022 года — черновик</title>" in (tmp_path / "itogi-2022-66-draft.html").read_text("utf-8")


def test_a_check_of_rows_that_the_numbers_are_made_of_counts(checked: TestWarehouse, tmp_path: Path) -> None:
    check(checked, "raw", "raw.survey_answer: option_is_known", success=False)
    told = compiled(checked, period.year("2022"))
    broken = {note.name for note in told.cited() if not note.verdict.holds}
    assert broken == {"mart_survey_summary"}


def test_a_warning_is_told_and_does_not_stop_a_report(checked: TestWarehouse, tmp_path: Path) -> None:
    check(checked, "marts", "marts.fct_material: many", "warning", success=False)
    assert report("month", "2022-03", "--output", str(tmp_path)).exit_code == 0
    told = text(tmp_path / "itogi-2022-03-66.html")
    assert "Проверки данных пройдены с замечаниями: «Сообщение считается один раз.» (marts.fct_material: many" in told
    assert "ЧЕРНОВИК" not in told


def test_a_check_of_what_no_number_stands_on_does_not_stop_a_report(checked: TestWarehouse) -> None:
    check(checked, "marts", "marts.mart_early_warning: rows", success=False)
    assert compiled(checked, period.year("2022")).holds


def test_a_night_that_nobody_checked_is_refused(checked: TestWarehouse, tmp_path: Path) -> None:
    with psycopg.connect(checked.settings.dsn("publisher")) as connection:
        connection.execute("insert into quality.publication (build_id, published) values (null, true)")
    refused = report("year", "2022", "--output", str(tmp_path))
    assert refused.exit_code == 5
    assert "проверки показанных данных не проводились" in refused.stderr


def test_a_night_that_is_not_published_is_told(checked: TestWarehouse, tmp_path: Path) -> None:
    with psycopg.connect(checked.settings.dsn("publisher")) as connection:
        connection.execute("insert into quality.publication (published, reason) values (false, 'расчёт не завершён')")
    assert report("month", "2022-03", "--output", str(tmp_path)).exit_code == 0
    assert "Последняя ночь не опубликована: расчёт не завершён." in text(tmp_path / "itogi-2022-03-66.html")


def test_of_several_regions_one_must_be_named(checked: TestWarehouse) -> None:
    asked = CliRunner().invoke(app, ["report", "year", "2022"])
    assert asked.exit_code == 1
    assert "Name the region with --region; there are: 66 (Свердловская область), 77 (Москва)" in asked.stderr


def test_reports_go_to_the_folder_of_the_installation(checked: TestWarehouse) -> None:
    assert report("month", "2022-02").exit_code == 0
    assert (checked.settings.var / "reports" / "itogi-2022-02-66.docx").exists()
