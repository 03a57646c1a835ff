"""The made-up region as its networks and survey systems tell of it on the last evening of 2022."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np

from otklik.demo.audience import knots
from otklik.demo.pages import DemoPage, pages
from otklik.demo.standin.world import ChannelPost, Clock, Page, Survey, World
from otklik.demo.surveys import ZONE, plans, survey

COMPLAINTS = 42
"""Posts of the complaint channel on the last two days. Nobody has registered one yet."""

_SEED = 665
_POSTS_FROM, _POSTS_TO = date(2022, 12, 1), date(2022, 12, 31)
_POSTS_A_WEEK = {"ministry": 14.0, "administration": 12.0, "district": 9.0, "agency": 5.0}
_POSTS_A_WEEK_USUAL = 3.4
_ABANDONED = 0.06
_SHARES = {"description": 0.85, "avatar": 0.89, "cover": 0.75, "government mark": 0.6, "connected": 0.5}
_SETTLED = 0.1
_DAYTIME_FROM, _DAYTIME = 8 * 3600, 12 * 3600
_BIG = ("ministry", "administration", "district", "agency")
_COMPLAINTS_FROM, _COMPLAINTS_HOURS = datetime(2022, 12, 30, 17, 20, tzinfo=ZONE), 29
_FIRST_UPDATE, _FIRST_MESSAGE, _FIRST_AUTHOR = 880_000_101, 3_501, 20_000
_CONCERNS = (
    "Обед снова холодный, дети приходят домой голодные",
    "В столовой школы третий день одна и та же каша",
    "Почему подняли цену на обед перед каникулами?",
    "Порции маленькие, старшеклассникам не хватает",
    "Ребёнку с аллергией не дают замену блюда",
    "Перемена десять минут, поесть никто не успевает",
    "В буфете только булочки и сок, фруктов нет",
    "Нашли волос в супе, просим проверить столовую",
    "Деньги за питание за декабрь списали дважды",
    "Спасибо, стало лучше, но чай по-прежнему без сахара и чуть тёплый",
    "Будет ли питание для детей в кружках на каникулах?",
    "Многодетным не пересчитали льготу",
)
_WHERE = ("", " Это в Ревде.", " Школа в Серове.", " Мы из Первоуральска.", " Нижний Тагил, Вагонка.", " Екатеринбург.")
_ADDED = " Дополню: так во всех классах."
_EDITED = (5, 19, 33)


def region_world(now: datetime) -> World:
    """Return the world whose clock shows `now` (with a zone), its surveys as they have been answered by then."""
    rng = np.random.default_rng(_SEED)
    return World(
        clock=Clock(now),
        pages=list(_pages(rng)),
        surveys=[_by_now(survey(plan), now) for plan in plans() if plan.opened_on <= now.astimezone(ZONE).date()],
        posts=[post for post in _complaints(rng) if post.posted_at <= now],
    )


def _pages(rng: np.random.Generator) -> Iterator[Page]:
    known = pages()
    has = rng.random((len(known), len(_SHARES))) < _shares(known)
    reach = rng.lognormal(-0.5, 0.6, len(known))
    for number, (page, own) in enumerate(zip(known, knots(), strict=True)):
        is_described, has_avatar, has_cover, is_marked, is_connected = has[number].tolist()
        yield Page(
            network=page.network,
            number=page.number,
            short_name=page.short_name,
            title=page.title,
            audience=own,
            description=f"Официальная страница. {page.title}" if is_described else "",
            has_avatar=has_avatar,
            has_cover=has_cover,
            is_verified=page.owner.slug in _BIG and page.network == "vk",
            has_government_mark=page.network == "vk" and is_marked,
            posts=_posts(rng, page),
            weekly_reach=round(own[-1][1] * float(reach[number])) if is_connected else None,
            is_closed=page.silent == "closed",
            deactivated=page.silent if page.silent in ("banned", "deleted") else None,
            tells_members=page.silent not in ("closed", "untold"),
        )


def _shares(known: Sequence[DemoPage]) -> np.ndarray:
    """Return the chance of each thing a page can have; who has had a page for long has more of them."""
    is_settled = np.array([page.opened_on < _POSTS_FROM or page.owner.slug in _BIG for page in known])
    return np.array(list(_SHARES.values())) + _SETTLED * is_settled[:, None]


def _posts(rng: np.random.Generator, page: DemoPage) -> tuple[datetime, ...]:
    """Draw the moments of December's posts, newest first; some pages have been abandoned."""
    first = max(_POSTS_FROM, page.opened_on)
    days = (_POSTS_TO - first).days + 1
    if page.closed_on is not None or rng.random() < _ABANDONED:
        return ()
    weekly = _POSTS_A_WEEK.get(page.owner.slug, _POSTS_A_WEEK_USUAL) * rng.lognormal(0, 0.5)
    how_many = int(rng.poisson(weekly * days / 7))
    seconds = np.sort(rng.integers(0, days, how_many) * 86_400 + _DAYTIME_FROM + rng.integers(0, _DAYTIME, how_many))
    midnight = datetime.combine(first, time(), ZONE)
    return tuple(midnight + timedelta(seconds=second) for second in seconds[::-1].tolist())


def _by_now(whole: Survey, now: datetime) -> Survey:
    """Return a survey with the responses finished by `now`, and those given up by then."""
    known = [each for each in whole.responses if (each.submitted_at or each.started_at) <= now]
    return replace(whole, responses=tuple(known))


def _complaints(rng: np.random.Generator) -> Iterator[ChannelPost]:
    minutes = np.sort(rng.choice(_COMPLAINTS_HOURS * 60, COMPLAINTS, replace=False)).tolist()
    for number, minute in enumerate(minutes):
        posted_at = _COMPLAINTS_FROM + timedelta(minutes=minute)
        is_edited = number in _EDITED
        text = f"{_CONCERNS[int(rng.integers(len(_CONCERNS)))]}.{_WHERE[int(rng.integers(len(_WHERE)))]}"
        yield ChannelPost(
            update_id=_FIRST_UPDATE + number,
            message_id=_FIRST_MESSAGE + number,
            posted_at=posted_at,
            text=(text + _ADDED if is_edited else text).replace("?.", "?"),
            author_name=f"Житель {_FIRST_AUTHOR + int(rng.integers(10_000))}",
            edited_at=posted_at + timedelta(minutes=4) if is_edited else None,
        )
