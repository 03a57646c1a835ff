"""The start page of the static site: it leads each kind of reader to what is theirs."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from otklik.settings import Settings


@dataclass(frozen=True)
class Link:
    """Where a reader can go; `ready` is False until a first night has made what is there."""

    title: str
    about: str
    address: str
    ready: bool = True


@dataclass(frozen=True)
class Reader:
    """A kind of reader, the question they come with, and where it is answered."""

    title: str
    question: str
    links: tuple[Link, ...]


def write_start_page(settings: Settings) -> Path:
    """Write `var/site/index.html` and return its path."""
    folder = settings.var / "site"
    folder.mkdir(parents=True, exist_ok=True)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    page = folder / "index.html"
    page.write_text(templates.get_template("site.html.j2").render(readers=_readers(settings, folder)), encoding="utf-8")
    return page


def _readers(settings: Settings, folder: Path) -> tuple[Reader, ...]:
    superset = f"http://127.0.0.1:{settings.superset_port}"
    airflow = f"http://127.0.0.1:{settings.airflow_port}"
    response_time = Link(
        "Время ответа",
        "Среднее против прошлого года, доля ответов в срок, сравнение органов власти.",
        f"{superset}/superset/dashboard/vremya-otveta/",
    )
    quality = Link(
        "Отчёты о качестве",
        "Что проверено в каждую ночь, что не сошлось и что это значит.",
        "quality/",
        (folder / "quality" / "index.html").exists(),
    )
    models = Link(
        "Описание данных",
        "Каждая таблица и колонка, определение каждого показателя, путь от строки до цифры.",
        "dbt/",
        (folder / "dbt" / "index.html").exists(),
    )
    sql_lab = Link("Запросы SQL", "Лаборатория SQL на витринах, только чтение.", f"{superset}/sqllab/")
    nights = Link("Ночи", "Прошла ли загрузка, что не загрузилось, как повторить.", f"{airflow}/dags/incidents")
    marts = Link("Витрины", "Состояние каждой модели и проверок.", f"{airflow}/dags/marts")
    return (
        Reader("Руководству", "Как быстро мы отвечаем и лучше ли, чем год назад?", (response_time,)),
        Reader("Аудиторам", "Можно ли верить цифре?", (quality, models)),
        Reader("Аналитикам", "Где данные и что значит каждая колонка?", (models, sql_lab)),
        Reader("Инженерам", "Прошла ли ночь?", (nights, marts, quality)),
    )
