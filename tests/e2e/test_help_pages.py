"""Pages of help as readers meet them: every link of every dashboard leads to its place, and nobody anonymous reads."""

from collections.abc import Iterator
from urllib.parse import unquote

import httpx
import pytest
from playwright.sync_api import Page

from otklik.dashboards.assets import read_assets
from otklik.settings import Settings
from tests.e2e.browser import PHONE, browser_page, login, open_dashboard

PAGES = ("leadership", "metrics", "auditors")
DASHBOARDS = {dashboard["slug"]: dashboard["dashboard_title"] for dashboard in read_assets()["dashboards"].values()}


def superset(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.superset_port}"


@pytest.fixture(scope="module")
def screen(night: Settings) -> Iterator[Page]:
    with browser_page() as page:
        login(page, superset(night), "leadership", night.superset_leadership_login_password)
        yield page


@pytest.mark.parametrize("name", PAGES)
def test_nobody_anonymous_reads_a_page(night: Settings, name: str) -> None:
    answer = httpx.get(f"{superset(night)}/help/{name}")
    assert answer.status_code == httpx.codes.FOUND
    assert answer.headers["location"] == f"/login/?next=%2Fhelp%2F{name}"


def test_no_other_file_is_served(night: Settings, screen: Page) -> None:
    for path in ("secrets", "leadership.html", "..%2Fbundle%2Fmetadata.yaml", "leadership/../../bundle/metadata.yaml"):
        assert screen.request.get(f"{superset(night)}/help/{path}").status == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("slug", DASHBOARDS)
def test_every_link_of_a_dashboard_leads_to_its_place(night: Settings, screen: Page, slug: str) -> None:
    open_dashboard(screen, superset(night), slug)
    links = screen.locator("a[href^='/help/']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert f"/help/leadership#{DASHBOARDS[slug].lower().replace(' ', '-')}" in map(unquote, links)
    for link in links:
        address, _, place = unquote(link).partition("#")
        page = screen.request.get(f"{superset(night)}{address}")
        assert page.status == httpx.codes.OK
        assert f'id="{place}"' in page.text(), link


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_whole_on_a_phone(night: Settings, screen: Page, name: str) -> None:
    refused = []
    with screen.context.new_page() as page:
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        page.goto(f"{superset(night)}/help/{name}")
        assert page.locator("h1").is_visible()
        # Its own styles are applied, and nothing sticks out to the right.
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(247, 248, 249)"
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert refused == []
