"""What the made-up region's centre published: live broadcasts with heads, and information materials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

import numpy as np

from otklik.demo.institutions import Body, living
from otklik.demo.places import places
from otklik.demo.rhythm import DAY, day_off, local_seconds

BROADCASTS = {2020: 1, 2021: 12, 2022: 20}
MATERIALS = {2020: 96, 2021: 1_184, 2022: 1_537}
"""How many of each the centre had in a year (the first one: November and December)."""

_SEED = 664
_FIRST_DAYS = {2020: date(2020, 11, 9), 2021: date(2021, 1, 12), 2022: date(2022, 1, 11)}
_LAST_DAY_OF_YEAR = (12, 28)
_NETWORKS, _NETWORK_SHARES = ("ВКонтакте", "Одноклассники", "Telegram"), (0.62, 0.24, 0.14)
_FORMATS = {
    "Текст": 0.2,
    "Картинка": 0.27,
    "Инфографика": 0.19,
    "Видео": 0.17,
    "Статья": 0.1,
    "История": 0.05,
    "Подкаст": 0.02,
}
_TOLD = 0.97  # share of materials whose views the network tells
_SITE = "https://example.invalid"

# Post of the guest: authority of the register, what the broadcast is about.
_DEPARTMENT_GUESTS = (
    ("Министр здравоохранения", "Министерство здравоохранения", "запись к врачу и запас лекарств"),
    ("Министр образования", "Министерство образования и молодёжной политики", "школы и школьное питание"),
    ("Министр транспорта", "Министерство транспорта и дорожного хозяйства", "состояние дорог"),
    ("Министр ЖКХ", "Министерство энергетики и ЖКХ", "тепло, вода и ремонт домов"),
    ("Министр социальной политики", "Министерство социальной политики", "поддержка семей с детьми"),
    ("Министр природных ресурсов", "Министерство природных ресурсов и экологии", "чистый воздух и вывоз мусора"),
    ("Министр спорта", "Министерство физической культуры и спорта", "спорт рядом с домом"),
    ("Министр культуры", "Министерство культуры", "библиотеки и дома культуры"),
)
# In this order of municipalities a head is asked each time a department is not.
_HEADS = (
    "город Нижний Тагил",
    "город Каменск-Уральский",
    "городской округ Первоуральск",
    "Серовский городской округ",
    "Новоуральский городской округ",
    "Асбестовский городской округ",
    "Полевской городской округ",
    "городской округ Ревда",
    "Березовский городской округ",
    "городской округ Верхняя Пышма",
    "муниципальное образование город Ирбит",
    "городской округ Краснотурьинск",
)
_HEAD_MATTERS = ("благоустройство дворов", "дороги и освещение", "вопросы жителей", "детские сады и школы")

_SUBJECTS = {
    "Образование": ("Как записать ребёнка в первый класс", "Что едят в школьной столовой", "Какие кружки открылись"),
    "Здравоохранение": ("Как записаться к врачу", "Где сделать прививку", "Что изменилось в поликлиниках"),
    "Дороги": ("Где ремонтируют дороги", "Как убирают снег", "Куда сообщить о яме"),
    "ЖКХ": ("Когда включат отопление", "Как читать квитанцию", "Что делать при отключении воды"),
    "Благоустройство": ("За что голосовать: проекты дворов", "Каким станет сквер", "Как осветили улицы"),
    "Социальная поддержка": ("Кому положена выплата", "Как получить путёвку", "Какие льготы есть у ветеранов"),
    "Транспорт": ("Как изменились маршруты", "Где следить за автобусом", "Как оплатить проезд картой"),
    "Экология": ("Как сдать батарейки", "Что показали замеры воздуха", "Где посадили деревья"),
    "Культура": ("Куда сходить в выходные", "Чем удивит библиотека", "Какие праздники впереди"),
    "Безопасность": ("Как не попасться мошенникам", "Почему опасен лёд", "Как вести себя на пожаре"),
}
_SHAPES = ("{}", "{}: коротко о главном", "{}: отвечаем на вопросы", "{} — инструкция", "{}: что важно знать")


@dataclass(frozen=True)
class Broadcast:
    """One live broadcast; `held_at` is local and naive, `body` is the guest's authority."""

    broadcast_id: str
    held_at: datetime
    title: str
    guest_post: str
    body: Body
    network: str
    minutes: int
    views: int

    @property
    def url(self) -> str:
        """Return its address, which leads nowhere."""
        return f"{_SITE}/live/{self.broadcast_id}"


@dataclass(frozen=True)
class Material:
    """One information material; `published_at` is local and naive, unknown `views` are None."""

    material_id: str
    published_at: datetime
    title: str
    topic: str
    authority: str
    network: str
    form: str
    views: int | None

    @property
    def url(self) -> str:
        """Return its address, which leads nowhere."""
        return f"{_SITE}/material/{self.material_id}"


@cache
def broadcasts() -> tuple[Broadcast, ...]:
    """Return all broadcasts in the order of time."""
    rng = np.random.default_rng(_SEED)
    bodies = {body.name: body for body in living()}
    heads = {
        places()[body.place].name: body for body in living() if body.slug == "administration" and body.place is not None
    }
    held: list[Broadcast] = []
    for year, how_many in BROADCASTS.items():
        for turn, day in enumerate(_spread(year, how_many)):
            number = len(held) + 1
            if turn % 2:
                post, authority, matter = _DEPARTMENT_GUESTS[number // 2 % len(_DEPARTMENT_GUESTS)]
                body = bodies[authority]
            else:
                name = _HEADS[number // 2 % len(_HEADS)]
                post, body = "Глава муниципалитета", heads[name]
                matter = _HEAD_MATTERS[number // 2 % len(_HEAD_MATTERS)]
            held.append(_broadcast(rng, f"E{number:03}", day, (post, body, matter)))
    return tuple(held)


def _broadcast(rng: np.random.Generator, number: str, day: date, guest: tuple[str, Body, str]) -> Broadcast:
    post, body, matter = guest
    return Broadcast(
        broadcast_id=number,
        held_at=datetime.combine(day, time(int(rng.integers(15, 20)), int(rng.choice([0, 0, 30])))),
        title=f"Прямой эфир: {matter}",
        guest_post=post,
        body=body,
        network=str(rng.choice(_NETWORKS[:2], p=[0.85, 0.15])),
        minutes=int(rng.integers(32, 74)),
        views=int(rng.lognormal(8.6, 0.6)),
    )


def _spread(year: int, how_many: int) -> list[date]:
    """Return days evenly over the year, none of them a day off."""
    first, last = _FIRST_DAYS[year], date(year, *_LAST_DAY_OF_YEAR)
    since, until = local_seconds(first) // DAY, local_seconds(last) // DAY
    workdays = np.arange(since, until + 1)[~day_off(since, until + 1)]
    evenly = since + (until - since) * np.arange(how_many) // how_many
    held_on = workdays[np.searchsorted(workdays, evenly, side="right") - 1]
    return [first + timedelta(days=int(day - since)) for day in held_on]


@cache
def materials() -> tuple[Material, ...]:
    """Return all materials in the order of time."""
    rng = np.random.default_rng(_SEED + 1)
    offices = [body.name for body in living() if body.slug in ("ministry", "agency", "administration")]
    published: list[Material] = []
    for year, how_many in MATERIALS.items():
        first, last = _FIRST_DAYS[year], date(year, *_LAST_DAY_OF_YEAR)
        # The centre publishes more and more.
        days = np.sort(rng.beta(1.15, 1.0, how_many) * ((last - first).days + 1)).astype(int).tolist()
        moments = [_moment(rng, first + timedelta(days=day)) for day in days]
        published += [
            _material(rng, f"M{len(published) + turn:05}", moment, offices)
            for turn, moment in enumerate(sorted(moments), start=1)
        ]
    return tuple(published)


def _moment(rng: np.random.Generator, day: date) -> datetime:
    return datetime.combine(day, time(int(rng.integers(9, 20)), int(rng.integers(0, 60)), int(rng.integers(0, 60))))


def _material(rng: np.random.Generator, number: str, moment: datetime, offices: list[str]) -> Material:
    topic = list(_SUBJECTS)[int(rng.integers(len(_SUBJECTS)))]
    subject = _SUBJECTS[topic][int(rng.integers(len(_SUBJECTS[topic])))]
    return Material(
        material_id=number,
        published_at=moment,
        title=_SHAPES[int(rng.integers(len(_SHAPES)))].format(subject),
        topic=topic,
        # Most are the centre's and the departments' own; they stand first in the register.
        authority=offices[int(len(offices) * rng.random() ** 1.6)],
        network=_NETWORKS[int(rng.choice(len(_NETWORKS), p=_NETWORK_SHARES))],
        form=list(_FORMATS)[int(rng.choice(len(_FORMATS), p=list(_FORMATS.values())))],
        views=int(rng.lognormal(6.3, 0.9)) if rng.random() < _TOLD else None,
    )
