"""The register of the made-up region's authorities: who answers residents, and the institutions under them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import count

import numpy as np

from otklik.demo.authorities import administrations, authorities
from otklik.demo.places import Place, places

REGIONAL, MUNICIPAL, SUBORDINATE = "Областной", "Муниципальный", "Подведомственный"
GOVERNMENT = "Правительство Свердловской области"

INSTITUTIONS = 1_292
"""Schools, clinics and the like that exist at the end of 2022."""

MERGED_ON, RENAMED_ON = date(2022, 8, 31), date(2022, 3, 31)
"""The last days of the clinic that was merged into another and of the old name of the one renamed."""

_HEALTH, _SOCIAL = "Министерство здравоохранения", "Министерство социальной политики"
_EDUCATION, _ENERGY = "Министерство образования и молодёжной политики", "Министерство энергетики и ЖКХ"
_TRANSPORT = "Министерство транспорта и дорожного хозяйства"
# Bodies that answer residents for a ministry of theirs.
_FOUNDERS = {
    "Управление автомобильных дорог": _TRANSPORT,
    "Центр организации пассажирских перевозок": _TRANSPORT,
    "Фонд капитального ремонта": _ENERGY,
    "Региональный оператор по обращению с отходами": _ENERGY,
    "Теплоснабжающая организация области": _ENERGY,
    "Водоканал области": _ENERGY,
    "Областные электрические сети": _ENERGY,
    "Многофункциональный центр": GOVERNMENT,
    "Медицинский информационный центр": _HEALTH,
}
_GENITIVE = {
    "городской": "городского",
    "городское": "городского",
    "сельское": "сельского",
    "муниципальный": "муниципального",
    "муниципальное": "муниципального",
    "округ": "округа",
    "район": "района",
    "поселение": "поселения",
    "образование": "образования",
    "город": "города",
}


@dataclass(frozen=True)
class Kind:
    """A kind of institution: `founder` is a ministry, or None for the municipality's administration."""

    slug: str
    name: str
    share: float
    founder: str | None = None


KINDS = (
    Kind("school", "МАОУ «Средняя общеобразовательная школа{}»", 0.34),
    Kind("kindergarten", "МБДОУ «Детский сад{}»", 0.27),
    Kind("culture", "МБУК «Дом культуры{}»", 0.09),
    Kind("library", "МБУК «Библиотека{}»", 0.07),
    Kind("clinic", "ГАУЗ СО «Больница{}»", 0.07, _HEALTH),
    Kind("arts", "МБУДО «Детская школа искусств{}»", 0.05),
    Kind("sport", "МБУ «Спортивная школа{}»", 0.04),
    Kind("social", "ГАУСО СО «Центр социального обслуживания населения{}»", 0.03, _SOCIAL),
    Kind("college", "ГАПОУ СО «Колледж{}»", 0.02, _EDUCATION),
    Kind("museum", "МБУК «Краеведческий музей{}»", 0.02),
)


@dataclass(frozen=True)
class Body:
    """One row of the register: an authority as it was from `valid_from` to `valid_to`, both included.

    `slug` is its kind; `place` is the number of its municipality, None for the whole region.
    """

    authority_id: str
    name: str
    level: str
    founder: str
    slug: str
    place: int | None
    valid_from: date | None = None
    valid_to: date | None = None


@cache
def register() -> tuple[Body, ...]:
    """Return all rows, the answering authorities first; the merged and the renamed one have their history."""
    numbers = count(1)
    bodies = [_answering(f"A{next(numbers):04}", each.name) for each in authorities()]
    known = {body.place for body in bodies if body.slug == "administration"}
    bodies += [
        Body(f"A{next(numbers):04}", administration_of(place), MUNICIPAL, GOVERNMENT, "administration", number)
        for number, place in enumerate(places())
        if number not in known
    ]
    owners = {body.place: body.name for body in bodies if body.slug == "administration"}
    for number, (place, how_many) in enumerate(zip(places(), _institutions_by_place(), strict=True)):
        bodies += _institutions(numbers, number, place, int(how_many), owners[number])
    return tuple(_with_history(bodies, f"A{next(numbers):04}"))


def administration_of(place: Place) -> str:
    """Return the name of a municipality's administration, in the genitive that Russian wants."""
    words = place.name.split(" ")
    if words[0] not in _GENITIVE:
        adjective = words[0].removesuffix("ий").removesuffix("ое").removesuffix("ый") + "ого"
        return " ".join(["Администрация", adjective, *(_GENITIVE[word] for word in words[1:])])
    generic = next(number for number, word in enumerate(words) if word not in _GENITIVE)
    return " ".join(["Администрация", *(_GENITIVE[word] for word in words[:generic]), *words[generic:]])


@cache
def living() -> tuple[Body, ...]:
    """Return what exists at the end of 2022, one row for each authority."""
    return tuple(body for body in register() if body.valid_to is None)


@cache
def merged() -> Body:
    """Return the clinic that was merged into another of its municipality in 2022."""
    return next(body for body in register() if body.valid_to == MERGED_ON)


@cache
def successor() -> Body:
    """Return the clinic that took over the merged one."""
    return next(body for body in living() if body.slug == "clinic" and body.place == merged().place)


def _answering(authority_id: str, name: str) -> Body:
    if name in _FOUNDERS:
        return Body(authority_id, name, SUBORDINATE, _FOUNDERS[name], "agency", None)
    if name.endswith("района Екатеринбурга"):
        city = _place_number("город Екатеринбург")
        return Body(authority_id, name, MUNICIPAL, "Администрация города Екатеринбурга", "district", city)
    place = _administered().get(name)
    if place is not None:
        return Body(authority_id, name, MUNICIPAL, GOVERNMENT, "administration", place)
    return Body(authority_id, name, REGIONAL, GOVERNMENT, "ministry", None)


def _place_number(name: str) -> int:
    return next(number for number, place in enumerate(places()) if place.name == name)


@cache
def _administered() -> dict[str, int]:
    """Return name of an answering administration -> number of its municipality."""
    numbers = {place.oktmo: number for number, place in enumerate(places())}
    return {authority.name: numbers[oktmo] for oktmo, authority in administrations().items()}


def _institutions_by_place() -> np.ndarray:
    """Share the institutions out: a big city has more of them, but fewer a resident."""
    least = 2
    weight = np.array([place.weight for place in places()]) ** 0.85
    exact = weight / weight.sum() * (INSTITUTIONS - least * len(weight))
    whole = np.floor(exact).astype(np.int64)
    left = INSTITUTIONS - least * len(weight) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    shared: np.ndarray = whole + least
    return shared


def _institutions(numbers: count[int], number: int, place: Place, how_many: int, administration: str) -> list[Body]:
    """Name a municipality's institutions, of each kind by its share; the first of a kind has no number."""
    due = {kind: kind.share for kind in KINDS}
    named: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    bodies = []
    for _ in range(how_many):
        kind = max(KINDS, key=lambda each: due[each])
        due = {each: due[each] + each.share - (each is kind) for each in KINDS}
        named[kind] += 1
        label = f" № {named[kind]}" if named[kind] > 1 else ""
        name = f"{kind.name.format(label)}, {place.name}"
        founder = kind.founder or administration
        bodies.append(Body(f"A{next(numbers):04}", name, SUBORDINATE, founder, kind.slug, number))
    return bodies


def _with_history(bodies: list[Body], fresh_id: str) -> list[Body]:
    """Return the bodies with what the register remembers of 2022: a museum's old name and a merged clinic."""
    place = _place_number("город Нижний Тагил")
    museum, clinic = (
        next(body for body in bodies if body.slug == slug and body.place == place) for slug in ("museum", "clinic")
    )
    before = replace(museum, name=f"МБУК «Музей истории завода», {places()[place].name}", valid_to=RENAMED_ON)
    after = replace(museum, valid_from=RENAMED_ON + timedelta(days=1))
    name = f"ГАУЗ СО «Детская поликлиника», {places()[place].name}"
    gone = replace(clinic, authority_id=fresh_id, name=name, valid_to=MERGED_ON)
    at = bodies.index(museum)
    return [*bodies[:at], before, after, *bodies[at + 1 :], gone]
