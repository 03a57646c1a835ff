"""What an auditor can do with the night that was run: trace, archive, and look for residents where none may be."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from otklik.audit.definitions import definitions
from otklik.settings import Settings

OTKLIK = Path(sys.prefix) / "bin" / "otklik"
ALTERED = 1


def otklik(*arguments: str) -> tuple[int, str]:
    """The exit code and all that was said."""
    done = subprocess.run(
        [OTKLIK, *arguments], capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"}
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def archive(night: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("archive") / "2022.zip"
    code, told = otklik("audit", "2022-12-31", "--region", "66", "--output", str(file))
    assert code == 0, told
    return file


def test_the_archive_of_the_year_is_verified_and_its_figures_follow_from_the_rows(archive: Path) -> None:
    code, told = otklik("audit", "verify", str(archive), "--warehouse")
    assert code == 0, told
    assert f"all {len(definitions())} figures follow from the rows of the warehouse" in told


def test_after_one_changed_byte_it_is_refused(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    altered = tmp_path / "altered.zip"
    altered.write_bytes(content)
    code, told = otklik("audit", "verify", str(altered))
    assert code == ALTERED
    assert "altered" in told or "truncated or damaged" in told


def test_the_mean_of_the_year_is_traced_to_the_files_it_came_from(night: Settings, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    code, told = otklik("trace", "mean_time_to_respond", "--year", "2022", "--region", "66", "--rows", str(rows))
    assert code == 0, told
    traced = pl.read_csv(rows, infer_schema_length=None)
    # Where each row stands in the file it came with.
    assert traced.select(pl.col("landed_path", "row_number").null_count()).row(0) == (0, 0)
    with psycopg.connect(night.dsn("reader")) as connection:
        [(answered,)] = connection.execute(
            "select sum(answered_count)::int from marts.mart_time_to_respond_month"
            " where region_code = '66' and scope = 'region' and month between '2022-01-01' and '2022-12-31'"
        )
    # A row for each message of an incident.
    assert traced.select("source", "incident_id").n_unique() == answered


def residents(settings: Settings) -> list[str]:
    """Every author's id, address and name in the warehouse, and every number that was hidden in a text."""
    with psycopg.connect(settings.dsn("engineer")) as connection:
        rows = connection.execute(
            "select distinct unnest(array[author_id, author_url, author_name]) from raw.incident"
            " union select distinct (regexp_matches(message_text, '[+]7[ (-]*[0-9]{3}[0-9 ()-]{7,12}', 'g'))[1]"
            " from raw.incident where masked_text is not null"
        ).fetchall()
    return [word.strip() for (word,) in rows if word and len(word) >= 8]


def written(settings: Settings) -> Iterator[Path]:
    """Every file the night wrote but those that came and landed, and the database's own."""
    for path in settings.var.rglob("*"):
        kept = {"postgres", "landing", "inbox", "demo"} & set(path.relative_to(settings.var).parts)
        if path.is_file() and not kept and path.suffix not in (".sock", ".pid"):
            yield path


def test_no_resident_is_in_anything_the_night_wrote(night: Settings) -> None:
    words = residents(night)
    assert len(words) > 1_000
    files = list(written(night))
    assert any("airflow" in path.parts for path in files)
    assert any("quality" in path.parts for path in files)
    contents = pl.Series([path.read_bytes().decode("utf-8", "ignore") for path in files])
    found = contents.str.extract_many(words).list.unique()
    told = {str(path): words.to_list() for path, words in zip(files, found, strict=True) if len(words)}
    assert told == {}, json.dumps(told, ensure_ascii=False)[:2_000]
