"""Who answers residents in the made-up region, and how quick each one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from otklik.demo.places import places
from otklik.demo.topics import MUNICIPAL, SUBTOPICS


@dataclass(frozen=True)
class Authority:
    """One body that answers; `pace` multiplies the time to respond (1 = the region's usual)."""

    name: str
    pace: float


_ADMINISTRATIONS = {
    "65701000": Authority("Администрация города Екатеринбурга", 1.15),
    "65751000": Authority("Администрация города Нижний Тагил", 0.8),
    "65740000": Authority("Администрация города Каменска-Уральского", 0.7),
    "65753000": Authority("Администрация городского округа Первоуральск", 1.9),
    "65756000": Authority("Администрация Серовского городского округа", 1.0),
    "65752000": Authority("Администрация Новоуральского городского округа", 0.55),
    "65730000": Authority("Администрация Асбестовского городского округа", 1.25),
    "65754000": Authority("Администрация Полевского городского округа", 0.9),
    "65719000": Authority("Администрация городского округа Ревда", 1.1),
    "65745000": Authority("Администрация городского округа Краснотурьинск", 0.75),
    "65732000": Authority("Администрация городского округа Верхняя Пышма", 0.6),
    "65749000": Authority("Администрация городского округа «Город Лесной»", 0.65),
    "65731000": Authority("Администрация Березовского городского округа", 1.4),
    "65708000": Authority("Администрация Верхнесалдинского городского округа", 1.2),
    "65743000": Authority("Администрация Качканарского городского округа", 0.95),
    "65747000": Authority("Администрация городского округа Красноуфимск", 0.85),
    "65720000": Authority("Администрация Режевского городского округа", 1.6),
    "65739000": Authority("Администрация города Ирбита", 1.05),
    "65728000": Authority("Администрация города Алапаевска", 1.75),
    "65722000": Authority("Администрация Сысертского городского округа", 1.3),
}
_CITY_DISTRICTS = (
    (Authority("Администрация Верх-Исетского района Екатеринбурга", 0.9), 0.15),
    (Authority("Администрация Железнодорожного района Екатеринбурга", 0.85), 0.11),
    (Authority("Администрация Кировского района Екатеринбурга", 1.0), 0.16),
    (Authority("Администрация Ленинского района Екатеринбурга", 0.75), 0.11),
    (Authority("Администрация Октябрьского района Екатеринбурга", 1.2), 0.10),
    (Authority("Администрация Орджоникидзевского района Екатеринбурга", 1.35), 0.19),
    (Authority("Администрация Чкаловского района Екатеринбурга", 1.1), 0.14),
    (Authority("Администрация Академического района Екатеринбурга", 0.65), 0.04),
)
_DISTRICT_SHARE = 0.7  # of Yekaterinburg's municipal matters
_GOVERNANCE_DISTRICTS = {
    "Восточный": Authority("Администрация Восточного управленческого округа", 1.3),
    "Горнозаводской": Authority("Администрация Горнозаводского управленческого округа", 1.0),
    "Западный": Authority("Администрация Западного управленческого округа", 1.1),
    "Северный": Authority("Администрация Северного управленческого округа", 1.45),
    "Южный": Authority("Администрация Южного управленческого округа", 0.95),
}
_REGIONAL = {
    "m_health": Authority("Министерство здравоохранения", 1.0),
    "m_education": Authority("Министерство образования и молодёжной политики", 0.7),
    "m_transport": Authority("Министерство транспорта и дорожного хозяйства", 1.2),
    "m_energy": Authority("Министерство энергетики и ЖКХ", 0.9),
    "m_social": Authority("Министерство социальной политики", 0.6),
    "m_nature": Authority("Министерство природных ресурсов и экологии", 1.5),
    "m_sport": Authority("Министерство физической культуры и спорта", 0.8),
    "m_culture": Authority("Министерство культуры", 0.75),
    "m_building": Authority("Министерство строительства и развития инфраструктуры", 1.65),
    "housing_inspection": Authority("Департамент государственного жилищного и строительного надзора", 1.55),
    "veterinary": Authority("Департамент ветеринарии", 0.9),
    "employment": Authority("Департамент по труду и занятости населения", 0.7),
    "roads": Authority("Управление автомобильных дорог", 1.3),
    "capital_repair": Authority("Фонд капитального ремонта", 1.8),
    "waste": Authority("Региональный оператор по обращению с отходами", 1.25),
    "heat": Authority("Теплоснабжающая организация области", 0.95),
    "water": Authority("Водоканал области", 0.85),
    "power": Authority("Областные электрические сети", 0.7),
    "transport": Authority("Центр организации пассажирских перевозок", 1.05),
    "mfc": Authority("Многофункциональный центр", 0.6),
    "health_info": Authority("Медицинский информационный центр", 0.65),
}


@cache
def authorities() -> tuple[Authority, ...]:
    """All authorities, in a stable order: an authority's number is its place here."""
    return (
        *_ADMINISTRATIONS.values(),
        *(authority for authority, _ in _CITY_DISTRICTS),
        *_GOVERNANCE_DISTRICTS.values(),
        *_REGIONAL.values(),
    )


def administrations() -> Mapping[str, Authority]:
    """Return the administrations that answer for themselves: OKTMO of the municipality -> authority."""
    return _ADMINISTRATIONS


def _answering(place_number: int, owner: str) -> dict[Authority, float]:
    place = places()[place_number]
    if owner != MUNICIPAL:
        return {_REGIONAL[owner]: 1.0}
    if place.district == "Екатеринбург":
        shares = {district: share * _DISTRICT_SHARE for district, share in _CITY_DISTRICTS}
        return shares | {_ADMINISTRATIONS[place.oktmo]: 1 - _DISTRICT_SHARE}
    own = _ADMINISTRATIONS.get(place.oktmo)
    return {own or _GOVERNANCE_DISTRICTS[place.district]: 1.0}


def assign_authorities(subtopic: np.ndarray, place: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Number of the answering authority per incident, from its subtopic, place and a draw in [0, 1)."""
    number = {authority: n for n, authority in enumerate(authorities())}
    chosen = np.empty(len(subtopic), dtype=np.int64)
    pair = subtopic * len(places()) + place
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        theme, where = divmod(int(pair[rows[0]]), len(places()))
        shares: dict[int, float] = {}
        for owner, owner_share in SUBTOPICS[theme].owners.items():
            for authority, share in _answering(where, owner).items():
                shares[number[authority]] = owner_share * share
        upto = np.cumsum(list(shares.values()))
        pick = np.searchsorted(upto / upto[-1], draw[rows], side="right")
        chosen[rows] = np.array(list(shares))[np.minimum(pick, len(shares) - 1)]
    return chosen
