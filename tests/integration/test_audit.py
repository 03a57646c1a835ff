"""The archive of a year's figures: what it holds, and that nothing in it can be altered without being seen."""

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from otklik import dbt
from otklik.audit.definitions import definitions
from otklik.audit.signing import public_key
from otklik.audit.verify import ArchiveError, verify
from otklik.checks import check_build
from otklik.cli import app
from otklik.retention import retire
from otklik.settings import Settings
from otklik.warehouse.publish import publish
from tests.fixtures.cluster import fresh_warehouse
from tests.fixtures.files import NIGHT, Centre, row

RUNNER = CliRunner()
PHONE, AUTHOR = "+7 912 345-67-89", "vk-resident-77001"


@pytest.fixture(scope="module")
def centre(cluster: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre whose one file was loaded, built, checked and published: three rows, one of them refused."""
    with fresh_warehouse(cluster) as settings:
        centre = Centre(settings, tmp_path_factory.mktemp("centre"))
        centre.load_rows(
            row("1", Автор=AUTHOR, Текст=f"Позвоните {PHONE}"),
            row("2", Ответ="15.03.2022 13:30", Изменено="15.03.2022 13:30"),
            row("3", Статус="Потеряно", Автор=AUTHOR, Текст=f"Позвоните {PHONE}"),
        )
        assert {result.status for result in dbt.build(settings)} == {"success"}
        check_build(settings)
        publish(settings)
        yield centre


@pytest.fixture(scope="module")
def archive(centre: Centre) -> Path:
    file = centre.folder / "2022.zip"
    ended = RUNNER.invoke(app, ["audit", "2022-03-15", "--output", str(file)])
    assert ended.exit_code == 0, ended.output
    assert ended.output.splitlines()[-1] == (
        f"{file}: {len(definitions())} figures, signed with the key {public_key(centre.settings.audit_key)}"
    )
    return file


@pytest.fixture
def copy(archive: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(archive, tmp_path / "copy.zip"))


def verified(file: Path, *options: str) -> tuple[int, str]:
    ended = RUNNER.invoke(app, ["audit", "verify", str(file), *options])
    return ended.exit_code, ended.output


def table(archive: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(archive) as opened:
        return list(csv.DictReader(io.StringIO(opened.read(name).decode())))


def rewritten(file: Path, name: str, content: bytes | None) -> None:
    """Put another content in the place of a file of the archive, or leave it out, as whoever forges it would."""
    with zipfile.ZipFile(file) as opened:
        parts = {each: opened.read(each) for each in opened.namelist()}
    parts.pop(name, None)
    if content is not None:
        parts[name] = content
    with zipfile.ZipFile(file, "w") as opened:
        for each, told in parts.items():
            opened.writestr(each, told)


def test_a_figure_stands_with_its_definition_its_query_and_its_rows(centre: Centre, archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        mean = json.loads(opened.read("figures/mean_time_to_respond.json"))
    assert (mean["value"], mean["row_count"]) == ("180", 2) or float(mean["value"]) == 180
    assert mean["definition"]["label"] == "Среднее время ответа"
    assert [float(shown["value"]) for shown in mean["shown"]] == [180]
    rows = table(archive, mean["rows"])
    assert {each["incident_id"]: (float(each["minutes_to_respond"]), each["row_number"]) for each in rows} == {
        "1": (150, "2"),
        "2": (210, "3"),
    }
    with psycopg.connect(centre.settings.dsn("analyst")) as connection:
        assert [float(value) for value, _ in connection.execute(mean["query"])] == [180]


def test_what_came_and_what_was_checked_is_there(archive: Path) -> None:
    [file] = table(archive, "inputs.csv")
    assert (file["state"], file["found_sha256"]) == ("same", file["content_sha256"])
    [batch] = table(archive, "ledger.csv")
    assert (batch["rows_read"], batch["rows_loaded"], batch["rows_rejected"]) == ("3", "2", "1")
    [refused] = table(archive, "rejected.csv")
    assert "Потеряно" in refused["reasons"]
    assert {check["held"] for check in table(archive, "checks.csv") if check["severity"] == "critical"} == {"True"}
    [incident] = [each for each in table(archive, "reconciliation.csv") if each["entity"] == "incident"]
    assert (incident["landed_count"], incident["mart_count"], incident["unexplained_count"]) == ("3", "2", "0")
    with zipfile.ZipFile(archive) as opened:
        versions = json.loads(opened.read("versions.json"))
    assert {"requirements.txt", "otklik/dbt.py", "dbt_project/models/marts/mart_year_summary.sql"} <= set(
        versions["files"]
    )


def test_nothing_in_it_is_personal(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        said = [(name, opened.read(name).decode()) for name in opened.namelist()]
    assert [name for name, text in said if PHONE in text or AUTHOR in text or "912 345" in text] == []


def test_it_is_verified_and_its_figures_follow_from_the_rows(archive: Path) -> None:
    code, told = verified(archive, "--warehouse")
    assert code == 0, told
    assert told.splitlines()[-1] == f"  all {len(definitions())} figures follow from the rows of the warehouse"


def test_whoever_has_the_public_key_needs_nothing_else(centre: Centre, archive: Path) -> None:
    assert verified(archive, "--public-key", public_key(centre.settings.audit_key))[0] == 0


def test_one_changed_byte_is_seen_wherever_it_is(centre: Centre, archive: Path, tmp_path: Path) -> None:
    content, key = archive.read_bytes(), public_key(centre.settings.audit_key)
    altered = tmp_path / "altered.zip"
    # Evenly over the archive, and each of its last bytes, where its list of files and its seal are.
    for place in (*range(0, len(content), len(content) // 200), *range(len(content) - 300, len(content))):
        one_byte = bytearray(content)
        one_byte[place] ^= 1
        altered.write_bytes(one_byte)
        with pytest.raises(ArchiveError, match=r"altered|truncated or damaged|unsigned|not an archive"):
            verify(altered, key)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "figures/mean_time_to_respond.json",
            b"{}",
            "altered: figures/mean_time_to_respond.json is not what was signed",
        ),
        ("ledger.csv", None, "altered: ledger.csv is missing"),
        ("figures/made_up.json", b"{}", "altered: figures/made_up.json was added"),
        ("nothing", None, "altered: what stands between its files is not what was signed"),
        ("manifest.sig", None, "unsigned: it has no manifest.sig"),
        ("manifest.json", None, "not an archive of Otklik: it has no manifest.json"),
        ("manifest.json", b'{"format": 1, "files": {}}', "altered: the signature is not that of its manifest.json"),
    ],
)
def test_what_was_altered_is_named(copy: Path, name: str, content: bytes | None, reason: str) -> None:
    rewritten(copy, name, content)
    assert verified(copy) == (1, f"Error: {copy}: {reason}\n")


def test_an_archive_that_was_cut_off_is_refused(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-100])
    code, told = verified(copy)
    assert (code, "truncated or damaged" in told) == (1, True)


def test_an_archive_of_somebody_else_is_refused(archive: Path) -> None:
    stranger = public_key("11" * 32)
    code, told = verified(archive, "--public-key", stranger)
    assert code == 1
    assert "foreign: signed with the key" in told


def test_a_key_that_is_none_is_said_to_be(archive: Path) -> None:
    assert verified(archive, "--public-key", "secret") == (
        1,
        "Error: A key for archives is 64 hexadecimal digits; correct OTKLIK_AUDIT_KEY, or --public-key\n",
    )


def test_a_figure_that_follows_no_more_is_told(centre: Centre, archive: Path) -> None:
    centre.load_rows(row("2", Ответ="15.03.2022 14:30", Изменено="15.03.2022 14:30"), name="corrected.csv")
    dbt.build(centre.settings)
    check_build(centre.settings)
    publish(centre.settings)
    code, told = verified(archive, "--warehouse")
    assert code == 4
    assert "  mean_time_to_respond: 180" in told
    assert "of 2 rows in the archive, 210" in told


def test_figures_outlive_what_residents_said_and_the_archive_says_why_a_file_is_gone(centre: Centre) -> None:
    retire(centre.settings, NIGHT.end + timedelta(days=centre.settings.text_retention_days, minutes=1))
    file = centre.folder / "later.zip"
    assert RUNNER.invoke(app, ["audit", "2022-03-15", "--output", str(file)]).exit_code == 0
    with zipfile.ZipFile(file) as opened:
        inputs = list(csv.DictReader(io.TextIOWrapper(opened.open("inputs.csv"), "utf-8")))
        mean = json.loads(opened.read("figures/mean_time_to_respond.json"))
    assert {each["state"] for each in inputs} == {"too old to be kept"}
    assert (float(mean["value"]), mean["row_count"]) == (210, 2)
    assert verified(file, "--warehouse")[0] == 0
