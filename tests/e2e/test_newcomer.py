"""A newcomer who has read only the leadership's page finds the answers to five questions on the screens.

What is asked, the words of the page that say where the answer stands, and the answer as SQL gives it, stand together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page

from otklik.audit.definitions import definition
from otklik.settings import PROJECT, Settings
from tests.e2e.browser import browser_page, chart, login, wait_until_drawn

NBSP = "\N{NO-BREAK SPACE}"
DOCUMENT = (PROJECT / "docs/leadership.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Answer:
    """Where the page says that the answer to a question stands: dashboard, chart (or cards) and the words of it."""

    question: str
    dashboard: str
    place: str
    words: str


MORE = Answer(
    "Сколько сообщений обработал центр за 2022 год и больше ли это, чем в 2021?",
    "Итоги года",
    "Карточки вверху",
    "«Обработано сообщений» — сообщения, взятые в работу за год",
)
FASTER = Answer(
    "Благодаря кому ответ стал быстрее?",
    "Итоги года",
    "«Органы власти, изменившие среднее больше всех»",
    "чей это вклад, от самого большого",
)
SLOWEST = Answer(
    "Кто отвечает дольше всех?",
    "Время ответа",
    "«Органы власти: кто отвечает дольше»",
    "первая строка отвечает дольше всех",
)
OVERDUE = Answer(
    "Сколько обращений просрочено прямо сейчас?",
    "Очередь",
    "Карточки вверху",
    "**Просрочено без ответа** — из них те, срок которых уже прошёл",
)
LACKING = Answer(
    "У кого дольше всех нет обязательной страницы?",
    "Госпаблики",
    "«У кого нет обязательной страницы»",
    "вверху те, у кого её нет дольше всех",
)
ANSWERS = (MORE, FASTER, SLOWEST, OVERDUE, LACKING)


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.dsn("reader")) as connection:
        return connection.execute(query).fetchall()


def plain(text: str) -> str:
    """Return the text in one line, every kind of space as one plain space."""
    return re.sub(r"\s+", " ", text.replace(NBSP, " ").replace("\N{NARROW NO-BREAK SPACE}", " ")).strip()


def chapter(title: str) -> str:
    """Return what the page says under a heading, in one line."""
    return plain(DOCUMENT.split(f"\n## {title}\n")[1].split("\n## ")[0])


@pytest.fixture(scope="module")
def screen(night: Settings) -> Iterator[Page]:
    """What leadership sees after logging in."""
    with browser_page() as page:
        base = f"http://127.0.0.1:{night.superset_port}"
        login(page, base, "leadership", night.superset_leadership_login_password)
        yield page


def follow(page: Page, answer: Answer) -> Locator:
    """Go where the page says, by the menu it names, and return the chart it names."""
    page.get_by_role("menuitem", name="Дашборды").first.click()
    page.get_by_role("link", name=answer.dashboard, exact=True).click()
    page.wait_for_url("**/superset/dashboard/**")
    wait_until_drawn(page)
    if answer.place == "Карточки вверху":
        return page.locator("[data-test='chart-grid-component']").nth(1)
    return chart(page, answer.place.strip("«»"))


def cells(row: Locator) -> list[str]:
    return [plain(cell) for cell in row.locator("td").all_inner_texts()]


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.question for answer in ANSWERS])
def test_the_page_says_where_the_answer_stands(answer: Answer) -> None:
    told = chapter(answer.dashboard)
    assert f"**{answer.place}**" in told
    assert answer.words in told


def test_how_many_messages_and_is_it_more(night: Settings, screen: Page) -> None:
    [(value, before, more)] = ask(
        night,
        """
        select value::int, value_previous_year::int, (value - value_previous_year)::int
        from marts.mart_year_summary where region_code = '66' and year = 2022 and metric = 'messages_processed'
        """,
    )
    assert (value, before, more) == (54_548, 46_137, 8_411)
    assert "Обработано сообщений за 2022 год 54 548 на 8 411 больше, чем в 2021 году (46 137)" in plain(
        follow(screen, MORE).inner_text()
    )


def test_thanks_to_whom_is_it_faster(night: Settings, screen: Page) -> None:
    [(authority, minutes)] = ask(
        night,
        """
        select member, change_minutes from marts.mart_response_change
        where region_code = '66' and period_kind = 'year' and period_start = '2022-01-01' and dimension = 'authority'
        order by change_minutes limit 1
        """,
    )
    first = cells(follow(screen, FASTER).locator("tbody tr").first)
    assert minutes < 0
    assert first[:2] == [authority, f"−{-minutes:.1f} мин".replace(".", ",")]


def test_who_answers_slowest(night: Settings, screen: Page) -> None:
    [(authority, label)] = ask(
        night,
        """
        select authority, marts.duration_label(avg(minutes_to_respond)) from marts.fct_incident
        where region_code = '66' and authority is not null and minutes_to_respond is not null
        group by authority having count(*) >= 10 order by avg(minutes_to_respond) desc limit 1
        """,
    )
    first = cells(follow(screen, SLOWEST).locator("tbody tr").first)
    assert first[0] == authority
    assert plain(label) in first


def test_how_many_are_overdue_now(night: Settings, screen: Page) -> None:
    [(overdue,)] = ask(
        night,
        """
        select count(*)::int from marts.fct_incident inner join marts.mart_as_of using (region_code)
        where region_code = '66' and closed_at is null and resolved_at is null and first_response_at is null
            and deadline_at < as_of
        """,
    )
    assert f"Просрочено без ответа {overdue} " in plain(follow(screen, OVERDUE).inner_text())


def test_who_lacks_a_mandatory_page_longest(night: Settings, screen: Page) -> None:
    lacking = ask(
        night,
        """
        select authority, to_char(lacking_since, 'DD.MM.YYYY') from marts.mart_page_compliance
        where region_code = '66' and not has_page order by lacking_since, authority, network limit 5
        """,
    )
    rows = [cells(row) for row in follow(screen, LACKING).locator("tbody tr").all()[:5]]
    assert [(row[0], row[-1]) for row in rows] == lacking


def test_a_figure_leads_to_its_definition_and_the_definition_back(screen: Page) -> None:
    follow(screen, MORE).get_by_role("link", name="Обработано сообщений").click()
    screen.wait_for_url("**/help/metrics#messages_processed")
    section = screen.locator("#messages_processed")
    assert section.is_visible()
    assert definition("messages_processed").explanation in plain(section.inner_text())
    section.get_by_role("link", name="«Итоги года»").click()
    screen.wait_for_url("**/superset/dashboard/itogi-goda/**")


def test_a_dashboard_leads_to_its_chapter_and_the_chapter_back(screen: Page) -> None:
    follow(screen, OVERDUE)
    screen.get_by_role("link", name="Как это читать").click()
    screen.wait_for_url("**/help/leadership#*")
    heading = screen.locator("h2:target")
    assert heading.inner_text() == "Очередь"
    screen.get_by_role("link", name="К дашбордам").click()
    screen.wait_for_url("**/superset/dashboard/itogi-goda/**")
