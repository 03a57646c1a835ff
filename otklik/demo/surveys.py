"""The made-up region's surveys: 40 completed in 2022, 22 in 2021, 3 in 2020, and one still open."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from zoneinfo import ZoneInfo

import numpy as np

from otklik.demo.places import places
from otklik.demo.standin.world import Option, Question, Response, Survey
from otklik.demo.survey_topics import MARKS, Ask, SurveyTopic, common_asks, survey_topics

ZONE = ZoneInfo("Asia/Yekaterinburg")

_SEED = 663
# The year's plan in the order of opening; a matter asked about twice has a second wave.
_PLAN = {
    2020: "distance_learning vaccination snow",
    2021: "snow clinics roads public_transport school_meals improvement_vote yards waste ecology summer_rest "
    "kindergartens school_route parks gasification sport digital_services libraries heating medicines lighting "
    "older_people public_pages",
    2022: "snow clinics school_meals vaccination waste extra_classes roads job_market public_transport libraries "
    "improvement_vote yards stray_animals ecology gasification accessibility parks water sport kindergartens "
    "culture_leisure roads summer_rest school_route medicines lighting ecology older_people digital_services "
    "school_meals clinics public_transport waste distance_learning heating water yards public_pages heating snow",
}
_FIRST_OPENING = {2020: date(2020, 11, 9), 2021: date(2021, 1, 18), 2022: date(2022, 1, 17)}
_LAST_OPENING = {2020: date(2020, 12, 7), 2021: date(2021, 12, 6), 2022: date(2022, 12, 5)}
_LONGEST_DAYS = 21
_STILL_OPEN = ("sport", date(2022, 12, 19), date(2023, 1, 22))
_MONTHS = (
    "январь", "февраль", "март", "апрель", "май", "июнь",
    "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
)  # fmt: skip
_EVERY_SO_MANY_LOCAL = 6
# One in so many is held in another system than LimeSurvey.
_YANDEX_EVERY, _KOBO_EVERY = 5, 8

_FEWEST, _MOST = 170, 880
_INCOMPLETE = 0.05
_ANSWERED = {"single": 0.97, "multiple": 0.95, "scale": 0.96, "number": 0.88, "matrix": 0.92, "open": 0.35}
_BY_HUNDREDS_FROM = 1_000
_OPENINGS = ("", "", "Хотелось бы: ", "Нужно ", "Прошу: ", "Главное — ", "Думаю, ")
_ENDINGS = ("", "", ".", "!", ", и поскорее.", ". Спасибо!", ' (говорят "потом"; ждём).', ".\nОстальное хорошо.")


@dataclass(frozen=True)
class Plan:
    """One survey of the centre's register; `number` is its place there."""

    number: int
    survey_id: str
    system: str
    external_id: str
    title: str
    topic: SurveyTopic
    municipality_code: str | None
    opened_on: date
    closed_on: date


@cache
def plans() -> tuple[Plan, ...]:
    """Return all surveys in the order of opening, the one still open at the end of 2022 last."""
    rng = np.random.default_rng(_SEED)
    numbers = count(1)
    topics = {each.slug: each for each in survey_topics()}
    planned = []
    for year, slugs in _PLAN.items():
        names = slugs.split()
        first, last = _FIRST_OPENING[year], _LAST_OPENING[year]
        for turn, slug in enumerate(names):
            opened_on = first + (last - first) * turn // (len(names) - 1)
            closed_on = opened_on + timedelta(days=int(rng.integers(10, _LONGEST_DAYS + 1)))
            planned.append(_plan(next(numbers), topics[slug], opened_on, closed_on))
    slug, opened_on, closed_on = _STILL_OPEN
    return (*planned, _plan(next(numbers), topics[slug], opened_on, closed_on))


def survey(plan: Plan) -> Survey:
    """Draw the survey's questions and its responses in the order in which they were begun."""
    rng = np.random.default_rng([_SEED, plan.number])
    questions, asks = _questions(plan)
    return Survey(
        system=plan.system,
        external_id=plan.external_id,
        title=plan.title,
        topic=plan.topic.topic,
        opened_on=plan.opened_on,
        closed_on=plan.closed_on,
        questions=questions,
        responses=_responses(rng, plan, questions, asks),
    )


def _plan(number: int, topic: SurveyTopic, opened_on: date, closed_on: date) -> Plan:
    system = "yandex_forms" if number % _YANDEX_EVERY == 0 else "kobo" if number % _KOBO_EVERY == 0 else "limesurvey"
    survey_id = f"{opened_on:%Y-%m}-{topic.slug}"
    digest = hashlib.sha256(survey_id.encode()).hexdigest()
    known_as = {
        "limesurvey": str(100_000 + int(digest, 16) % 900_000),
        "yandex_forms": digest[:24],
        "kobo": f"a{digest[:21]}",
    }
    biggest = sorted(places(), key=lambda place: -place.weight)[: _EVERY_SO_MANY_LOCAL + 1]
    where = biggest[number // _EVERY_SO_MANY_LOCAL % len(biggest)] if number % _EVERY_SO_MANY_LOCAL == 0 else None
    title = f"{topic.title}: {_MONTHS[opened_on.month - 1]} {opened_on.year}"
    if where:
        title += f" ({where.name})"
    code = where.oktmo if where else None
    return Plan(number, survey_id, system, known_as[system], title, topic, code, opened_on, closed_on)


def _questions(plan: Plan) -> tuple[tuple[Question, ...], tuple[Ask, ...]]:
    """Return the questions, two or three of them about who answers, with the words they were made of."""
    asks = (*plan.topic.asks, *common_asks()[: 2 + plan.number % 2])
    return tuple(_question(f"q{number}", ask) for number, ask in enumerate(asks, start=1)), asks


def _question(code: str, ask: Ask) -> Question:
    if ask.kind in ("single", "multiple"):
        return Question(code, ask.kind, ask.text, _options("a", ask.items))
    if ask.kind == "scale":
        return Question(code, ask.kind, ask.text, tuple(Option(str(mark), str(mark)) for mark in range(1, 6)))
    if ask.kind == "matrix":
        return Question(code, ask.kind, ask.text, _options("a", MARKS), _options("r", ask.items))
    return Question(code, ask.kind, ask.text)


def _options(letter: str, texts: Sequence[str]) -> tuple[Option, ...]:
    return tuple(Option(f"{letter}{number}", text) for number, text in enumerate(texts, start=1))


def _responses(
    rng: np.random.Generator, plan: Plan, questions: Sequence[Question], asks: Sequence[Ask]
) -> tuple[Response, ...]:
    how_many = int(rng.integers(_FEWEST, _MOST))
    started = _moments(rng, plan, how_many)
    minutes = np.clip(rng.lognormal(1.4, 0.5, how_many), 0.7, 55)
    # Only LimeSurvey keeps a form that was left before its end.
    left = (rng.random(how_many) < _INCOMPLETE) & (plan.system == "limesurvey")
    reached = np.where(left, rng.integers(0, len(questions), how_many), len(questions))
    columns = [
        _column(rng, question, ask, reached > place)
        for place, (question, ask) in enumerate(zip(questions, asks, strict=True))
    ]
    midnight = datetime.combine(plan.opened_on, time(), ZONE)
    responses = []
    for place in range(how_many):
        begun = midnight + timedelta(seconds=int(started[place]))
        answers: dict[str, str | tuple[str, ...]] = {}
        for column in columns:
            answers |= column[place]
        done = None if left[place] else begun + timedelta(seconds=int(minutes[place] * 60))
        responses.append(Response(place + 1, begun, done, answers))
    return tuple(responses)


def _moments(rng: np.random.Generator, plan: Plan, how_many: int) -> np.ndarray:
    """Draw when forms were begun: many in the first days, by day; seconds since the midnight of opening."""
    days = (plan.closed_on - plan.opened_on).days + 1
    day = np.floor(rng.beta(1.1, 1.7, how_many) * days)
    hour = np.clip(rng.normal(15.5, 3.6, how_many), 7, 22.5)
    in_order: np.ndarray = np.sort((day * 24 + hour) * 3600).astype(np.int64)
    return in_order


_Cell = Mapping[str, str | tuple[str, ...]]


def _column(rng: np.random.Generator, question: Question, ask: Ask, reached: np.ndarray) -> list[_Cell]:
    """Draw all answers to one question: one mapping a response, empty where it was left out."""
    given = reached & (rng.random(len(reached)) < _ANSWERED[question.kind])
    drawn = _DRAW[question.kind](rng, question, ask, len(reached))
    return [cell if is_given else {} for cell, is_given in zip(drawn, given.tolist(), strict=True)]


def _single(rng: np.random.Generator, question: Question, _: Ask, how_many: int) -> list[_Cell]:
    share = rng.dirichlet(np.full(len(question.options), 2.2))
    chosen = rng.choice(len(question.options), how_many, p=share).tolist()
    return [{question.code: question.options[number].code} for number in chosen]


def _multiple(rng: np.random.Generator, question: Question, _: Ask, how_many: int) -> list[_Cell]:
    codes = [option.code for option in question.options]
    chosen = rng.random((how_many, len(codes))) < rng.uniform(0.12, 0.6, len(codes))
    # Who answers at all chooses something.
    chosen[np.arange(how_many), rng.integers(0, len(codes), how_many)] |= ~chosen.any(axis=1)
    return [
        {question.code: tuple(code for code, taken in zip(codes, row, strict=True) if taken)} for row in chosen.tolist()
    ]


def _scale(rng: np.random.Generator, question: Question, _: Ask, how_many: int) -> list[_Cell]:
    marks = np.clip(np.rint(rng.normal(rng.uniform(2.8, 4.1), 1.05, how_many)), 1, 5).astype(np.int64)
    return [{question.code: str(mark)} for mark in marks.tolist()]


def _number(rng: np.random.Generator, question: Question, ask: Ask, how_many: int) -> list[_Cell]:
    least, most = (int(bound) for bound in ask.items)
    step = 100 if most > _BY_HUNDREDS_FROM else 1
    numbers = least + np.floor(rng.beta(1.6, 2.6, how_many) * ((most - least) // step + 1)).astype(np.int64) * step
    return [{question.code: str(number)} for number in numbers.tolist()]


def _matrix(rng: np.random.Generator, question: Question, ask: Ask, how_many: int) -> list[_Cell]:
    rows = [_scale(rng, Question(f"{question.code}_{row.code}", "scale", ""), ask, how_many) for row in question.rows]
    last = len(question.options)
    return [
        {code: question.options[min(int(str(mark)), last) - 1].code for cell in cells for code, mark in cell.items()}
        for cells in zip(*rows, strict=True)
    ]


def _open(rng: np.random.Generator, question: Question, ask: Ask, how_many: int) -> list[_Cell]:
    parts = [rng.integers(0, len(texts), how_many).tolist() for texts in (_OPENINGS, ask.items, _ENDINGS)]
    return [
        {question.code: _OPENINGS[opening] + ask.items[wish] + _ENDINGS[ending]}
        for opening, wish, ending in zip(*parts, strict=True)
    ]


_DRAW = {
    "single": _single,
    "multiple": _multiple,
    "scale": _scale,
    "number": _number,
    "matrix": _matrix,
    "open": _open,
}
