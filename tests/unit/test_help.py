"""Pages of help: what is written, where its links lead, and that a reader finds there what stands on the screens."""

import re
from urllib.parse import unquote

import pytest

from otklik.dashboards.assets import charts_of, read_assets
from otklik.dashboards.explained import anchor, definitions
from otklik.dashboards.help import read_document, write_help
from otklik.dashboards.metric_pages import Group, Metric, Way, groups
from otklik.settings import PROJECT

PAGES = ("leadership", "auditors", "metrics")
DASHBOARDS = read_assets()["dashboards"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages as Superset serves them, by name."""
    folder = tmp_path_factory.mktemp("help") / "help"
    write_help(folder)
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def subjects() -> tuple[Group, ...]:
    return groups()


@pytest.fixture(scope="module")
def metrics(subjects: tuple[Group, ...]) -> dict[str, Metric]:
    return {metric.name: metric for subject in subjects for metric in subject.metrics}


def anchors(page: str) -> list[str]:
    return re.findall(r'\bid="([^"]*)"', page)


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Очередь", "очередь"),
        ("Итоги года", "итоги-года"),
        ("10. Архив, которому можно верить без нас", "10-архив-которому-можно-верить-без-нас"),
        ("Ответы «в срок»: доля", "ответы-в-срок-доля"),
        ("mean_time_to_respond", "mean_time_to_respond"),
    ],
)
def test_the_anchor_of_a_heading_is_its_letters_and_digits(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


def test_a_document_becomes_a_title_headings_to_jump_to_and_links_to_pages_of_help() -> None:
    document = read_document(
        "# Как читать\n\n## Очередь\n\n### Кто ждёт\n\n"
        "[аудитору](auditors.md#очередь), [решение](decisions/0007.md), [показатель](/help/metrics#audience)\n"
    )
    assert document.title == "Как читать"
    assert document.headings == ("Очередь",)
    assert document.html == (
        '<h2 id="очередь">Очередь</h2>\n<h3 id="кто-ждёт">Кто ждёт</h3>\n'
        '<p><a href="/help/auditors#%D0%BE%D1%87%D0%B5%D1%80%D0%B5%D0%B4%D1%8C">аудитору</a>, '
        'решение, <a href="/help/metrics#audience">показатель</a></p>\n'
    )


def test_a_word_of_html_in_a_document_is_shown_and_not_obeyed() -> None:
    assert "<script>" not in read_document("# Как читать\n\n`<script>` и <script>alert(1)</script>\n").html


def test_there_are_pages_for_leadership_for_auditors_and_of_metrics(pages: dict[str, str]) -> None:
    assert sorted(pages) == sorted(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_what_there_is(name: str, pages: dict[str, str]) -> None:
    there_is = {f"/superset/dashboard/{dashboard['slug']}/" for dashboard in DASHBOARDS.values()}
    there_is |= {"/superset/welcome/", "data:,"} | {f"/help/{page}" for page in pages}
    for target in re.findall(r'href="([^"]*)"', pages[name]):
        page, _, place = target.partition("#")
        assert not page or page in there_is, target
        assert not place or unquote(place) in anchors(pages[page.removeprefix("/help/") or name]), target


@pytest.mark.parametrize("name", PAGES)
def test_no_two_places_of_a_page_have_one_anchor(name: str, pages: dict[str, str]) -> None:
    found = anchors(pages[name])
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_that_the_rules_of_the_server_forbid(name: str, pages: dict[str, str]) -> None:
    assert re.findall(r"<script|<iframe|\bon\w+=|(?:src|href)=\"(?:https?:)?//", pages[name]) == []


@pytest.mark.parametrize("name", ["leadership", "auditors"])
def test_every_heading_is_in_russian(name: str, pages: dict[str, str]) -> None:
    headings = re.findall(r"<h\d[^>]*>(.*?)</h\d>", pages[name])
    assert headings
    assert [heading for heading in headings if not re.search("[А-Яа-яЁё]", heading)] == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_explained_under_a_heading_of_its_name(name: str, pages: dict[str, str]) -> None:
    assert anchor(DASHBOARDS[name]["dashboard_title"]) in anchors(pages["leadership"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_chart_that_a_chapter_names_stands_on_its_dashboard(name: str) -> None:
    text = (PROJECT / "docs/leadership.md").read_text(encoding="utf-8")
    chapter = text.split(f"\n## {DASHBOARDS[name]['dashboard_title']}\n")[1].split("\n## ")[0]
    named = set(re.findall(r"\*\*«([^»…]+)»\*\*", chapter))
    charts = read_assets()["charts"]
    assert named - {charts[chart]["slice_name"] for chart in charts_of(DASHBOARDS[name])} == set()


def test_every_metric_has_its_place_by_name(metrics: dict[str, Metric], pages: dict[str, str]) -> None:
    assert len(metrics) == 50
    assert [name for name in metrics if name not in anchors(pages["metrics"])] == []


def test_a_metric_is_told_in_words_with_its_unit(metrics: dict[str, Metric]) -> None:
    told = metrics["messages_processed"]
    assert told.label == "Обработано сообщений"
    assert told.definition == (
        "Сообщения по местному дню, когда их взяли в работу (зарегистрировали). "
        "Сообщения об одном и том же считаются каждое."
    )
    assert told.unit == "сообщения"


def test_a_ratio_names_what_it_divides(metrics: dict[str, Metric]) -> None:
    assert [part.label for part in metrics["mean_days_open"].parts] == ["Дней в работе, всего", "Инцидентов в работе"]
    assert metrics["mean_days_open"].counted == ()


def test_a_metric_with_known_rows_gives_the_query_over_them(metrics: dict[str, Metric]) -> None:
    place = "По строкам, за период от {starts} до {ends} (этот день не входит):"
    assert metrics["messages_processed"].counted == (
        Way(
            place,
            "select count(*)\nfrom marts.fct_message as fact\n"
            "where registered_date >= {starts} and registered_date < {ends}",
        ),
    )


def test_a_metric_of_one_mart_gives_what_is_counted_there(metrics: dict[str, Metric]) -> None:
    assert metrics["incidents_open"].counted == (Way("По таблице marts.mart_backlog_daily:", "sum(open_count)"),)


def test_a_metric_names_the_dashboards_it_stands_on(metrics: dict[str, Metric]) -> None:
    assert "Время ответа" in [dashboard.title for dashboard in metrics["mean_time_to_respond"].dashboards]
    assert metrics["resolution_cohorts"].dashboards == ()


def test_a_dashboard_leads_to_the_metrics_its_charts_name_in_the_order_of_the_definitions() -> None:
    chart = {"dataset": "replies", "params": {"metrics": ["median_time_to_respond"]}}
    told = {"dataset": "figures", "params": {}, "explains": ["audience"]}
    assets = {
        "datasets": {"replies": {}, "figures": {"sql": "select value from year where metric = 'pages_working'"}},
        "charts": {"replies": chart, "figures": told, "elsewhere": {"dataset": "replies", "params": {"x": "answers"}}},
        "dashboards": {
            "year": {"rows": [[{"chart": "figures"}, {"chart": "replies"}]]},
            "bare": {"rows": [[{"chart": "elsewhere"}]]},
        },
    }
    labels = {
        "answers_given": "Ответов",
        "median_time_to_respond": "Медиана",
        "audience": "Аудитория",
        "pages_working": "Страниц",
    }
    assert definitions("year", assets, labels) == (
        "Как считается: [Медиана](/help/metrics#median_time_to_respond) · [Аудитория](/help/metrics#audience)"
        " · [Страниц](/help/metrics#pages_working)"
    )
    assert definitions("bare", assets, labels) == ""


def test_what_a_chart_explains_is_a_metric(metrics: dict[str, Metric]) -> None:
    charts = read_assets()["charts"]
    strangers = {name: set(chart.get("explains", ())) - metrics.keys() for name, chart in charts.items()}
    assert {name: found for name, found in strangers.items() if found} == {}


def test_the_documents_are_those_of_the_repository(pages: dict[str, str]) -> None:
    first = (PROJECT / "docs/leadership.md").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    assert f"<h1>{first}</h1>" in pages["leadership"]
