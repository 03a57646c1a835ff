"""LimeSurvey's own exports with their structure files: a real one where it is at hand, and small ones of each kind."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from otklik.errors import FileError
from otklik.settings import PROJECT
from otklik.sources.files.survey_export import ExportFacts, read_export
from otklik.sources.records import Records
from tests.fixtures.surveys import answers, problems, rows

REAL = Path(PROJECT).parent / "shared/data/survey_limesurvey"
STRUCTURE = REAL / "limesurvey_survey_222232.lss"
EXPORTS = {"de": REAL / "results_german.csv", "en": REAL / "results_english.csv"}
OTHER_WORDS = {"de": "Sonstiges", "en": "Other"}
NOT_CHOSEN = {"de": "Nein", "en": "No"}

at_hand = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real export is not here: {REAL}")


@pytest.fixture(scope="module")
def real() -> list[Records]:
    # Only the columns of questions were published: the exports have no date of submission.
    facts = ExportFacts(UTC, are_complete=False, translations={"en": EXPORTS["en"]})
    return read_export(EXPORTS["de"].read_bytes(), EXPORTS["de"].name, STRUCTURE, "twins", facts)


def cells(language: str) -> Iterator[tuple[str, str]]:
    """Heading and content of each cell of a real export but the id, by the csv module alone."""
    with EXPORTS[language].open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file, delimiter=";")
    for line in lines:
        yield from zip(header[1:], line[1:], strict=True)


def letters(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


@at_hand
def test_every_response_of_the_real_export_is_read(real: list[Records]) -> None:
    ids = [record.values["response_id"] for record in rows(real, "survey_response")]
    assert ids == [str(number) for number in range(1, 97)]
    assert list(problems(real)) == []


@at_hand
def test_every_cell_of_the_real_export_is_an_answer_or_says_that_there_is_none(real: list[Records]) -> None:
    kinds = Counter(content for _, content in cells("de"))
    filled = sum(kinds.values()) - kinds[""]
    # An option not chosen, and a question not shown.
    assert len(rows(real, "survey_answer")) == filled - kinds["Nein"] - kinds["N/A"] == 2_538


@at_hand
@pytest.mark.parametrize("language", ["de", "en"])
def test_each_option_of_the_real_export_was_chosen_as_often_as_its_file_says(
    real: list[Records], language: str
) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    questions = {
        (each.values["question_code"], each.values["subquestion_code"]): each.values["text"] or ""
        for each in of(real, "survey_question", language)
    }
    kinds = {each.values["question_code"]: each.values["kind"] for each in of(real, "survey_question", language)}
    options = {
        (each.values["question_code"], each.values["option_code"]): each.values["text"] or ""
        for each in of(real, "survey_option", language)
    }
    for _, question, row, option, _, _ in answers(real):
        if option is None:
            continue
        asked, chosen = questions[question, None], options[question, option] or OTHER_WORDS[language]
        if kinds[question] == "multiple":
            counted[letters(asked + chosen), "chosen"] += 1
        else:
            counted[letters(asked + questions[question, row]), letters(chosen)] += 1
    assert counted.total() > 2_400
    assert counted == from_file(language, {letters(text) for text in options.values()})


def of(read: list[Records], entity: str, language: str) -> list:
    return [record for record in rows(read, entity) if record.values["language"] == language]


def from_file(language: str, options: set[str]) -> Counter[tuple[str, str]]:
    """Heading and option, or that it was chosen -> how often, straight from the file."""
    yes = {"de": "Ja", "en": "Yes"}[language]
    counted: Counter[tuple[str, str]] = Counter()
    for heading, content in cells(language):
        other = heading.endswith(f"[{OTHER_WORDS[language]}]")
        if content == yes or (other and content not in ("", "N/A")):
            counted[letters(heading), "chosen"] += 1
        elif letters(content) in options and content not in ("", "N/A", NOT_CHOSEN[language]) and heading.endswith("]"):
            counted[letters(heading), letters(content)] += 1
    return counted


@at_hand
def test_both_languages_of_the_real_export_have_all_texts_of_what_was_exported(real: list[Records]) -> None:
    german, english = (of(real, "survey_question", language) for language in ("de", "en"))
    missing = {each.values["question_code"] for each in german} - {each.values["question_code"] for each in english}
    # Taken out before publication: an e-mail address, and tables of models that nobody filled in.
    assert "Kontakt" in missing
    with EXPORTS["de"].open(encoding="utf-8-sig", newline="") as file:
        header = {letters(heading) for heading in next(csv.reader(file, delimiter=";"))}
    asked = {
        each.values["question_code"]: letters(each.values["text"] or "")
        for each in german
        if not each.values["subquestion_code"]
    }
    assert [code for code in missing if any(heading.startswith(asked[code]) for heading in header)] == []
    assert all(each.values["text"] for each in english)


# Small ones: LimeSurvey 4 and later keep texts apart from what they name.

LSS = """<?xml version="1.0" encoding="UTF-8"?>
<document><LimeSurveyDocType>Survey</LimeSurveyDocType>
<groups><rows><row><gid>1</gid><group_order>2</group_order></row><row><gid>2</gid><group_order>1</group_order></row></rows></groups>
<questions><rows>
 <row><qid>1</qid><parent_qid>0</parent_qid><gid>1</gid><type>L</type><title>meal</title><other>Y</other><question_order>1</question_order></row>
 <row><qid>2</qid><parent_qid>0</parent_qid><gid>1</gid><type>M</type><title>wrong</title><other>N</other><question_order>2</question_order></row>
 <row><qid>3</qid><parent_qid>0</parent_qid><gid>2</gid><type>N</type><title>pause</title><other>N</other><question_order>1</question_order></row>
</rows></questions>
<subquestions><rows>
 <row><qid>4</qid><parent_qid>2</parent_qid><gid>1</gid><type>T</type><title>cold</title><question_order>1</question_order></row>
 <row><qid>5</qid><parent_qid>2</parent_qid><gid>1</gid><type>T</type><title>dear</title><question_order>2</question_order></row>
</rows></subquestions>
<question_l10ns><rows>
 <row><id>1</id><qid>1</qid><question><![CDATA[<p>Ест ли ребёнок в столовой?]]></question><language>ru</language></row>
 <row><id>2</id><qid>1</qid><question>Ашханада ашаймы?</question><language>tt</language></row>
 <row><id>3</id><qid>2</qid><question>Что не так?</question><language>ru</language></row>
 <row><id>4</id><qid>3</qid><question>Перемена, минут</question><language>ru</language></row>
 <row><id>5</id><qid>4</qid><question>Холодно</question><language>ru</language></row>
 <row><id>6</id><qid>5</qid><question>Дорого</question><language>ru</language></row>
</rows></question_l10ns>
<answers><rows>
 <row><aid>1</aid><qid>1</qid><code>yes</code><sortorder>1</sortorder></row>
 <row><aid>2</aid><qid>1</qid><code>no</code><sortorder>2</sortorder></row>
</rows></answers>
<answer_l10ns><rows>
 <row><id>1</id><aid>1</aid><answer>Да, каждый день</answer><language>ru</language></row>
 <row><id>2</id><aid>2</aid><answer>Не ест</answer><language>ru</language></row>
 <row><id>3</id><aid>1</aid><answer>Әйе</answer><language>tt</language></row>
</rows></answer_l10ns>
</document>"""

BY_CODE = ["id", "submitdate", "startlanguage", "meal", "meal[other]", "wrong[cold]", "wrong[dear]", "pause"]
BY_TEXT = [
    "ID ответа",
    "Дата отправки",
    "Начальный язык",
    "Ест ли ребёнок в столовой?",
    "Ест ли ребёнок в столовой? [Другое]",
    "Что не так? [Холодно]",
    "Что не так? [Дорого]",
    "Перемена, минут",
]
CODES = [["7", "2022-06-01 10:00:00", "ru", "yes", "", "Y", "", "15"], ["8", "", "tt", "-oth-", "Дома", "", "Y", ""]]
WORDS = [
    ["7", "2022-06-01 10:00:00", "ru", "Да, каждый день", "", "Да", "Нет", "15"],
    ["8", "", "tt", "Другое", "Дома", "Нет", "Да", ""],
]
TOLD = [
    ("7", "meal", None, "yes", None, None),
    ("7", "pause", None, None, 15.0, None),
    ("7", "wrong", None, "cold", None, None),
    ("8", "meal", None, "-oth-", None, "Дома"),
    ("8", "wrong", None, "dear", None, None),
]


@pytest.fixture
def structure(tmp_path: Path) -> Path:
    file = tmp_path / "survey.lss"
    file.write_text(LSS, encoding="utf-8")
    return file


def export(folder: Path, *lines: list[str], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    file = folder / "results.csv"
    with file.open("w", encoding=encoding, newline="") as written:
        csv.writer(written, delimiter=delimiter).writerows(lines)
    return file


def read(file: Path, structure: Path) -> list[Records]:
    return read_export(file.read_bytes(), file.name, structure, "meals", ExportFacts(ZoneInfo("Asia/Yekaterinburg")))


@pytest.mark.parametrize(("header", "lines"), [(BY_CODE, CODES), (BY_TEXT, WORDS), (BY_CODE, WORDS)])
@pytest.mark.parametrize("written", [("utf-8-sig", ","), ("cp1251", ";")])
def test_codes_and_full_texts_say_the_same(
    tmp_path: Path, structure: Path, header: list[str], lines: list[list[str]], written: tuple[str, str]
) -> None:
    found = read(export(tmp_path, header, *lines, encoding=written[0], delimiter=written[1]), structure)
    assert answers(found) == TOLD
    first, second = (record.values for record in rows(found, "survey_response"))
    assert (first["submitted_at"], first["is_complete"], first["language"]) == (
        "2022-06-01T10:00:00+05:00",
        "true",
        "ru",
    )
    assert (second["submitted_at"], second["is_complete"], second["language"]) == (None, "false", "tt")


def test_a_workbook_says_the_same_as_a_csv_file(tmp_path: Path, structure: Path) -> None:
    book = openpyxl.Workbook()
    for line in (BY_TEXT, *WORDS):
        book.active.append(line)
    book.save(tmp_path / "results.xlsx")
    assert answers(read(tmp_path / "results.xlsx", structure)) == TOLD


def test_each_language_of_the_structure_has_its_texts_and_questions_stand_in_the_order_of_groups(
    tmp_path: Path, structure: Path
) -> None:
    found = read(export(tmp_path, BY_CODE, *CODES), structure)
    questions = [record.values for record in rows(found, "survey_question")]
    assert [(each["question_code"], each["language"], each["text"]) for each in questions] == [
        ("pause", "ru", "Перемена, минут"),
        ("meal", "ru", "Ест ли ребёнок в столовой?"),
        ("meal", "tt", "Ашханада ашаймы?"),
        ("wrong", "ru", "Что не так?"),
    ]
    options = [record.values for record in rows(found, "survey_option")]
    assert ("meal", "yes", "tt", "Әйе") in {
        (each["question_code"], each["option_code"], each["language"], each["text"]) for each in options
    }
    assert [each["text"] for each in options if each["option_code"] == "no"] == ["Не ест", None]


def test_an_option_nobody_defined_and_a_row_of_another_length_are_kept_with_their_problem(
    tmp_path: Path, structure: Path
) -> None:
    unknown = ["9", "2022-06-01 10:00:00", "ru", "Иногда", "", "Может быть", "", ""]
    found = read(export(tmp_path, BY_CODE, unknown, ["10", "", "ru"]), structure)
    refused = [(each.original["column"], each.original["value"]) for each in rows(found, "survey_answer")]
    assert refused == [("meal", "Иногда"), ("wrong[cold]", "Может быть")]
    assert list(problems(found)) == [
        "В строке 3 столбцов: 3, в заголовке: 8",
        *["Такого варианта ответа нет в описании анкеты"] * 2,
    ]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ([*BY_CODE, "age"], "results.csv: column «age» is no question of the structure file"),
        ([*BY_CODE[1:], "pause"], "results.csv: no column with the id of the response"),
    ],
)
def test_an_export_that_does_not_fit_its_structure_says_what_to_do(
    tmp_path: Path, structure: Path, header: list[str], says: str
) -> None:
    with pytest.raises(FileError, match=re.escape(says)):
        read(export(tmp_path, header), structure)


@pytest.mark.parametrize(("told", "known"), [(True, "true"), (False, "false"), (None, None)])
def test_whether_responses_are_complete_is_what_is_told_where_the_export_has_no_date_of_submission(
    tmp_path: Path, structure: Path, told: bool | None, known: str | None
) -> None:
    body = export(tmp_path, ["id", "pause"], ["7", "15"]).read_bytes()
    found = read_export(body, "results.csv", structure, "meals", ExportFacts(UTC, are_complete=told))
    assert [record.values["is_complete"] for record in rows(found, "survey_response")] == [known]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not xml", "survey.lss: not XML"),
        ("<document/>", "survey.lss: holds no questions"),
        ('<!DOCTYPE d [<!ENTITY a "aaa">]><document/>', "survey.lss: declares a document type"),
    ],
)
def test_a_structure_file_that_is_none_says_what_to_do(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "survey.lss").write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=re.escape(says)):
        read(export(tmp_path, BY_CODE, *CODES), tmp_path / "survey.lss")


def test_a_translation_of_other_responses_is_refused(tmp_path: Path, structure: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    translation = export(other, BY_CODE, *CODES[1:])
    facts = ExportFacts(UTC, translations={"en": translation})
    with pytest.raises(FileError, match=r"not the responses of results\.csv in another language"):
        read_export(export(one, BY_CODE, *CODES).read_bytes(), "results.csv", structure, "meals", facts)
