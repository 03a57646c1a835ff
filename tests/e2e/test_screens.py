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

Case = tuple[str, int, str]
CASES: list[Case] = [
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
_BELOW_ITS_ROW = """() => [...document.querySelectorAll(".dashboard-markdown a")]
    .filter(link => link.getBoundingClientRect().bottom > link.closest(".grid-row").getBoundingClientRect().bottom + 1)
    .map(link => link.innerText)"""
_TITLES = """() => [...document.querySelectorAll(
    "[data-test='slice-header'], th, h1, h4, nav a, nav button, .filter-bar button, .header-with-actions, label"
  )].filter(part => part.checkVisibility()).map(part => part.innerText)"""


@pytest.fixture(scope="module")
def seen(night: Settings) -> Iterator[Callable[[Case], Screen]]:
    """A dashboard on a reader's screen, drawn; the one of the next case begins to open in a second tab.

    The browser is closed when another reader comes.
    """
    with ExitStack() as stack:
        begun: dict[Case, Screen] = {}
        idle: list[Screen] = []

        def of(case: Case) -> Screen:
            login, width, dashboard = case
            if case not in begun:
                stack.close()
                begun.clear()
                first = stack.enter_context(screen(night, login, width))
                first.begin(dashboard)
                begun[case] = first
                idle[:] = [first.another()]
            shown = begun.pop(case)
            following = CASES[(CASES.index(case) + 1) % len(CASES)]
            if following[:2] == (login, width):
                begun[following] = idle.pop()
                begun[following].begin(following[2])
                idle.append(shown)
            shown.wait()
            return shown

        yield of


def not_russian(texts: list[str]) -> list[str]:
    """Those with Latin words and not one Cyrillic, names aside."""
    words = {text: re.findall(r"[A-Za-zА-Яа-яЁё]+", text) for text in texts}
    return sorted(
        text
        for text, found in words.items()
        if set(found) - NAMES and not any(re.match("[А-Яа-яЁё]", word) for word in found)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_a_dashboard_is_whole(seen: Callable[[Case], Screen], case: Case) -> None:
    _, width, dashboard = case
    # Of a chart in error its words are told here.
    shown = seen(case)
    shown.keep(dashboard)
    answers = shown.answers()
    assert set(answers) == set(readers.charts(dashboard))
    assert [chart for chart, rows in answers.items() if not rows] == []
    page = shown.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_WIDER_THAN_THE_SCREEN, width) == []
    assert page.evaluate(_CUT_OFF) == []
    assert page.evaluate(_BELOW_ITS_ROW) == []
    assert not_russian(page.evaluate(_TITLES)) == []
    # Legends and axes are drawn, not written: what stands there are the values of what a chart groups by.
    drawn = [chart for chart in answers if readers.ASSETS["charts"][chart]["viz_type"] != "table"]
    values = {value for chart in drawn for row in answers[chart] for value in row.values() if isinstance(value, str)}
    assert not_russian(sorted(values)) == []
