"""What a resident of the made-up region writes: texts put together from parts, naming nobody."""

from __future__ import annotations

import numpy as np

from otklik.demo.places import places
from otklik.demo.topics import SUBTOPICS

OPENINGS = (
    "", "", "", "Здравствуйте! ", "Добрый день! ", "Добрый вечер! ", "Доброе утро! ",
    "Уважаемая администрация! ", "Обращаемся от имени жильцов. ", "Помогите, пожалуйста! ",
    "Прошу обратить внимание: ", "Снова пишем о том же. ",
)  # fmt: skip
SPOTS = (
    "возле школы", "у детского сада", "возле поликлиники", "рядом с остановкой", "у рынка",
    "возле магазина", "около вокзала", "на въезде", "у перекрёстка", "в частном секторе",
    "за гаражами", "возле парка", "у почты", "рядом с мостом", "вдоль нашей улицы", "у пешеходного перехода",
)  # fmt: skip
DURATIONS = (
    "", "", "", " Пишем об этом уже неделю.", " Ситуация не меняется с прошлого месяца.",
    " Ответа на заявку ждём уже три дня.", " Терпеть больше нет сил.", " Соседи жалуются на то же самое.",
    " На звонки никто не отвечает.", " Заявку оставляли дважды.", " В прошлом году было то же самое.",
    "\nФото приложим в комментариях.", " Ответ \"ждите\" нас не устраивает; нужен срок.",
)  # fmt: skip
REQUESTS = (
    "", " Просим принять меры.", " Когда это исправят?", " Кто за это отвечает?", " Надеемся на ответ.",
    " Просим разобраться.", " Сообщите, пожалуйста, сроки.", " Куда ещё обращаться?",
    " Примите, пожалуйста, меры!", " Очень нужна ваша помощь.", " Заранее спасибо.",
    " Просим передать вопрос ответственным.",
)  # fmt: skip


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _after(opening: str, sentence: str) -> str:
    """Join the opening and the complaint: after a colon the complaint goes on in lower case."""
    if opening.endswith(": "):
        return opening + sentence[0].lower() + sentence[1:]
    return opening + sentence


def message_texts(rng: np.random.Generator, subtopic: np.ndarray, place: np.ndarray) -> list[str]:
    """One text per message, from its subtopic and place."""
    count = len(subtopic)
    complaint = rng.random(count)
    parts = [rng.integers(0, len(options), count).tolist() for options in (OPENINGS, SPOTS, DURATIONS, REQUESTS)]
    where = [each.where for each in places()]
    texts = []
    for theme, at, draw, opening, spot, duration, request in zip(
        subtopic.tolist(), place.tolist(), complaint.tolist(), *parts, strict=True
    ):
        options = SUBTOPICS[theme].complaints
        form = options[int(draw * len(options))]
        sentence = form.format(where=where[at], where_up=_capital(where[at]), spot=SPOTS[spot])
        stop = "" if sentence.endswith("?") else "."
        texts.append(_after(OPENINGS[opening], sentence) + stop + DURATIONS[duration] + REQUESTS[request])
    return texts
