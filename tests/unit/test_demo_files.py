"""The made-up region's files, read back with the standard library: what they add up to, and how they look."""

import csv
import gzip
import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from otklik.demo.region import GeneratedFiles, generate

Row = dict[str, str]
NIGHT = datetime.fromisoformat("2022-12-31")  # local and without a zone, as everything in the files
CLOCK = ("Дата регистрации", "Направлено в орган", "Дата ответа")


def at(text: str) -> datetime | None:
    """Read dd.mm.yyyy HH:MM:SS; strptime would take ten times as long."""
    if not text:
        return None
    return datetime.fromisoformat(f"{text[6:10]}-{text[3:5]}-{text[:2]}{text[10:]}")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> GeneratedFiles:
    return generate(tmp_path_factory.mktemp("region"))


@pytest.fixture(scope="module")
def bad_rows(files: GeneratedFiles) -> set[tuple[str, int]]:
    return {(note["file"], note["row_number"]) for note in json.loads(files.notes.read_text(encoding="utf-8"))}


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _rows(path: Path, bad_rows: set[tuple[str, int]]) -> Iterator[Row]:
    cells = csv.reader(io.StringIO(_content(path).decode("cp1251"), newline=""), delimiter=";")
    header = next(cells)
    for number, row in enumerate(cells, start=2):
        if (path.name, number) not in bad_rows:
            yield dict(zip(header, row, strict=True))


@pytest.fixture(scope="module")
def history(files: GeneratedFiles, bad_rows: set[tuple[str, int]]) -> dict[str, Row]:
    """Message number -> its row as of the end of 30.12.2022."""
    return {row["№ сообщения"]: row for path in files.history for row in _rows(path, bad_rows)}


@pytest.fixture(scope="module")
def night(files: GeneratedFiles, bad_rows: set[tuple[str, int]]) -> dict[str, Row]:
    """Message number -> its row, for what 31.12.2022 brought or changed."""
    return {row["№ сообщения"]: row for row in _rows(files.night, bad_rows)}


@pytest.fixture(scope="module")
def incidents(history: dict[str, Row], night: dict[str, Row]) -> list[list[Row]]:
    """The rows of each incident as known at the end of 2022; the later change wins."""
    grouped = defaultdict(list)
    for row in (history | night).values():
        grouped[row["№ инцидента"]].append(row)
    return list(grouped.values())


@pytest.fixture(scope="module")
def responses(incidents: list[list[Row]]) -> dict[int, list[int]]:
    """Year of the first response -> seconds from the first message to it, one figure for each incident."""
    seconds: dict[int, list[int]] = defaultdict(list)
    for rows in incidents:
        received = min(at(row["Дата публикации"]) for row in rows)
        if answered := at(rows[0]["Дата ответа"]):
            seconds[answered.year].append(round((answered - received).total_seconds()))
    return seconds


def test_messages_registered_in_each_year_are_the_centres_own_figures(incidents: list[list[Row]]) -> None:
    years = Counter(row["Дата регистрации"][6:10] for rows in incidents for row in rows)
    assert years == {"2020": 4_912, "2021": 46_137, "2022": 54_548}


def test_mean_time_to_respond_is_exact_to_the_second(responses: dict[int, list[int]]) -> None:
    assert sum(responses[2022]) == (2 * 3600 + 28 * 60) * len(responses[2022])
    assert sum(responses[2021]) == (3 * 3600 + 26 * 60) * len(responses[2021])
    assert sum(responses[2020]) == (7 * 3600 + 10 * 60) * len(responses[2020])
    assert min(len(values) for values in responses.values()) > 4_000


def test_over_54_000_problems_are_resolved_in_2022(incidents: list[list[Row]]) -> None:
    assert sum(len(rows) for rows in incidents if rows[0]["Дата решения"][6:10] == "2022") == 54_126


def test_half_are_answered_in_an_hour_and_a_half_and_nine_of_ten_in_five_to_six_hours(
    responses: dict[int, list[int]],
) -> None:
    of_2022 = sorted(responses[2022])
    assert 80 <= median(of_2022) / 60 <= 100
    assert 5 <= of_2022[len(of_2022) * 9 // 10] / 3600 <= 6


def test_the_slowest_authority_takes_over_twice_as_long_as_the_quickest(incidents: list[list[Row]]) -> None:
    minutes = defaultdict(list)
    for rows in incidents:
        if rows[0]["Дата ответа"][6:10] == "2022":
            waited = at(rows[0]["Дата ответа"]) - min(at(row["Дата публикации"]) for row in rows)
            minutes[rows[0]["Ответственный орган"]].append(waited.total_seconds() / 60)
    means = sorted(sum(values) / len(values) for values in minutes.values() if len(values) >= 100)
    assert len(minutes) == 54
    assert means[-1] > 2 * means[0]


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(files: GeneratedFiles, tmp_path: Path) -> None:
    def digests(written: GeneratedFiles) -> list[str]:
        paths = [*written.history, written.night, written.notes]
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]

    assert digests(generate(tmp_path / "again")) == digests(files)
    assert set(digests(generate(tmp_path / "other", seed=1))).isdisjoint(digests(files)[:-1])


def test_every_incident_has_one_state_on_all_its_messages(incidents: list[list[Row]]) -> None:
    shared = ("Статус", "Направлено в орган", "Дата ответа", "Дата решения", "Дата закрытия", "Изменено", "Тема")
    assert [rows for rows in incidents if len({tuple(row[name] for name in shared) for row in rows}) > 1] == []


def test_clocks_run_forward(incidents: list[list[Row]]) -> None:
    for rows in incidents:
        for row in rows:
            moments = [at(row[name]) for name in ("Дата публикации", *CLOCK, "Дата решения", "Дата закрытия")]
            known = [moment for moment in moments if moment]
            assert known == sorted(known), row
            assert known[-1] <= at(row["Изменено"]) < NIGHT + timedelta(days=1), row


def test_a_status_has_the_moments_that_go_with_it(incidents: list[list[Row]]) -> None:
    needs = {
        "Новое": set(),
        "Зарегистрировано": {"Дата регистрации"},
        "Направлено в орган": {"Дата регистрации", "Направлено в орган"},
        "Дан ответ": {*CLOCK},
        "Промежуточный ответ": {*CLOCK, "Промежуточный ответ"},
        "Возвращено в работу": {*CLOCK, "Возвращено в работу"},
        "Решено": {*CLOCK, "Дата решения"},
        "Закрыто": {*CLOCK, "Дата решения", "Дата закрытия"},
    }
    optional = {"Промежуточный ответ", "Возвращено в работу"}
    for row in (row for rows in incidents for row in rows):
        filled = {name for name in set().union(*needs.values()) if row[name]}
        assert filled - optional == needs[row["Статус"]] - optional, row
        assert needs[row["Статус"]] <= filled, row


def test_history_ends_with_30_december_and_the_night_brings_only_the_next_day(
    history: dict[str, Row], night: dict[str, Row]
) -> None:
    assert max(at(row["Изменено"]) for row in history.values()) < NIGHT
    assert min(at(row["Изменено"]) for row in night.values()) >= NIGHT
    new = [number for number in night if number not in history]
    assert all(at(night[number]["Дата публикации"]) >= NIGHT for number in new)
    assert len(new) > 50
    assert len(night) - len(new) > 100


def test_people_write_less_at_night_and_at_weekends_and_most_in_the_snowfall(incidents: list[list[Row]]) -> None:
    received = [at(row["Дата публикации"]) for rows in incidents for row in rows]
    hours = Counter(moment.hour for moment in received)
    assert sum(hours[hour] for hour in range(6)) < 0.05 * len(received)
    weekdays = Counter(moment.weekday() for moment in received)
    assert weekdays[5] + weekdays[6] < 0.25 * len(received)
    [(busiest, _)] = Counter(moment.date() for moment in received).most_common(1)
    assert busiest == date(2022, 11, 22)


def test_snow_is_reported_in_winter_only(incidents: list[list[Row]]) -> None:
    months = Counter(
        row["Дата публикации"][3:5] for rows in incidents for row in rows if row["Подтема"] == "Нечищеные дороги"
    )
    assert set(months).isdisjoint({"05", "06", "07", "08", "09"})
    assert months["01"] > months["03"] > months["04"]


def test_some_residents_write_again_about_the_same(incidents: list[list[Row]]) -> None:
    written = defaultdict(list)
    for row in (row for rows in incidents for row in rows if row["ID автора"]):
        written[row["ID автора"], row["Подтема"], row["Муниципалитет"]].append(at(row["Дата публикации"]))
    repeats = sum(
        later - earlier <= timedelta(days=30)
        for moments in written.values()
        for earlier, later in pairwise(sorted(moments))
    )
    assert 0.03 < repeats / sum(map(len, incidents)) < 0.10


def test_some_incidents_are_late_reopened_unanswered_or_without_a_deadline(incidents: list[list[Row]]) -> None:
    states = [rows[0] for rows in incidents]
    assert 0.02 < sum(row["Число возвратов"] == "1" for row in states) / len(states) < 0.05
    assert 0.03 < sum(not row["Крайний срок"] for row in states) / len(states) < 0.05
    with_deadline = [row for row in states if row["Крайний срок"]]
    late = sum(at(row["Дата ответа"]) > at(row["Крайний срок"]) for row in with_deadline if row["Дата ответа"])
    assert 0.02 < late / len(with_deadline) < 0.08
    overdue = [row for row in with_deadline if not row["Дата ответа"] and at(row["Крайний срок"]) < NIGHT]
    assert 50 < len(overdue) < 300


def test_texts_are_many_and_name_nobody(incidents: list[list[Row]]) -> None:
    rows = [row for rows in incidents for row in rows]
    texts = {row["Текст"] for row in rows}
    assert len(texts) > 50_000
    assert not any(character.isdigit() or character in "@{}" for text in texts for character in text)
    assert {row["Автор"].rstrip("0123456789") for row in rows} == {"", "Житель "}
    for link in ("Профиль автора", "Ссылка на сообщение"):
        assert {row[link][:24] for row in rows} == {"", "https://example.invalid/"}


def test_the_layout_is_the_incident_systems_export(files: GeneratedFiles) -> None:
    lines = _content(files.night).split(b"\r\n")
    assert lines[0].decode("cp1251").split(";")[:3] == ["№ сообщения", "№ инцидента", "Дата публикации"]
    months = [f"{year}-{month:02}" for year in (2020, 2021, 2022) for month in range(1, 13)][10:]
    assert [path.name for path in files.history] == [f"history_{month}.csv.gz" for month in months]
    assert files.night.name == "incidents_2022-12-31.csv"


def test_every_kind_of_bad_row_is_there_and_noted(files: GeneratedFiles) -> None:
    notes = json.loads(files.notes.read_text(encoding="utf-8"))
    assert Counter(note["reason"] for note in notes if note["file"] != files.night.name) == {
        "unknown_status": 4,
        "unknown_municipality": 4,
        "answered_before_received": 4,
        "in_future": 4,
        "bad_time": 4,
        "missing": 4,
        "ragged_row": 8,
        "duplicate_key": 3,
        None: 4,
    }
    assert len([note for note in notes if note["file"] == files.night.name]) == 5
