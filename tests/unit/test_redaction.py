"""Words taken out of files of every form that comes in."""

import gzip
import io
import json
import zipfile

import pytest

from otklik.redaction import ERASED, redacted

NAME, TEXT = "Пётр Выдуманный", 'Не горит фонарь, "опять" и\nснова'
WORDS = [NAME, TEXT, "id77001", "https://vk.com/id77001"]


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "utf-16-le"])
def test_a_word_goes_in_every_encoding_and_what_is_beside_it_stays(encoding: str) -> None:
    content = f"1;{NAME};id77001;Реж\r\n2;Иван Иванов;id770011;Реж\r\n".encode(encoding)
    assert redacted(content, WORDS).decode(encoding) == (f"1;{ERASED};{ERASED};Реж\r\n2;Иван Иванов;id770011;Реж\r\n")


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_word_goes_as_json_writes_it(ascii_only: bool) -> None:
    content = json.dumps({"author": NAME, "text": TEXT, "n": 7}, ensure_ascii=ascii_only).encode()
    assert json.loads(redacted(content, WORDS)) == {"author": ERASED, "text": ERASED, "n": 7}


def test_a_word_goes_as_csv_quotes_it() -> None:
    content = ('"' + TEXT.replace('"', '""') + '";1').encode()
    assert redacted(content, WORDS).decode() == f'"{ERASED}";1'


def test_a_text_goes_whole_though_it_holds_a_name() -> None:
    words = [NAME, f"Пишет {NAME} снова"]
    assert redacted(f"Пишет {NAME} снова|{NAME}".encode(), words).decode() == f"{ERASED}|{ERASED}"


def test_packed_files_stay_what_they_are() -> None:
    plain, clean = f"{NAME};1".encode(), f"{ERASED};1".encode()
    assert gzip.decompress(redacted(gzip.compress(plain), WORDS)) == clean
    packed = redacted(zipped({"a.csv": plain, "inner.zip": zipped({"b.csv": plain})}), WORDS)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("a.csv") == clean
        with zipfile.ZipFile(io.BytesIO(archive.read("inner.zip"))) as inner:
            assert inner.read("b.csv") == clean


def test_what_holds_none_of_the_words_is_not_touched() -> None:
    content = "2;Иван Иванов;id1".encode("cp1251")
    assert redacted(content, WORDS) == content
