"""The same rows again change nothing; corrected ones supersede and the older versions stay."""

import os
import signal
import subprocess
import sys
import time
from datetime import date

from otklik.interval import Interval
from tests.fixtures.files import NIGHT, ZONE, Centre, counts, csv_text, row

NEXT = Interval.of_day(date(2022, 3, 16), ZONE)
LATER = Interval.of_day(date(2022, 3, 17), ZONE)


def test_the_same_file_twice_changes_nothing(centre: Centre) -> None:
    first = centre.load_rows(row("1"), row("2", Статус="?"))
    assert centre.load_rows(row("1"), row("2", Статус="?"), night=NEXT) == first
    assert counts(first) == (2, 1, 1, 0)
    assert centre.query("select count(*) as n from raw.batch") == [{"n": 1}]
    assert centre.query("select count(*) as n from raw.rejected_row") == [{"n": 1}]


def test_the_same_rows_in_another_file_are_unchanged(centre: Centre) -> None:
    centre.load_rows(row("1"), row("2"))
    assert counts(centre.load_rows(row("2"), row("3"), name="more.csv", night=NEXT)) == (2, 1, 0, 1)


def test_a_corrected_row_is_a_new_version_and_the_older_stays(centre: Centre) -> None:
    centre.load_rows(row("1"))
    corrected = row("1", Ответ="15.03.2022 11:00", Изменено="16.03.2022 09:00")
    assert counts(centre.load_rows(corrected, name="next.csv", night=NEXT)) == (1, 1, 0, 0)
    versions = centre.query("select first_response_at::text as answered from raw.incident order by updated_at")
    assert [r["answered"] for r in versions] == ["2022-03-15 07:30:00+00", "2022-03-15 06:00:00+00"]


def test_without_an_update_time_a_row_is_news_only_when_it_differs_from_before(centre: Centre) -> None:
    fields = {"message_id": "Номер", "incident_id": "Инцидент", "status": "Статус", "received_at": "Получено"}
    mapping = centre.mapping(fields=fields)

    def load(status: str, name: str, night: Interval) -> tuple[int, int, int, int]:
        return counts(centre.load(centre.write(csv_text([row("1", Статус=status)]), name), mapping, night))

    assert load("new", "a.csv", NIGHT) == (1, 1, 0, 0)
    assert load("new", "b.csv", NEXT) == (1, 0, 0, 1)
    assert load("closed", "c.csv", LATER) == (1, 1, 0, 0)
    versions = centre.query("select status, updated_at::text as at from raw.incident order by updated_at")
    # The version's time is the end of the night it came with: local midnight, 19:00 UTC.
    assert [tuple(r.values()) for r in versions] == [
        ("new", "2022-03-15 19:00:00+00"),
        ("closed", "2022-03-17 19:00:00+00"),
    ]


def test_a_changed_mapping_reads_the_same_file_anew(centre: Centre) -> None:
    file = centre.write(csv_text([row("1"), row("2", Статус="Взято")]))
    assert counts(centre.load(file)) == (2, 1, 1, 0)
    fields = dict(centre.mapping().model_dump()["fields"])
    fields["status"] = {"column": "Статус", "values": {"Новое": "new", "Отвечено": "answered", "Взято": "registered"}}
    assert counts(centre.load(file, centre.mapping(fields=fields))) == (2, 1, 0, 1)


def test_a_file_that_failed_and_was_mended_is_loaded(centre: Centre) -> None:
    from otklik.errors import FileError

    for _ in range(2):
        try:
            centre.load(centre.write(""))
        except FileError:
            continue
    assert counts(centre.load_rows(row("1"))) == (1, 1, 0, 0)
    lines = centre.query("select status, count(*) as n from raw.batch group by 1 order by 1")
    assert lines == [{"status": "failed", "n": 1}, {"status": "loaded", "n": 1}]


LOADER = """
import sys
from datetime import date
from pathlib import Path
from upath import UPath
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.settings import get_settings
from tests.fixtures.files import NIGHT
mapping = load_mapping(Path(sys.argv[2]))
load_file(UPath(sys.argv[1]), mapping, NIGHT, get_settings(), lambda rows: print(rows, flush=True))
"""


def test_a_load_killed_at_any_point_leaves_nothing_by_halves_and_the_next_completes_it(centre: Centre) -> None:
    total = 150_000
    rows = [row(str(n), **({"Статус": "?"} if n % 1_000 == 0 else {})) for n in range(total)]
    file = centre.write(csv_text(rows))
    mapping = centre.mapping()
    command = [sys.executable, "-c", LOADER, str(file), str(mapping.path)]
    # Killed while starting, landing, reading and copying, whatever each delay happens to hit; and once in
    # the middle for certain: after the first chunk has been copied.
    for delay in (0.4, 0.9, 1.3, None):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ.copy())
        if delay is None:
            assert process.stdout is not None
            assert process.stdout.readline()
        else:
            time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert centre.query("select count(*) as n from raw.batch") == [{"n": 0}]
        assert centre.query("select count(*) as n from raw.incident") == [{"n": 0}]
    assert counts(centre.load(file, mapping)) == (total, total - 150, 150, 0)
    assert centre.query("select count(*) as n from raw.incident") == [{"n": total - 150}]
    assert centre.query("select count(*) as n from raw.rejected_row") == [{"n": 150}]
