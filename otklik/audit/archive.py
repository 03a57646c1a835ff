"""One archive that proves a year's figures: what came, what was checked, and the rows behind each figure."""

import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.rows import dict_row

from otklik import __version__
from otklik.audit.definitions import definitions
from otklik.audit.figure import Figure, Period
from otklik.audit.signing import SEAL_LENGTH, public_key, seal, sign
from otklik.places import Place
from otklik.settings import PROJECT, Settings

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"

# What a figure follows from besides its rows: the code, the models, the checks and the versions they ran with.
_VERSIONED = (
    "otklik/**/*.py",
    "dbt_project/**/*.sql",
    "dbt_project/**/*.yml",
    "dbt_project/**/*.csv",
    "expectations/**/*.yml",
    "expectations/**/*.py",
    "requirements*.txt",
    "superset/requirements.txt",
)

Progress = Callable[[str], None]
"""Told what is being written."""


def write_archive(
    settings: Settings, region_code: str, day: date, file: Path, progress: Progress = lambda part: None
) -> int:
    """Write the archive of a region's year through a local day; return how many figures it proves.

    Nothing in it is personal: authors are hashes, texts are not there. Raises FigureError where nothing is published of
    the region, PlaceError or UnreachableError where the landing zone cannot be read.
    """
    with (
        psycopg.connect(settings.dsn("engineer"), connect_timeout=10) as connection,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        # All of it is of one moment, also while a night is published.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        parts = _Parts(archive, progress)
        figures = _write_figures(parts, connection, Period(region_code, day.year, through=day))
        bounds = {"region": region_code, "day": day}
        batches = _asked(connection, _LEDGER, bounds)
        parts.table("ledger.csv", batches)
        taken_out = {(row["landed_path"], row["sha256"]): row["why"] for row in _asked(connection, _TAKEN_OUT, {})}
        parts.table("inputs.csv", _inputs(batches, taken_out, settings))
        for name, query in _QUALITY.items():
            parts.table(name, _asked(connection, query, bounds))
        parts.json("versions.json", _versions())
        manifest = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(),
            "otklik_version": __version__,
            "region_code": region_code,
            "day": day.isoformat(),
            "build_id": str(connection.execute("select build_id from intermediate.int_build").fetchone()[0]),  # type: ignore[index]
            "figures": figures,
            "files": parts.hashes,
        }
        content = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        archive.writestr(MANIFEST, content)
        signature = {"public_key": public_key(settings.audit_key), "signature": sign(content, settings.audit_key)}
        archive.writestr(SIGNATURE, json.dumps(signature))
        archive.comment = bytes(SEAL_LENGTH)
    seal(file, settings.audit_key)
    return len(figures)


class _Parts:
    """The files of an archive as they are written, each with its hash."""

    def __init__(self, archive: zipfile.ZipFile, progress: Progress) -> None:
        self.hashes: dict[str, str] = {}
        self._archive, self._progress = archive, progress

    def json(self, name: str, content: Any) -> None:
        """Write a file of JSON."""
        self._write(name, iter([json.dumps(content, ensure_ascii=False, indent=1, default=str).encode()]))

    def table(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write a file of CSV; return how many rows it has."""
        count = 0

        def lines() -> Iterator[bytes]:
            nonlocal count
            line = io.StringIO()
            writer = csv.writer(line)
            for row in rows:
                if not count:
                    writer.writerow(row)
                writer.writerow(row.values())
                count += 1
                yield line.getvalue().encode()
                line.seek(0)
                line.truncate()

        self._write(name, lines())
        return count

    def _write(self, name: str, pieces: Iterator[bytes]) -> None:
        self._progress(name)
        digest = hashlib.sha256()
        with self._archive.open(name, "w") as part:
            for piece in pieces:
                digest.update(piece)
                part.write(piece)
        self.hashes[name] = digest.hexdigest()


def _write_figures(parts: _Parts, connection: psycopg.Connection[Any], period: Period) -> list[str]:
    """Write each metric of the year: what it is, the number and its SQL, and the rows, once for all that share them."""
    written: dict[str, str] = {}
    for metric in definitions().values():
        figure = Figure(connection, metric, period)
        value, count = figure.counted()
        shown = figure.history() if figure.is_whole else []
        rows = f"{metric.fact}\0{metric.where}"
        if rows not in written:
            written[rows] = f"rows/{metric.fact}-{len(written) + 1}.csv"
            parts.table(written[rows], figure.rows())
        parts.json(
            f"figures/{metric.name}.json",
            {
                "definition": asdict(metric),
                "query": figure.query,
                "value": value,
                "row_count": count,
                "rows": written[rows],
                "shown": [asdict(one) for one in shown],
            },
        )
    return sorted(definitions())


_LEDGER = """
    select batch.* from quality.batch
    inner join raw.region using (region_code)
    where region_code = %(region)s and (interval_from at time zone region.time_zone)::date <= %(day)s
    order by batch_id
"""
_QUALITY = {
    "rejected.csv": """
        select rejected.* from quality.rejected_row as rejected
        inner join quality.batch as batch using (batch_id)
        inner join raw.region using (region_code)
        where region_code = %(region)s and (batch.interval_from at time zone region.time_zone)::date <= %(day)s
        order by rejected.rejected_row_id
    """,
    "build.csv": "select build.* from quality.build inner join intermediate.int_build using (build_id)",
    "publications.csv": "select * from quality.publication order by publication_id",
    "checks.csv": """
        select run.suite, run.started_at, run.finished_at, run.success, result.expectation, result."column",
            result.severity, result.success as held, result.observed, result.protects
        from quality.check_run as run
        inner join quality.check_result as result using (run_id)
        inner join intermediate.int_build using (build_id)
        order by run.started_at, result.check_result_id
    """,
    "dbt_results.csv": """
        select result.* from quality.dbt_result as result
        inner join intermediate.int_build using (build_id) order by name
    """,
    "reconciliation.csv": """
        select reconciliation.* from quality.reconciliation
        where region_code = %(region)s order by night, source, entity, run_id
    """,
    "schema_changes.csv": """
        select * from quality.schema_change where region_code = %(region)s order by schema_change_id
    """,
}


def _asked(connection: psycopg.Connection[Any], query: str, bounds: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), bounds).fetchall()


# What a landed file became, or NULL where it was deleted.
_TAKEN_OUT = """
    select landed_path, sha256_after as sha256, 'a resident was erased' as why from quality.erased_file
    union all
    select landed_path, null, 'too old to be kept' from quality.retired_file
"""


def _inputs(
    batches: list[dict[str, Any]], taken_out: Mapping[tuple[str, str | None], str], settings: Settings
) -> Iterator[dict[str, Any]]:
    """Yield each landed file once, with the hash that the ledger has, the one that it has now, and why it differs."""
    landing = Place.landing(settings)
    for address, sha256 in dict.fromkeys((batch["landed_path"], batch["content_sha256"]) for batch in batches):
        with landing.named():
            path = landing.path_at(address)
            found = _hash(path.open("rb")) if path.exists() else None
        state = "same" if found == sha256 else taken_out.get((address, found), "changed" if found else "missing")
        yield {"landed_path": address, "content_sha256": sha256, "found_sha256": found, "state": state}


def _hash(file: IO[bytes]) -> str:
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _versions() -> dict[str, Any]:
    files = sorted({path for pattern in _VERSIONED for path in PROJECT.glob(pattern)})
    return {
        "otklik": __version__,
        "python": sys.version,
        "packages": {
            one.metadata["Name"]: one.version for one in sorted(distributions(), key=lambda d: d.metadata["Name"])
        },
        "files": {path.relative_to(PROJECT).as_posix(): _hash(path.open("rb")) for path in files},
    }
