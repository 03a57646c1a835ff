"""How fast the screens are with 1,000,000 messages: `make bench-screens`.

The made-up region with copies of its messages, and Superset as `otklik up` runs it. Each dashboard is opened once in
Chromium, as leadership opens it. What it asked is then asked again:

- of the database, the SQL of each chart and of each filter's list, with nothing kept (`chart_p95_ms`, `filter_p95_ms`);
- of Superset, each chart, with nothing kept (`chart_answer_p95_ms`);
- by the night: a last night is loaded, built, checked and published, and Superset is warmed (`warm_s`);
- by 50 readers, who open «Итоги года» and «Время ответа» in turn for two minutes and look at each for 5 to 15 seconds
  (`readers50_p95_ms` of the data of charts, `readers50_page_p95_ms` of a dashboard with all that is on it).

Everything shares this machine: database, Superset and readers.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
import psycopg

from benchmarks.figures import figure, say
from benchmarks.models import settle
from benchmarks.readers import CHART_DATA, LOGIN, PAGE, Answered, Ask, openings, read_together
from benchmarks.region import load_last_night, load_region, publish_marts
from benchmarks.warehouse import throwaway_warehouse
from otklik.dashboards.access import READERS as READERS_OF_ALL
from otklik.dashboards.apply import apply
from otklik.dashboards.assets import read_assets
from otklik.dashboards.warming import warm
from otklik.runtime.health import superset_trouble
from otklik.runtime.ports import next_free
from otklik.runtime.superset import superset_command, superset_environment
from otklik.settings import PREFIX, Settings

MESSAGES = 1_000_000
READERS, SECONDS = 50, 120
READ_TOGETHER = ("itogi-goda", "vremya-otveta")
_TURNS = 5
_SLOWEST = 3
_FIRST_PORT = 8290
_START_SECONDS = 120


@dataclass(frozen=True)
class Question:
    """What a chart or a filter asks; `sql` are its statements, as Superset writes them."""

    name: str
    ask: Ask
    sql: tuple[str, ...]

    @property
    def is_filter(self) -> bool:
        return self.ask.chart is None


def main(messages: int) -> None:
    """Measure and print the figures."""
    with throwaway_warehouse() as settings:
        night = load_region(settings, messages)
        say("Building the marts")
        publish_marts(settings)
        settle(settings)
        with _superset(settings) as running:
            asked = openings(running, _slugs())
            measure_questions(running, asked)
            say("Loading and publishing the last night")
            load_last_night(running, night)
            publish_marts(running)
            settle(running)
            done = warm(running)
            figure("warm_s", done.seconds, "s")
            figure("warm_questions", done.asked, "questions")
            say(f"{done.failed} of them failed")
            measure_readers(running, [asked[slug] for slug in READ_TOGETHER if slug in asked])


def measure_questions(settings: Settings, asked: Mapping[str, Sequence[Ask]]) -> None:
    """Measure what the database and Superset take for each question with nothing kept."""
    with _logged_in(settings) as superset:
        questions = _questions(superset, asked)
        charts = [question for question in questions if not question.is_filter]
        say(f"{len(charts)} charts, {len(questions) - len(charts)} lists of filters")
        # Reads all that dashboards do: quality, too.
        with psycopg.connect(settings.dsn("auditor"), autocommit=True) as marts:
            by_sql = {question: _median(partial(_run, marts, question)) for question in questions}
        by_superset = {chart: _median(partial(_answer, superset, chart)) for chart in charts}
    _tell("chart", {chart: by_sql[chart] for chart in charts})
    figure("chart_max_ms", max(by_sql[chart] for chart in charts) * 1000, "ms")
    _tell("filter", {question: seconds for question, seconds in by_sql.items() if question.is_filter})
    _tell("chart_answer", by_superset)


def measure_readers(settings: Settings, dashboards: Sequence[Sequence[Ask]]) -> None:
    """Measure what many readers see at a time."""
    answers = read_together(settings, dashboards, READERS, SECONDS)
    name = f"readers{READERS}"
    figure(f"{name}_answers", sum(answer.path == CHART_DATA for answer in answers), "answers")
    figure(f"{name}_pages", sum(answer.path == PAGE for answer in answers), "pages")
    figure(f"{name}_errors", sum(answer.error is not None for answer in answers), "errors")
    for path, what in ((CHART_DATA, "p95"), (PAGE, "page_p95")):
        figure(f"{name}_{what}_ms", _p95([answer.seconds for answer in answers if answer.path == path]) * 1000, "ms")
    _say_slowest(answers)


@contextmanager
def _superset(settings: Settings) -> Iterator[Settings]:
    """Run Superset as `otklik up` does, with the project's dashboards; yield the settings that lead to it."""
    port = next_free(_FIRST_PORT)
    settings = settings.model_copy(update={"superset_port": port, "superset_inside": f"http://127.0.0.1:{port}"})
    for line in apply(settings):
        say(line)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with open(settings.var / "superset.log", "wb") as log:
        server = subprocess.Popen(
            superset_command(settings), env=inherited | superset_environment(settings), stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while trouble := superset_trouble(settings):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"Superset of the benchmark does not start: {trouble}")
            time.sleep(0.5)
        yield settings
    finally:
        server.terminate()
        server.wait()


def _slugs() -> list[str]:
    """Return the dashboards that leadership may open."""
    dashboards = read_assets()["dashboards"].values()
    return [content["slug"] for content in dashboards if "otklik_dashboards" in content.get("readers", READERS_OF_ALL)]


@contextmanager
def _logged_in(settings: Settings) -> Iterator[httpx.Client]:
    """Log in as a program does; what it asks is never kept."""
    with httpx.Client(base_url=settings.superset_inside, timeout=120, trust_env=False) as superset:
        login = {"username": LOGIN, "password": settings.superset_leadership_login_password, "provider": "db"}
        token = superset.post("/api/v1/security/login", json=login).raise_for_status().json()["access_token"]
        superset.headers["Authorization"] = f"Bearer {token}"
        yield superset


def _questions(superset: httpx.Client, asked: Mapping[str, Sequence[Ask]]) -> list[Question]:
    """Return each question once, with the SQL that Superset makes of it."""
    questions: dict[str, Question] = {}
    for slug, asks in asked.items():
        charts = superset.get(f"/api/v1/dashboard/{slug}/charts").raise_for_status().json()["result"]
        names = {chart["id"]: chart["slice_name"] for chart in charts}
        for ask in asks:
            if ask.is_chart_data:
                sql = tuple(result["query"] for result in _answer(superset, ask))
                column = json.loads(ask.body or "")["queries"][0]["columns"]
                name = f"{slug}: {names[ask.chart] if ask.chart else column}"
                questions.setdefault("\n".join(sql), Question(name, ask, sql))
    return list(questions.values())


def _answer(superset: httpx.Client, ask: Ask | Question) -> list[dict[str, str]]:
    ask = ask.ask if isinstance(ask, Question) else ask
    headers = {"Content-Type": "application/json"}
    results: list[dict[str, str]] = (
        superset.post(ask.path, content=ask.body, headers=headers).raise_for_status().json()["result"]
    )
    return results


def _run(marts: psycopg.Connection, question: Question) -> None:
    for statement in question.sql:
        marts.execute(statement).fetchall()


def _median(run: Callable[[], object]) -> float:
    """Return the seconds that it takes, the median of some turns."""
    seconds = []
    for _ in range(_TURNS):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _tell(name: str, seconds: Mapping[Question, float]) -> None:
    figure(f"{name}_p95_ms", _p95(list(seconds.values())) * 1000, "ms")
    for question in sorted(seconds, key=seconds.__getitem__, reverse=True)[:_SLOWEST]:
        say(f"  {seconds[question] * 1000:.0f} ms: {question.name}")


def _p95(seconds: Sequence[float]) -> float:
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]


def _say_slowest(answers: Sequence[Answered]) -> None:
    """Say of each kind of request how many there were, how long the median and the slow ones took, and each error."""
    kinds: dict[str, list[float]] = {}
    for answer in answers:
        kinds.setdefault(re.sub(r"\d+", "N", answer.path), []).append(answer.seconds)
    for kind, seconds in sorted(kinds.items()):
        median, slow = statistics.median(seconds) * 1000, _p95(seconds) * 1000
        say(f"  {len(seconds):6} {kind}: median {median:.0f} ms, p95 {slow:.0f} ms")
    for answer in answers:
        if answer.error:
            say(f"  {answer.path}: {answer.error}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES)
