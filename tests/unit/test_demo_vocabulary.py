"""The made-up region's places, authorities, topics and working days."""

import csv
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

import otklik
from otklik.demo.authorities import assign_authorities, authorities
from otklik.demo.calibrate import NEVER
from otklik.demo.clock import HIGH, LOW, NORMAL, deadlines
from otklik.demo.places import SEED, places
from otklik.demo.rhythm import DAY, day_off, local_seconds
from otklik.demo.texts import message_texts
from otklik.demo.topics import SEASONS, SUBTOPICS


def test_the_oblast_has_its_94_municipalities() -> None:
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["kind"] for row in rows) == {
        "городской округ": 68,
        "муниципальный район": 5,
        "городское поселение": 5,
        "сельское поселение": 16,
    }
    assert len({row["oktmo"] for row in rows}) == len({row["name"] for row in rows}) == 94
    assert {row["region_code"] for row in rows} == {"66"}
    known = {row["name"]: row["residents"] for row in rows if row["residents"]}
    assert len(known) == 47
    assert known["город Екатеринбург"] == "1377738"
    assert [place.oktmo for place in places()] == [row["oktmo"] for row in rows]


def test_each_matter_goes_to_an_authority_that_owns_it() -> None:
    name = [authority.name for authority in authorities()]
    assert len(set(name)) == 54
    subtopic = {each.name: number for number, each in enumerate(SUBTOPICS)}
    place = {each.name: number for number, each in enumerate(places())}

    def answering(theme: str, where: str, draw: float) -> str:
        [number] = assign_authorities(np.array([subtopic[theme]]), np.array([place[where]]), np.array([draw]))
        return name[number]

    assert answering("Тротуары", "городской округ Первоуральск", 0.5) == (
        "Администрация городского округа Первоуральск"
    )
    assert answering("Тротуары", "город Екатеринбург", 0.0) == "Администрация Верх-Исетского района Екатеринбурга"
    assert answering("Тротуары", "город Екатеринбург", 0.99) == "Администрация города Екатеринбурга"
    assert answering("Тротуары", "Таборинское сельское поселение", 0.5) == (
        "Администрация Восточного управленческого округа"
    )
    assert answering("Качество помощи", "город Нижний Тагил", 0.5) == "Министерство здравоохранения"


def test_every_topic_has_owners_that_exist_and_a_season() -> None:
    every = len(SUBTOPICS) * len(places())
    subtopic, place = np.divmod(np.arange(every), len(places()))
    chosen = assign_authorities(subtopic, place, np.full(every, 0.999))
    assert chosen.min() >= 0
    assert chosen.max() < len(authorities())
    for each in SUBTOPICS:
        assert sum(each.owners.values()) == pytest.approx(1)
        assert len(SEASONS[each.season]) == 12


def test_texts_read_as_sentences_about_their_place() -> None:
    ekaterinburg = next(n for n, place in enumerate(places()) if place.name == "город Екатеринбург")
    theme = next(n for n, each in enumerate(SUBTOPICS) if each.name == "Вывоз мусора")
    texts = message_texts(np.random.default_rng(1), np.full(500, theme), np.full(500, ekaterinburg))
    assert all("в Екатеринбурге" in text for text in texts)
    assert all(text[0].isupper() and text[-1] in ".?!" for text in texts)
    assert not any(mark in text for text in texts for mark in ("  ", "?.", "..", "{"))


def test_days_off_follow_the_production_calendar() -> None:
    first = local_seconds(date(2022, 2, 21)) // DAY
    # 21.02.2022 to 08.03.2022: the 23rd and the 8th are holidays, Saturday the 5th works for Monday the 7th.
    expected = [0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert day_off(first, first + 16).astype(int).tolist() == expected


def test_deadlines_count_calendar_hours_for_high_priority_and_working_hours_for_the_rest() -> None:
    friday_noon = local_seconds(datetime.fromisoformat("2022-12-30 12:00"))
    saturday = local_seconds(datetime.fromisoformat("2022-12-31 03:30"))
    priority = np.array([HIGH, NORMAL, LOW, NORMAL] * 50)
    since = np.array([friday_noon, friday_noon, friday_noon, saturday] * 50)
    due = deadlines(np.random.default_rng(1), priority, since)
    given = {
        int(p) + (10 if s == saturday else 0): int(d) for p, s, d in zip(priority, since, due, strict=True) if d < NEVER
    }
    # A working day is 9:00 to 17:00; the first one after the New Year holidays is Monday, 9 January.
    assert given == {
        HIGH: friday_noon + 4 * 3600,
        NORMAL: local_seconds(datetime.fromisoformat("2023-01-09 12:00")),
        LOW: local_seconds(datetime.fromisoformat("2023-01-09 13:00")),
        NORMAL + 10: local_seconds(datetime.fromisoformat("2023-01-09 17:00")),
    }
    assert 0 < (due == NEVER).sum() < 25


def test_nothing_outside_the_demo_knows_of_it() -> None:
    package = Path(otklik.__file__).parent
    outside = [path for path in package.rglob("*.py") if "demo" not in path.relative_to(package).parts]
    assert len(outside) > 5
    assert [path for path in outside if "otklik.demo" in path.read_text(encoding="utf-8")] == []
