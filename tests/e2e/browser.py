"""A reader at the screen: log in to Superset, open a dashboard and wait until all of it is drawn."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

LAPTOP = (1366, 768)
PHONE = (390, 844)
# Charts below the screen are drawn only when they come into sight: a tall window shows them all.
_TALL = 3200
_CHART = "[data-test='chart-grid-component']"
_ALL_SETTLED = f"""() => {{
  const charts = [...document.querySelectorAll("{_CHART}")];
  const isDrawn = (frame) => frame?.querySelector("canvas, table, [class*='empty']");
  const isSettled = (chart) => !chart.querySelector("[data-test='loading-indicator']")
    && (chart.querySelector("[role='alert']") || isDrawn(chart.querySelector("[data-test='slice-container']")));
  return charts.length > 0 && charts.every(isSettled);
}}"""


@contextmanager
def browser_page(width: int = LAPTOP[0], height: int = _TALL) -> Iterator[Page]:
    """A page in Chromium, `width` × `height` px, in Russian; the system's Chromium where there is one."""
    installed = os.environ.get("OTKLIK_CHROMIUM") or shutil.which("chromium")
    if not os.environ.get("CI") and not (_driver_works() and (installed or _fetched())):
        pytest.skip("there is no Chromium on this machine: apt-get install chromium libatomic1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": height}, locale="ru-RU")
        try:
            yield context.new_page()
        finally:
            browser.close()


def _driver_works() -> bool:
    """Whether Playwright's driver starts: on a bare system it may lack a library."""
    driver = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(driver, capture_output=True, check=False).returncode == 0


def _fetched() -> bool:
    """Whether Playwright has a Chromium of its own."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def login(page: Page, base: str, user: str, password: str) -> None:
    """Log in at `base` (http://host:port) and wait for the first page behind the login."""
    page.goto(f"{base}/login/")
    page.locator("input#username, [data-test='username-input']").first.fill(user)
    page.locator("input#password, [data-test='password-input']").first.fill(password)
    page.locator("[data-test='login-button'], button[type='submit']").first.click()
    # Where one lands may be a dashboard that is long in loading; whoever opens one waits for it.
    page.wait_for_url(lambda url: "/login" not in url, wait_until="commit", timeout=60_000)


def begin_dashboard(page: Page, base: str, slug: str) -> None:
    """Begin to open a dashboard; wait_until_drawn ends it."""
    page.goto(f"{base}/superset/dashboard/{slug}/", wait_until="commit")


def open_dashboard(page: Page, base: str, slug: str, timeout: float = 60) -> None:
    """Open a dashboard and wait (`timeout` seconds) until every chart is drawn.

    AssertionError with the text on the page when a chart shows an error.
    """
    begin_dashboard(page, base, slug)
    wait_until_drawn(page, timeout)


def wait_until_drawn(page: Page, timeout: float = 60) -> None:
    """Wait until every chart in sight is drawn; also after a filter was changed.

    AssertionError with the text on the page when a chart shows an error, TimeoutError of Playwright
    when one is still loading after `timeout` seconds.
    """
    page.wait_for_function(_ALL_SETTLED, timeout=timeout * 1000)
    # A required filter takes its first value only when its list came, and then charts load again.
    page.wait_for_load_state("networkidle", timeout=timeout * 1000)
    page.wait_for_function(_ALL_SETTLED, timeout=timeout * 1000)
    errors = page.locator(f"{_CHART} [role='alert']").all_inner_texts()
    assert not errors, f"charts in error: {errors}"


def chart(page: Page, title: str) -> Locator:
    """The chart of that title."""
    return page.locator(f"[data-test-chart-name='{title}']")


def choose(page: Page, title: str, value: str) -> None:
    """Choose a value of the filter `title`, apply it, and wait until the charts are drawn anew."""
    field = page.locator("label", has=page.locator(f"h4:text-is('{title}')")).get_attribute("for")
    if not page.locator(f"[data-test='{field}']").is_visible():
        page.get_by_text("Еще фильтры").click()
    page.locator(f"[data-test='{field}']").click()
    # A long list shows its beginning only.
    page.keyboard.type(value)
    page.locator(".ant-select-item-option", has_text=value).first.click()
    page.keyboard.press("Escape")
    apply = page.locator("[data-test='filter-bar__apply-button']")
    if apply.is_enabled():
        apply.click()
    page.wait_for_timeout(500)
    wait_until_drawn(page)
