"""What a night asks about: pages and surveys, as the registries in `raw` name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageEntry:
    """One page of the registry; `external_id` is what its network knows it by, as somebody wrote it."""

    page_id: str
    network: str
    external_id: str


@dataclass(frozen=True)
class SurveyEntry:
    """One survey of the registry, and how far it has been read.

    `cursor` is the source's own mark of the newest response that `raw` holds (LimeSurvey: its id; KoboToolbox and
    Yandex Forms: its time of submission, ISO 8601), or None before the first.
    """

    survey_id: str
    system: str
    external_id: str
    cursor: str | None = None
