"""A night in which a source brought nothing is noted, and warned of by name."""

from pathlib import Path

from expectations.__main__ import parse, run
from expectations.suite import SUITES
from otklik.night import load_pending, note_night, pending_files
from otklik.settings import Settings
from tests.fixtures.files import NIGHT, Centre, csv_text, row


def as_set_up(centre: Centre, inbox: Path) -> Settings:
    """The settings of the centre, its files expected in the inbox."""
    centre.mapping()
    return centre.settings.model_copy(update={"mappings": (centre.folder,), "inbox": str(inbox)})


def noted(centre: Centre) -> list[tuple[str, int]]:
    rows = centre.query("select source, file_count from quality.night order by 1")
    return [(row["source"], row["file_count"]) for row in rows]


def warnings(centre: Centre, settings: Settings) -> list[str]:
    """The warnings of the suite `raw` in its latest run."""
    run(*parse([SUITES / "raw" / "night.yml"], settings), settings)
    rows = centre.query(
        "select expectation from quality.check_result inner join quality.check_run using (run_id)"
        " where not check_result.success and started_at = (select max(started_at) from quality.check_run)"
    )
    return [row["expectation"] for row in rows]


def test_a_night_without_a_file_is_noted_and_warned_of(centre: Centre, tmp_path: Path) -> None:
    settings = as_set_up(centre, tmp_path)
    files = pending_files(NIGHT, settings, incidents=True)
    assert note_night(NIGHT, settings, files) == ["centre"]
    assert noted(centre) == [("centre", 0)]
    assert warnings(centre, settings) == ["quality.night: no_night_is_silent"]


def test_a_night_that_brought_a_file_keeps_it_when_it_is_asked_for_again(centre: Centre, tmp_path: Path) -> None:
    settings = as_set_up(centre, tmp_path)
    (tmp_path / "centre").mkdir()
    (tmp_path / "centre" / "15.csv").write_text(csv_text([row("1")]), encoding="utf-8")
    files = pending_files(NIGHT, settings, incidents=True)
    assert note_night(NIGHT, settings, files) == []
    load_pending(files[0], NIGHT, settings)
    # What is loaded is not listed any more.
    assert pending_files(NIGHT, settings, incidents=True) == []
    note_night(NIGHT, settings, [])
    assert noted(centre) == [("centre", 1)]
    assert warnings(centre, settings) == []
