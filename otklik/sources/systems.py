"""The outside systems there are: which module speaks to each, and what its answers are made of."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from otklik.sources.records import Answer, Listing, Records

NETWORKS = ("vk", "ok", "telegram", "max")
SURVEY_SYSTEMS = ("limesurvey", "yandex_forms", "kobo")

_PAGES = ("page_snapshot",)
_SURVEYS = ("survey_question", "survey_option", "survey_response", "survey_answer")
_INCIDENTS = ("incident",)


@dataclass(frozen=True)
class System:
    """One outside system; its name is that of the Airflow connection and of the source in `raw`."""

    name: str
    entities: tuple[str, ...]
    module_name: str

    @property
    def module(self) -> ModuleType:
        """Return the module with `check`, `pull` and `read`, imported when it is needed."""
        return import_module(f"otklik.sources.{self.module_name}")

    @property
    def read(self) -> Callable[[Iterable[Answer]], Iterator[Records | Listing]]:
        """Return what reads records out of answers; it never raises, whatever they hold."""
        return self.module.read  # type: ignore[no-any-return]


SYSTEMS = {
    system.name: system
    for system in (
        System("vk", _PAGES, "vk"),
        System("ok", _PAGES, "ok"),
        System("telegram", _PAGES, "telegram"),
        System("max", _PAGES, "max_messenger"),
        System("limesurvey", _SURVEYS, "limesurvey"),
        System("yandex_forms", _SURVEYS, "yandex_forms"),
        System("kobo", _SURVEYS, "kobo"),
        System("open311", _INCIDENTS, "open311"),
        System("telegram_channel", _INCIDENTS, "telegram_channel"),
    )
}
