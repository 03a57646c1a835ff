"""The start page of the site."""

import re

from otklik.settings import Settings
from otklik.site import write_start_page


def links(page: str) -> dict[str, str]:
    return {title: address for address, title in re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)}


def test_each_reader_is_led_to_what_is_theirs(warehouse: Settings) -> None:
    for folder in ("quality", "dbt"):
        (warehouse.var / "site" / folder).mkdir(parents=True)
        (warehouse.var / "site" / folder / "index.html").touch()
    page = write_start_page(warehouse).read_text(encoding="utf-8")
    assert re.findall(r"<h2>(.+)</h2>", page) == ["Руководству", "Аудиторам", "Аналитикам", "Инженерам"]
    superset, airflow = f"http://127.0.0.1:{warehouse.superset_port}", f"http://127.0.0.1:{warehouse.airflow_port}"
    assert links(page) == {
        "Время ответа": f"{superset}/superset/dashboard/vremya-otveta/",
        "Отчёты о качестве": "quality/",
        "Описание данных": "dbt/",
        "Запросы SQL": f"{superset}/sqllab/",
        "Ночи": f"{airflow}/dags/incidents",
        "Витрины": f"{airflow}/dags/marts",
    }


def test_what_the_first_night_has_yet_to_make_is_said_and_not_linked(warehouse: Settings) -> None:
    page = write_start_page(warehouse).read_text(encoding="utf-8")
    assert {"Отчёты о качестве", "Описание данных"}.isdisjoint(links(page))
    assert page.count("Появится после первой загрузки") == 4


def test_the_page_needs_nothing_from_the_internet(warehouse: Settings) -> None:
    page = write_start_page(warehouse).read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)\b", page)
    assert set(re.findall(r"https?://([^/:\"]+)", page)) == {"127.0.0.1"}
