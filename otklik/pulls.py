"""What a night asks outside systems: pages of networks, surveys, requests, and posts of the complaint channel."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

import psycopg

from otklik.answers import AnswerLoad, Told
from otklik.errors import SourceError
from otklik.interval import Interval
from otklik.settings import Settings
from otklik.sources.connection import Connection
from otklik.sources.systems import SYSTEMS
from otklik.warehouse import registry

# Pages and surveys in one task: large enough that its start is not felt, small enough to be tried again.
PAGES_A_PART = 500
SURVEYS_A_PART = 25


@dataclass(frozen=True)
class Part:
    """One part of a night's questions to a system: some entries of a region's register, by their ids.

    `live` tells that the night is now: what the system shows at this moment belongs to it.
    """

    region_code: str
    number: int
    ids: tuple[str, ...]
    live: bool

    @property
    def name(self) -> str:
        """Return what the part's landed file is called."""
        return f"{self.region_code}-{self.number:03}"

    def as_dict(self) -> dict[str, Any]:
        """Return the part as a task can hand it on, with a name for people."""
        return asdict(self) | {"name": f"{self.name}: {self.ids[0]} … {self.ids[-1]}"}

    @classmethod
    def of_dict(cls, part: dict[str, Any]) -> Self:
        """Return the part that `as_dict` made."""
        return cls(part["region_code"], part["number"], tuple(part["ids"]), part["live"])


def page_parts(network: str, connection: Connection | None, interval: Interval, settings: Settings) -> list[Part]:
    """Return the parts of a night's pages on a network, after asking the network what time it is there.

    Raise CredentialsError when it refuses the token, SourceError when there are pages and no connection.
    """
    with psycopg.connect(settings.dsn("loader")) as warehouse:
        pages = registry.pages(warehouse, network, interval.last_day)
    ids = {region: [page.page_id for page in of] for region, of in pages.items()}
    return list(_parts(network, connection, ids, PAGES_A_PART, interval))


def survey_parts(system: str, connection: Connection | None, interval: Interval, settings: Settings) -> list[Part]:
    """Return the parts of a night's surveys in a system; errors as those of `page_parts`."""
    with psycopg.connect(settings.dsn("loader")) as warehouse:
        surveys = registry.surveys(warehouse, system, interval.last_day)
    ids = {region: [survey.survey_id for survey in of] for region, of in surveys.items()}
    return list(_parts(system, connection, ids, SURVEYS_A_PART, interval))


def pull_pages(network: str, part: Part, connection: Connection, interval: Interval, settings: Settings) -> list[Told]:
    """Read the part's pages that this night has not read yet, and load what was said of them."""
    load = AnswerLoad(SYSTEMS[network], part.region_code, interval, settings)
    told = load.load_left_over(part.name)
    with psycopg.connect(settings.dsn("loader")) as warehouse:
        pages = registry.pages(warehouse, network, interval.last_day).get(part.region_code, [])
        wanted = set(part.ids) - registry.pages_read(warehouse, network, part.region_code, interval)
    if unread := [page for page in pages if page.page_id in wanted]:
        answers = list(load.system.module.pull(connection, interval, unread, live=part.live))
        if answers:
            told.append(load.land_and_load(part.name, answers))
    return told


def pull_surveys(name: str, part: Part, connection: Connection, interval: Interval, settings: Settings) -> list[Told]:
    """Read what is new in the part's surveys, and load it."""
    load = AnswerLoad(SYSTEMS[name], part.region_code, interval, settings)
    told = load.load_left_over(part.name)
    with psycopg.connect(settings.dsn("loader")) as warehouse:
        surveys = registry.surveys(warehouse, name, interval.last_day).get(part.region_code, [])
    if asked := [survey for survey in surveys if survey.survey_id in part.ids]:
        told.append(load.land_and_load(part.name, load.system.module.pull(connection, interval, asked)))
    return told


def pull_requests(connection: Connection, interval: Interval, settings: Settings) -> list[Told]:
    """Read the requests of an Open311 server that are new or changed, and load them."""
    load = AnswerLoad(SYSTEMS["open311"], _region(connection), interval, settings)
    told = load.load_left_over(load.region_code)
    with psycopg.connect(settings.dsn("loader")) as warehouse:
        last = registry.last_update(warehouse, load.system.name, load.region_code)
    # A night filled in later is asked for by its own days.
    cursor = last if last and last <= interval.end else None
    return [*told, load.land_and_load(load.region_code, load.system.module.pull(connection, interval, cursor))]


def pull_channel(connection: Connection, interval: Interval, settings: Settings) -> list[Told]:
    """Read the posts of the complaint channel; each answer is loaded before Telegram is told that it was received."""
    load = AnswerLoad(SYSTEMS["telegram_channel"], _region(connection), interval, settings)
    told = load.load_left_over(f"{load.region_code}-*")
    answers = []
    # Asking for the next answer confirms the one before, so each has landed by then.
    for number, answer in enumerate(load.system.module.pull(connection)):
        told.append(load.land_and_load(f"{load.region_code}-{number:03}", [answer]))
        answers.append(answer)
    load.system.module.confirm(connection, answers)
    return told


def summary(told: list[Told]) -> str:
    """Return the counts of all ledger lines by entity, a line each."""
    counts: dict[str, Counter[str]] = {}
    for report in (report for each in told for report in each.reports):
        counts.setdefault(report.entity, Counter()).update(
            read=report.rows_read,
            loaded=report.rows_loaded,
            rejected=report.rows_rejected,
            unchanged=report.rows_unchanged,
            deleted=report.rows_deleted,
        )
    lines = [f"{entity}: " + ", ".join(f"{n} {what}" for what, n in of.items()) for entity, of in counts.items()]
    return "\n".join(lines) or "nothing to ask"


def _parts(
    name: str, connection: Connection | None, ids: dict[str, list[str]], size: int, interval: Interval
) -> Iterator[Part]:
    if not ids:
        return
    if connection is None:
        raise SourceError(
            f"The register has entries in {name}, and there is no connection {name}: add it to connections.yaml "
            "or to Airflow's connections"
        )
    live = interval.is_now(SYSTEMS[name].module.check(connection))
    for region_code, all_of_it in ids.items():
        for number, start in enumerate(range(0, len(all_of_it), size)):
            yield Part(region_code, number, tuple(all_of_it[start : start + size]), live)


def _region(connection: Connection) -> str:
    if region_code := connection.extra.get("region"):
        return region_code
    raise SourceError(f"Connection {connection.name}: set region in its extra to the code of the region it tells of")
