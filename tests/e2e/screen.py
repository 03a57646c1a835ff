"""A dashboard on a reader's screen: what is drawn, and the data that the page was given for it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Response

from otklik.settings import PROJECT, Settings
from tests.e2e import readers
from tests.e2e.browser import LAPTOP, PHONE, begin_dashboard, browser_page, chart, choose, login, wait_until_drawn

# Kept, for people to look at.
KEPT = PROJECT / "var" / "screens"
# Charts are drawn when they come into sight: a window this tall shows all of the longest dashboard.
_HEIGHTS = {LAPTOP[0]: 5_000, PHONE[0]: 9_000}
_SPACES = re.compile("[\\s\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{ZERO WIDTH SPACE}]+")
_END = """() => 16 + Math.ceil(Math.max(
    ...[...document.querySelectorAll('.grid-row')].map(row => row.getBoundingClientRect().bottom)))"""
# Bars and lines grow into their places: drawn is what looks as it did half a second before.
_DRAWN = """() => {
  const looks = [...document.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()).join();
  const drawn = looks === window.otklikLooked;
  window.otklikLooked = looks;
  return drawn;
}"""
_A_LOOK = 500


def plain(text: str) -> str:
    """The text with every kind of space as one plain space."""
    return _SPACES.sub(" ", text).strip()


class Screen:
    """The browser of one reader at one width."""

    def __init__(self, page: Page, settings: Settings, reader: str, width: int) -> None:
        self.page, self.settings, self.reader, self.width = page, settings, reader, width
        self._answers: list[Response] = []
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if urlsplit(response.url).path == "/api/v1/chart/data":
            self._answers.append(response)

    def another(self) -> "Screen":
        """Another tab of the same browser."""
        return Screen(self.page.context.new_page(), self.settings, self.reader, self.width)

    def begin(self, dashboard: str) -> None:
        """Begin to open a dashboard by its file name."""
        self._answers.clear()
        begin_dashboard(self.page, readers.address(self.settings), readers.slug(dashboard))

    def wait(self) -> None:
        """Wait until all of the dashboard is drawn."""
        self.page.bring_to_front()
        wait_until_drawn(self.page, timeout=120)

    def open(self, dashboard: str) -> None:
        """Open a dashboard by its file name and wait until all of it is drawn."""
        self.begin(dashboard)
        self.wait()

    def choose(self, title: str, value: str) -> None:
        """Choose a value of a filter and wait until what it acts on is drawn anew."""
        self._answers.clear()
        choose(self.page, title, value)

    def choose_period(self, first: date, after: date) -> None:
        """Set the filter «Период»: from its first day to the one after its last."""
        page = self.page
        page.locator("[data-test='time-range-trigger']").click()
        page.locator("[data-test='Тип диапазона']").click()
        page.locator(".ant-select-item-option", has_text="Продвинутая настройка").click()
        days = page.locator(".time-range-popover input[type=text]")
        for field, day in enumerate((first, after)):
            days.nth(field).fill(day.isoformat())
        page.locator("[data-test='date-filter-control__apply-button']:enabled").click()
        self._answers.clear()
        page.locator("[data-test='filter-bar__apply-button']:enabled").click()
        self._settle()

    def click(self, chart_name: str, cell: str) -> None:
        """Click a cell of a table, which filters the other charts, and wait until they are drawn anew."""
        self._answers.clear()
        cells = chart(self.page, readers.title(chart_name)).locator("td")
        cells.filter(has_text=re.compile(f"^{re.escape(cell)}$")).first.click()
        self._settle()

    def _settle(self) -> None:
        self.page.wait_for_timeout(500)
        wait_until_drawn(self.page)

    def text(self, chart_name: str) -> str:
        """What a chart says in words: a table, cards."""
        return plain(chart(self.page, readers.title(chart_name)).inner_text())

    def data(self, chart_name: str) -> list[dict[str, Any]]:
        """The rows the page was given for a chart when it was last drawn."""
        return self.answers()[chart_name]

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """Chart (file name) → its rows, of all charts drawn since the page was opened or a filter changed.

        AssertionError with the answer's text when one was refused or failed.
        """
        names = {given: name for name, given in readers.numbers(self.settings, "charts").items()}
        found = {}
        for response in self._answers:
            assert response.ok, response.text()
            told = parse_qs(urlsplit(response.url).query).get("form_data", ["{}"])[0]
            asked = json.loads(told).get("slice_id")
            if asked in names:
                found[names[asked]] = response.json()["result"][0]["data"]
        return found

    def keep(self, dashboard: str) -> None:
        """Write the picture of the dashboard to `var/screens`."""
        KEPT.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_function(_DRAWN, polling=_A_LOOK)
        height = min(self.page.evaluate(_END), _HEIGHTS[self.width])
        clip = {"x": 0, "y": 0, "width": self.width, "height": height}
        self.page.screenshot(path=KEPT / f"{readers.slug(dashboard)}-{self.width}-{self.reader}.png", clip=clip)


@contextmanager
def screen(settings: Settings, reader: str, width: int = LAPTOP[0]) -> Iterator[Screen]:
    """The browser of a reader who has logged in."""
    with browser_page(width, _HEIGHTS[width]) as page:
        login(page, readers.address(settings), reader, readers.password(settings, reader))
        yield Screen(page, settings, reader, width)
