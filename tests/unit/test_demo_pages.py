"""The made-up region's registers and audience, counted from the files as written and from its world."""

import csv
import gzip
import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from otklik.demo.authorities import authorities
from otklik.demo.centre_files import write_centre_files
from otklik.demo.places import places
from otklik.demo.standin.region import region_world
from otklik.demo.standin.world import Page, World

Row = dict[str, str]
LAST_DAY = date(2022, 12, 31)
EVENING = datetime.fromisoformat("2022-12-31T23:00:00+05:00")
NETWORKS = {"ВКонтакте": "vk", "Одноклассники": "ok", "Telegram": "telegram"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("centre")
    write_centre_files(folder)
    return folder


@pytest.fixture(scope="module")
def world() -> World:
    return region_world(EVENING)


def rows(path: Path) -> Iterator[Row]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    yield from csv.DictReader(text.splitlines(), delimiter=";")


def day(text: str) -> date | None:
    return date.fromisoformat(f"{text[6:10]}-{text[3:5]}-{text[:2]}") if text else None


def is_working(row: Row, on: date) -> bool:
    closed = day(row["Закрыта"])
    return day(row["Открыта"]) <= on and (closed is None or closed > on)


def in_force(row: Row, on: date) -> bool:
    return (day(row["Действует с"]) or date.min) <= on <= (day(row["Действует по"]) or date.max)


@pytest.fixture(scope="module")
def register(folder: Path) -> list[Row]:
    return list(rows(folder / "pages.csv"))


@pytest.fixture(scope="module")
def authority_rows(folder: Path) -> list[Row]:
    return list(rows(folder / "authorities.csv"))


@pytest.fixture(scope="module")
def counted(folder: Path) -> dict[str, dict[date, int]]:
    """Page -> day -> members, as the centre counted them."""
    found: dict[str, dict[date, int]] = defaultdict(dict)
    for row in rows(folder / "audience_history.csv.gz"):
        found[row["Код страницы"]][day(row["Время замера"])] = int(row["Подписчики"])
    return found


def spelled(row: Row) -> str:
    """Return a page's number or short name without what people write around it."""
    bare = row["Идентификатор"].removeprefix("https://t.me/").removeprefix("@")
    return bare.removeprefix("club").removeprefix("public") if bare.lstrip("clubpi").isdigit() else bare


@pytest.fixture(scope="module")
def told(world: World, register: list[Row]) -> dict[str, Page]:
    """Page of the register -> what its network knows under the id that the register has."""
    known = {(page.network, name): page for page in world.pages for name in (str(page.number), page.short_name)}
    return {row["Код страницы"]: known[NETWORKS[row["Сеть"]], spelled(row)] for row in register}


def answers(page: Page) -> bool:
    return page.tells_members and not page.is_closed and page.deactivated is None


def test_exactly_3_000_pages_work_at_the_end_of_2022(register: list[Row]) -> None:
    working = {row["Код страницы"]: row["Сеть"] for row in register if is_working(row, LAST_DAY)}
    assert Counter(working.values()) == {"ВКонтакте": 1_401, "Одноклассники": 1_360, "Telegram": 239}


def test_the_law_of_1_december_brings_a_wave_of_openings(register: list[Row]) -> None:
    opened = Counter(row["Открыта"][3:] for row in register if row["Открыта"].endswith("2022"))
    assert sum(opened.values()) == 1_226  # 1,213 more pages than a year before, and 13 closed
    assert opened["11.2022"] + opened["12.2022"] > 2 * sum(opened[f"{month:02}.2022"] for month in range(1, 11))


def test_a_few_authorities_still_lack_a_mandatory_page(register: list[Row], authority_rows: list[Row]) -> None:
    alive = {row["Код органа"] for row in authority_rows if in_force(row, LAST_DAY)}
    has = defaultdict(set)
    for row in register:
        if is_working(row, LAST_DAY) and in_force(row, LAST_DAY):
            has[row["Сеть"]].add(row["Код органа"])
    assert (len(alive), len(alive - has["ВКонтакте"]), len(alive - has["Одноклассники"])) == (1_420, 20, 60)


def test_every_page_has_an_authority_on_every_day_it_has_one(register: list[Row], authority_rows: list[Row]) -> None:
    known = defaultdict(list)
    for row in authority_rows:
        known[row["Код органа"]].append(row)
    for page in register:
        last = day(page["Действует по"]) or day(page["Закрыта"]) or LAST_DAY
        assert any(in_force(authority, last) for authority in known[page["Код органа"]]), page


def test_a_page_changes_hands_when_its_clinic_is_merged(register: list[Row]) -> None:
    pages = Counter(row["Код страницы"] for row in register)
    [(moved, _)] = [(page, how_many) for page, how_many in pages.items() if how_many > 1]
    before, after = (row for row in register if row["Код страницы"] == moved)
    assert (before["Действует по"], after["Действует с"], after["Действует по"]) == ("31.08.2022", "01.09.2022", "")
    assert before["Код органа"] != after["Код органа"]
    closed = [row for row in register if row["Код органа"] == before["Код органа"] and row["Закрыта"]]
    assert [row["Закрыта"] for row in closed] == ["31.08.2022"]


def test_the_register_of_authorities_remembers_the_old_name_and_the_merged_clinic(authority_rows: list[Row]) -> None:
    ended = {row["Наименование"].partition(",")[0]: row for row in authority_rows if row["Действует по"]}
    assert set(ended) == {"МБУК «Музей истории завода»", "ГАУЗ СО «Детская поликлиника»"}
    museum = [row for row in authority_rows if row["Код органа"] == ended["МБУК «Музей истории завода»"]["Код органа"]]
    assert [(row["Действует с"], row["Действует по"]) for row in museum] == [("", "31.03.2022"), ("01.04.2022", "")]


def test_who_answers_residents_stands_first_and_every_municipality_has_institutions(authority_rows: list[Row]) -> None:
    answering = [authority.name for authority in authorities()]
    assert [row["Наименование"] for row in authority_rows[: len(answering)]] == answering
    assert len({row["ОКТМО"] for row in authority_rows if row["Уровень"] == "Подведомственный" and row["ОКТМО"]}) == 94
    names = {row["Наименование"] for row in authority_rows}
    assert {row["Учредитель"] for row in authority_rows} - names == {"Правительство Свердловской области"}
    assert len(names) == len(authority_rows) == 1_422


def test_the_audience_on_the_last_day_is_the_fixed_figure(
    register: list[Row], counted: dict[str, dict[date, int]], told: dict[str, Page]
) -> None:
    answered, carried = [], []
    for row in register:
        if is_working(row, LAST_DAY) and in_force(row, LAST_DAY):
            page = told[row["Код страницы"]]
            if answers(page):
                answered.append(page.members_on(LAST_DAY))
            else:
                known = counted[row["Код страницы"]]
                carried.append(known[max(on for on in known if on >= LAST_DAY - timedelta(days=7))])
    assert (len(answered), sum(answered)) == (2_991, 2_044_101)
    assert (len(carried), sum(carried)) == (9, 3_217)
    assert sum(answered) + sum(carried) == 2_047_318


def test_the_audience_has_grown_over_the_year_also_of_the_same_pages(
    register: list[Row], counted: dict[str, dict[date, int]], told: dict[str, Page]
) -> None:
    before = {page: known[date(2021, 12, 31)] for page, known in counted.items() if date(2021, 12, 31) in known}
    assert (len(before), sum(before.values())) == (1_787, 1_439_465)
    same = [row for row in register if row["Код страницы"] in before and is_working(row, LAST_DAY)]
    now = {row["Код страницы"]: told[row["Код страницы"]].members_on(LAST_DAY) for row in same}
    assert (len(now), sum(now.values())) == (1_774, 1_860_968)


def test_history_is_weekly_then_daily_and_was_read_at_eleven_in_the_evening(
    folder: Path, counted: dict[str, dict[date, int]]
) -> None:
    days = sorted({on for known in counted.values() for on in known})
    assert (days[0], days[-1], len(days)) == (date(2021, 12, 31), date(2022, 12, 30), 78)
    assert {later - earlier for earlier, later in pairwise(days[:48])} == {timedelta(days=7)}
    assert {later - earlier for earlier, later in pairwise(days[48:])} == {timedelta(days=1)}
    times = [row["Время замера"][11:] for row in rows(folder / "audience_history.csv.gz")]
    assert (len(times), min(times), max(times)) == (175_724, "23:00:02", "23:01:17")


def test_a_few_readings_are_missing_and_once_a_whole_network(
    register: list[Row], counted: dict[str, dict[date, int]]
) -> None:
    ok = [row["Код страницы"] for row in register if row["Сеть"] == "Одноклассники"]
    assert not [page for page in ok if date(2022, 12, 8) in counted[page]]
    everyday = [known for known in counted.values() if min(known) == date(2021, 12, 31)]
    assert 10 < sum(date(2022, 12, 15) not in known for known in everyday) < 40


def test_no_page_is_counted_before_it_was_opened_or_after_it_was_closed(
    register: list[Row], counted: dict[str, dict[date, int]]
) -> None:
    for row in register:
        known = counted[row["Код страницы"]]
        assert all(is_working(row, on) for on in known), row


def test_the_networks_told_what_the_centre_has_counted(
    register: list[Row], counted: dict[str, dict[date, int]], told: dict[str, Page]
) -> None:
    for row in register:
        page = told[row["Код страницы"]]
        by_network = {on: page.members_on(on) for on in counted[row["Код страницы"]]}
        assert by_network == counted[row["Код страницы"]], row


def test_knots_run_forward_and_ids_are_unique(world: World) -> None:
    for page in world.pages:
        assert all(earlier < later for (earlier, _), (later, _) in pairwise(page.audience)), page
        assert all(members > 0 for _, members in page.audience), page
    assert len({(page.network, page.number) for page in world.pages}) == len(world.pages)
    assert len({(page.network, page.short_name) for page in world.pages}) == len(world.pages)
    assert max(len(page.short_name) for page in world.pages) <= 32


def test_no_municipality_has_more_followers_than_residents(
    register: list[Row], authority_rows: list[Row], told: dict[str, Page]
) -> None:
    municipality = {row["Код органа"]: row["ОКТМО"] for row in authority_rows}
    followers: Counter[str] = Counter()
    for row in register:
        if is_working(row, LAST_DAY) and in_force(row, LAST_DAY):
            followers[municipality[row["Код органа"]]] += told[row["Код страницы"]].members_on(LAST_DAY)
    assert all(followers[place.oktmo] < 0.85 * place.weight for place in places())


def test_pages_are_kept_well_badly_and_not_at_all(world: World) -> None:
    week = [sum(posted > EVENING - timedelta(days=7) for posted in page.posts) for page in world.pages]
    assert 0.05 < week.count(0) / len(week) < 0.25
    assert 0.3 < sum(posts >= 3 for posts in week) / len(week) < 0.8
    for page in world.pages:
        assert list(page.posts) == sorted(page.posts, reverse=True)
        assert not page.posts or page.posts[-1].date() >= page.audience[0][0]
    for has in ("description", "has_avatar", "has_cover", "has_government_mark", "weekly_reach"):
        share = sum(bool(getattr(page, has)) for page in world.pages) / len(world.pages)
        assert 0.3 < share < 0.99, has


def test_another_process_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    code = "import sys, pathlib, otklik.demo.centre_files as c; c.write_centre_files(pathlib.Path(sys.argv[1]))"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)

    def digests(written: Path) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(written.iterdir())}

    assert digests(tmp_path) == digests(folder)
    assert len(digests(folder)) == 6
