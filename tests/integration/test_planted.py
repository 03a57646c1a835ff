"""Residents' data planted in every kind of input are in `raw` and where files land, and nowhere else."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from otklik import dbt
from otklik.checks import check_build
from otklik.cli import app
from otklik.demo.standin.world import ChannelPost, Clock, ServiceRequest, World
from otklik.errors import FileError
from otklik.pulls import pull_channel, pull_requests
from otklik.settings import Settings
from otklik.warehouse.publish import publish
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.files import HEADER, MAPPING, ZONE, Centre, csv_text, row
from tests.fixtures.registers import connection, night, register_region, register_surveys, surveys_night
from tests.fixtures.standin import standing_in
from tests.fixtures.surveys import change, survey

NAME, ACCOUNT, LINK = "Прасковья Подсадная", "planted-77001", "https://vk.com/planted77002"
NUMBERS = ("+7 912 345-67-89", "podsadnaya@mail.ru", "112-233-445 95", "2200 7001 2345 6789", "6510 123456")
TEXT = f"Пишет {NAME}: звоните {NUMBERS[0]}, {NUMBERS[1]}; СНИЛС {NUMBERS[2]} карта {NUMBERS[3]} паспорт {NUMBERS[4]}"
# A word of the name is as telling as the whole of it.
PLANTED = ("Подсадная", "подсадная", ACCOUNT, "planted77002", *NUMBERS)

COLUMNS = [*HEADER, "Имя", "Ссылка", "Сообщение", "Телефон"]
FIELDS = MAPPING["fields"] | {"author_name": "Имя", "author_url": "Ссылка", "message_url": "Сообщение"}
DAY = date(2022, 6, 3)
CHANNEL = "@school_meals_66"


def planted(number: int, **cells: str) -> list[str]:
    """A row that tells everything of its author; nobody mapped the column of the phone."""
    told = {"Автор": ACCOUNT, "Текст": TEXT.replace(";", ","), **cells}
    return [*row(str(number), **told), NAME, LINK, f"{LINK}?w=wall1", NUMBERS[0]]


def rows(first: int) -> list[list[str]]:
    """Rows that are loaded, and one refused for each reason that could repeat what it found."""
    return [
        planted(first),
        planted(first + 1, Статус="Потеряно"),
        planted(first + 2, Статус=f"звонить {NUMBERS[0]}"),
        planted(first + 3, Получено=f"паспорт {NUMBERS[4]}"),
        planted(first + 4, Муниципалитет=f"Реж, {NUMBERS[1]}"),
        planted(first, Ответ="15.03.2022 13:00"),
    ]


def load_files(centre: Centre) -> list[str]:
    """Load the rows in each form a file can have, and files that are broken; return what was said of the broken."""
    mapping = {"fields": FIELDS}
    centre.load(centre.write(csv_text(rows(10), COLUMNS)), centre.mapping(**mapping))
    packed = gzip.compress(csv_text(rows(20), COLUMNS).encode("cp1251"))
    centre.load(centre.write(packed, "packed.csv.gz"), centre.mapping(**mapping))
    centre.load(centre.write(_zipped(rows(30)), "zipped.zip"), centre.mapping(**mapping))
    centre.load(centre.write(_workbook(rows(40)), "book.xlsx"), centre.mapping(format="xlsx", **mapping))
    lines = [json.dumps(dict(zip(COLUMNS, cells, strict=True)), ensure_ascii=False) for cells in rows(50)]
    centre.load(centre.write("\n".join(lines), "lines.jsonl"), centre.mapping(format="jsonl", **mapping))
    said = []
    for name, content, form in (
        ("broken.jsonl", f"{lines[0]}\n{lines[1][:-20]}".encode(), "jsonl"),
        ("broken.csv.gz", packed[:-30], "csv"),
        ("broken.csv", f'{csv_text(rows(60), COLUMNS)}70;"{TEXT}'.encode(), "csv"),
        ("headless.csv", csv_text(rows(80), COLUMNS[3:]).encode(), "csv"),
    ):
        try:
            centre.load(centre.write(content, name), centre.mapping(format=form, **mapping))
        except FileError as error:
            said.append(str(error))
    assert len(said) == 2
    return said


def _zipped(told: list[list[str]]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("часть.csv", csv_text(told, COLUMNS))
    return archive.getvalue()


def _workbook(told: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for cells in (COLUMNS, *told):
        book.active.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def load_answers(centre: Centre) -> None:
    """Load requests, complaints and surveys from the systems that hold them."""
    at = datetime.combine(DAY, time(12), ZONE)
    request = ServiceRequest("1", "open", "pit", "Ямы", "Дороги", at, at, description=TEXT, status_notes=TEXT)
    post = ChannelPost(1, 1, at, TEXT, NAME)
    surveys = [survey(system, f"{number}", 4) for number, system in enumerate(("limesurvey", "kobo", "yandex_forms"))]
    world = World(Clock(datetime.combine(DAY, time(23, 59), ZONE)), surveys=surveys, requests=[request], posts=[post])
    for place, each in enumerate(surveys):
        said = dict(each.responses[1].answers) | {"words": TEXT, "pause": NUMBERS[0]}
        change(world, place, 2, answers=said)
    register_region(centre.settings)
    register_surveys(centre.settings, surveys)
    with standing_in(world) as standin:
        surveys_night(standin, centre.settings, DAY)
        pull_requests(connection(standin, "open311"), night(DAY), centre.settings)
        pull_channel(connection(standin, "telegram_channel", chat=CHANNEL), night(DAY), centre.settings)


def found_in_tables(settings: Settings, role: str) -> Iterator[str]:
    """Every table that a role may read and in which it finds something planted."""
    with psycopg.connect(settings.dsn(role)) as connection:
        tables = connection.execute(
            "select nspname, relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
            " where relkind in ('r', 'v', 'm') and nspname not in ('pg_catalog', 'information_schema')"
            " and has_schema_privilege(pg_namespace.oid, 'usage') and has_table_privilege(pg_class.oid, 'select')"
        ).fetchall()
        for schema, name in tables:
            query = "select 1 from {} as told where told::text like any(%s) limit 1"
            named = sql.SQL(query).format(sql.Identifier(schema, name))
            if connection.execute(named, [[f"%{word}%" for word in PLANTED]]).fetchone():
                yield f"{role}: {schema}.{name}"


def found_in(place: str, content: bytes) -> list[str]:
    """Everything planted that stands in a content, as it is or as JSON writes it."""
    forms = {word: (word.encode(), json.dumps(word)[1:-1].encode()) for word in PLANTED}
    return [f"{place}: {word}" for word, written in forms.items() if any(form in content for form in written)]


def found_in_files(settings: Settings) -> Iterator[str]:
    """Everything planted that stands in a file: logs, Data Docs, documentation, reports, artifacts."""
    for path in settings.var.rglob("*"):
        if path.is_file() and not path.is_relative_to(settings.landing) and "postgres" not in path.parts:
            yield from found_in(str(path.relative_to(settings.var)), path.read_bytes())


@pytest.fixture
def centre(cluster: Settings, tmp_path: Path) -> Iterator[Centre]:
    with fresh_warehouse(cluster) as settings:
        yield Centre(settings, tmp_path)


def test_what_residents_said_is_found_nowhere_but_in_raw_and_where_files_land(
    centre: Centre, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = centre.settings
    said = load_files(centre)
    load_answers(centre)
    dbt.build(settings)
    check_build(settings)
    publish(settings)
    dbt.publish_docs(settings)
    output, listed = centre.folder / "2022.zip", centre.folder / "rows.csv"
    told = CliRunner().invoke(app, ["audit", "2022-06-03", "--output", str(output)])
    traced = CliRunner().invoke(app, ["trace", "mean_time_to_respond", "--year", "2022", "--rows", str(listed)])
    assert (told.exit_code, traced.exit_code) == (0, 0), (told.output, traced.output)

    # It can be found where it is.
    assert {where.rpartition(".")[2] for where in found_in_tables(settings, "engineer")} >= {
        "incident",
        "rejected_row",
        "survey_answer",
    }
    found = [
        *(where for role in ("reader", "analyst", "auditor", "publisher") for where in found_in_tables(settings, role)),
        *(where for where in found_in_tables(settings, "transformer") if ": raw." not in where),
        *found_in_files(settings),
        *found_in("rows of a trace", listed.read_bytes()),
        *found_in("what was said", "\n".join([*said, *capfd.readouterr(), told.output, traced.output]).encode()),
    ]
    with zipfile.ZipFile(output) as archive:
        found += [where for name in archive.namelist() for where in found_in(name, archive.read(name))]
    assert found == []
