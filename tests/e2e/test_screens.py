"""Every dashboard as every reader who may see it, on a laptop and on a phone: whole, in Russian, nothing empty.

The pictures are kept in `var/screens`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from otklik.settings import Settings
from tests.e2e import readers
from tests.e2e.browser import LAPTOP, PHONE
from tests.e2e.screen import Screen, screen

CASES = [
    (login, width, dashboard)
    for login in readers.LOGINS
    for width in (LAPTOP[0], PHONE[0])
    for dashboard in readers.dashboards_of(login)
]
# What nobody writes in Cyrillic: networks, systems and formats.
NAMES = {"VK", "OK", "MAX", "Telegram", "Facebook", "Instagram", "KoboToolbox", "LimeSurvey", "JSON", "CSV"}

_WIDER_THAN_THE_SCREEN = """width => [...document.querySelectorAll(
    "[data-test='chart-grid-component'], .dashboard-component-chart-holder, .dashboard-markdown, nav, .filter-bar"
  )].filter(part => part.getBoundingClientRect().right > width + 1)
    .map(part => part.id || part.dataset.testChartName || part.innerText.slice(0, 60))"""
_CUT_OFF = """() => [...document.querySelectorAll("[data-test='slice-header'], .header-title, .filter-bar h4")]
    .filter(part => part.getBoundingClientRect().right > window.innerWidth + 1)
    .map(part => part.innerText)"""
_TITLES = """() => [...document.querySelectorAll(
    "[data-test='slice-header'], th, h1, h4, nav a, nav button, .filter-bar button, .header-with-actions, label"
  )].filter(part => part.checkVisibility()).map(part => part.innerText)"""


@pytest.fixture(scope="module")
def seen(night: Settings) -> Iterator[Callable[[str, int], Screen]]:
    """The screen of a reader; it is closed when another reader comes."""
    with ExitStack() as stack:
        current: dict[tuple[str, int], Screen] = {}

        def of(login: str, width: int) -> Screen:
            if (login, width) not in current:
                current.clear()
                stack.close()
                current[login, width] = stack.enter_context(screen(night, login, width))
            return current[login, width]

        yield of


def not_russian(texts: list[str]) -> list[str]:
    """Those with Latin words and not one Cyrillic, names aside."""
    words = {text: re.findall(r"[A-Za-zА-Яа-яЁё]+", text) for text in texts}
    return sorted(
        text
        for text, found in words.items()
        if set(found) - NAMES and not any(re.match("[А-Яа-яЁё]", word) for word in found)
    )


@pytest.mark.parametrize(("login", "width", "dashboard"), CASES)
def test_a_dashboard_is_whole(seen: Callable[[str, int], Screen], login: str, width: int, dashboard: str) -> None:
    shown = seen(login, width)
    # Of a chart in error its words are told here.
    shown.open(dashboard)
    shown.keep(dashboard)
    answers = shown.answers()
    assert set(answers) == set(readers.charts(dashboard))
    assert [chart for chart, rows in answers.items() if not rows] == []
    page = shown.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_WIDER_THAN_THE_SCREEN, width) == []
    assert page.evaluate(_CUT_OFF) == []
    assert not_russian(page.evaluate(_TITLES)) == []
    # Legends and axes are drawn, not written: what stands there are the values of what a chart groups by.
    drawn = [chart for chart in answers if readers.ASSETS["charts"][chart]["viz_type"] != "table"]
    values = {value for chart in drawn for row in answers[chart] for value in row.values() if isinstance(value, str)}
    assert not_russian(sorted(values)) == []
