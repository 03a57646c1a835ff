"""What of a resident may leave `raw`: the author as a keyed hash, the text without numbers that lead to a person."""

import hashlib
import hmac

import polars as pl
import pytest

from otklik.privacy import HIDDEN, author_hash, masked_text

KEY = "ключ региона"
AUTHOR = ("author_id", "author_url", "author_name")

PHONES = """
    +79123456789 | 89123456789 | 79123456789 | 9123456789
    +7 912 345-67-89 | +7 (912) 345-67-89 | +7(912)345-67-89 | +7(912)3456789 | +7-912-345-67-89 | +7.912.345.67.89
    +7/912/345/67/89 | 8 (912) 345 67 89 | 8(912)345-67-89 | 8-912-345-67-89 | 8 912 345 67 89 | 8.912.345.67.89
    8_912_345_67_89 | 8 912 34 56 789 | 8 912 34-56-789 | 8912 345 67 89 | 8 9123456789 | 8 912 3456 789
    8 (912)-345-67-89
    8‑912‑345‑67‑89 | 8–912–345–67–89 | 8 — 912 — 345 — 67 — 89 | 8 912 345 67 89 | 7 912 345 67 89
    912 345-67-89 | 912-345-67-89 | (912) 345-67-89
    8 (343) 371-23-45 | 8(343)3712345 | 8 (34355) 2-12-34 | 8(34355)21234 | 8-34355-2-12-34 | (343) 371-23-45
    (34355) 2-12-34 | 371-23-45 | 8 800 555 35 35 | 8-800-555-35-35
    +375 29 123-45-67 | +380 44 123 45 67 | +996 (555) 123-456 | +44 20 7946 0958
"""
ADDRESSES = """
    ivan@mail.ru | ivan.petrov+tag@mail.example.com | ivan_petrov@mail.ru | IVAN@MAIL.RU | иван@почта.рф
    Иван.Петров@почта.рф | ivan@xn--80a1acny.xn--p1ai | ivan @ mail.ru | ivan(собака)mail.ru | ivan (at) mail.ru
"""
CARDS = """
    4276123456789012 | 4276 1234 5678 9012 | 4276-1234-5678-9012 | 4276.1234.5678.9012 | 2200 1234 5678 9012
    5469 1234 5678 9012 345 | 3782 822463 10005 | 378282246310005
"""
DOCUMENTS = """
    123-456-789 01 | 123-456-789-01 | 123 456 789 01 | 12345678901 | 123-456-78901
    65 04 123456 | 6504 123456 | 6504123456 | 65 04 № 123456 | 6504 №123456 | 65 04 N 123456 | 6504-123456
    6504 номер 123456
    6607123456 | 660712345678 | 40817810099910004312
"""
INNOCENT = """
    дом 12, квартира 345 | ул. Ленина, 12/3-45 | д. 12345 | дома 8, 10, 12, 14 | дома 8-10-12-14 | школа № 12
    15.03.2022 | 15.03.2022 10:00 | 7.10.2022 12.30 | 2022-03-15 | 2022-03-15 10:00:00 | 15/03/2022 | 8 марта 2022
    с 10:00 до 18:30 | 10:00-18:30 | в 8 часов | с 8 до 17 | с 2019 по 2022 год | 2019-2022 | 2019 2020 2021 2022
    1 234 567,89 руб. | 1 234 567 руб. | 12 345 678 рублей | 1 234 567 890 руб. | 8 350 000 руб. | от 8 до 900 рублей
    65720000 | ОКТМО 65720000 | 65 720 000 | маршрут 123 | маршруты № 1, 2, 3, 45 | автобус 012
    620000, г. Екатеринбург | индекс 623750 | звоните 01, 02, 03 | тел. 112 | заявка № 123456 | обращение 1234567
    66:22:0101001:123 | +20...+25 градусов | 55.751244, 37.618423 | 12.5 км | 100 500 раз
"""


def each(lists: str) -> list[str]:
    return [example.strip() for line in lists.strip().splitlines() for example in line.split("|")]


def masked(text: str | None) -> str | None:
    found: str | None = masked_text(pl.Series([text], dtype=pl.String)).item()
    return found


def hashed(*author: str | None) -> str | None:
    row = dict(zip(AUTHOR, author, strict=True))
    found: str | None = (
        pl.DataFrame(row, schema=dict.fromkeys(AUTHOR, pl.String)).select(author_hash(AUTHOR, [KEY])).item()
    )
    return found


def expected_hash(author: str) -> str:
    return hmac.new(KEY.encode(), author.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("author", "counted"),
    [
        (("vk-1", "https://vk.com/id1", "Иван Петров"), "vk-1"),
        ((None, "https://vk.com/ID1", "Иван Петров"), "https://vk.com/ID1"),
        ((None, None, "Иван ПЕТРОВ Ёж"), "иван петров ёж"),
        (("", "https://vk.com/id1", None), ""),
        (("д" * 300, None, None), "д" * 300),
    ],
)
def test_the_hash_of_an_author_is_the_standard_librarys_hmac_of_the_first_known(
    author: tuple[str | None, ...], counted: str
) -> None:
    assert hashed(*author) == expected_hash(counted)


def test_an_author_of_whom_nothing_is_known_has_no_hash() -> None:
    assert hashed(None, None, None) is None


def test_another_key_gives_another_hash() -> None:
    row = pl.DataFrame({"author_id": ["vk-1"]})
    one, other = (row.select(author_hash(["author_id"], [key])).item() for key in (KEY, f"{KEY}2"))
    assert one != other


@pytest.mark.parametrize("number", each(PHONES) + each(ADDRESSES) + each(CARDS) + each(DOCUMENTS))
@pytest.mark.parametrize("sentence", ["{}", "Звоните {} вечером", "({}), Иван.", "тел: {}\nспасибо", "«{}»"])
def test_what_leads_to_a_person_is_hidden_and_the_words_around_it_stay(number: str, sentence: str) -> None:
    assert masked(sentence.format(number)) == sentence.format(HIDDEN)


@pytest.mark.parametrize("number", each(PHONES) + each(CARDS) + each(DOCUMENTS))
@pytest.mark.parametrize("sentence", ["звоните{}срочно", "тел.{}Иван"])
def test_a_number_glued_to_russian_letters_is_hidden_too(number: str, sentence: str) -> None:
    assert masked(sentence.format(number)) == sentence.format(HIDDEN)


def test_every_number_of_a_text_is_hidden_by_itself() -> None:
    text = "Иван, 8 912 345-67-89 или ivan@mail.ru, паспорт 65 04 123456; дом 12"
    assert masked(text) == f"Иван, {HIDDEN} или {HIDDEN}, паспорт {HIDDEN}; дом 12"


@pytest.mark.parametrize("text", each(INNOCENT))
@pytest.mark.parametrize("sentence", ["{}", "Просим: {} — ответьте"])
def test_houses_dates_times_sums_and_routes_are_left_alone(text: str, sentence: str) -> None:
    assert masked(sentence.format(text)) is None


@pytest.mark.parametrize("text", [None, "", "Не горит фонарь"])
def test_a_text_with_nothing_to_hide_has_no_copy(text: str | None) -> None:
    assert masked(text) is None
