"""The real survey's export, where it is at hand, from its file into the warehouse: every count and every share."""

import csv
import re
from collections import Counter, defaultdict
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml
from upath import UPath

from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.settings import PROJECT, Settings
from otklik.warehouse.ledger import BatchReport
from tests.fixtures.files import NIGHT, Centre

REAL = Path(PROJECT).parent / "shared/data/survey_limesurvey"
EXPORTS = {"de": REAL / "results_german.csv", "en": REAL / "results_english.csv"}
# What LimeSurvey itself writes into an export.
YES, NO = {"de": "Ja", "en": "Yes"}, {"de": "Nein", "en": "No"}
OTHER = {"de": "Sonstiges", "en": "Other"}
NOTHING = ("", "N/A")

Loaded = tuple[Centre, list[BatchReport]]
Shares = dict[tuple[str, str], list[tuple[int, float]]]
"""Heading and option -> how often it was chosen, and by what part of those who answered, in per cent.

Several of each, where questions have the same words.
"""

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real export is not here: {REAL}")


@pytest.fixture(scope="module")
def loaded(module_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = tmp_path_factory.mktemp("real_survey")
    document: dict[str, Any] = {
        "source": "twins",
        "region": {"code": "66", "name": "Свердловская область", "time_zone": "Asia/Yekaterinburg"},
        "format": "limesurvey",
        "limesurvey": {
            "survey_id": "twins",
            "structure": str(REAL / "limesurvey_survey_222232.lss"),
            "translations": {"en": str(EXPORTS["en"])},
        },
    }
    (folder / "twins.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    reports = load_file(UPath(EXPORTS["de"]), load_mapping(folder / "twins.yml"), NIGHT, module_warehouse)
    return Centre(module_warehouse, folder), reports


def test_every_row_is_accounted_for_and_none_is_refused(loaded: Loaded) -> None:
    _, reports = loaded
    assert {report.entity: report.rows_loaded for report in reports}["survey_response"] == len(lines("de")) - 1
    assert [(report.rows_rejected, report.rows_unchanged) for report in reports] == [(0, 0)] * 4


def test_responses_and_answers_in_raw_are_those_of_the_file(loaded: Loaded) -> None:
    centre, _ = loaded
    [counted] = centre.query(
        "select count(distinct response_id) as responses, count(is_complete) as told_complete,"
        " (select count(*) from raw.survey_answer) as answers from raw.survey_response"
    )
    said = [cell for _, *cells in lines("de")[1:] for cell in cells if cell not in (*NOTHING, NO["de"])]
    # Whether a response was submitted was not published.
    assert counted == {"responses": 96, "told_complete": 0, "answers": len(said)}
    assert len(said) == 2_538


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_share_of_each_option_in_raw_is_that_of_the_file(loaded: Loaded, language: str) -> None:
    centre, _ = loaded
    in_raw: Shares = defaultdict(list)
    for row in centre.query(SHARES.format(language=language)):
        option = row["option"] or OTHER[language]
        heading = row["asked"] + (option if row["kind"] == "multiple" else row["part"])
        in_raw[letters(heading), letters(option)].append((row["times"], row["share"]))
    assert sum(map(len, in_raw.values())) > 400
    assert {key: sorted(shares) for key, shares in in_raw.items()} == from_file(language)


SHARES = """
with asked as (
    select question_code, subquestion_code, kind, text
    from raw.survey_question
    where language = '{language}'
),

answered as (
    select question_code, subquestion_code, count(distinct response_id) as people
    from raw.survey_answer
    where option_code is not null
    group by question_code, subquestion_code
),

chosen as (
    select question_code, subquestion_code, option_code, count(*) as times
    from raw.survey_answer
    where option_code is not null
    group by question_code, subquestion_code, option_code
)

select
    whole.kind,
    whole.text as asked,
    part.text as part,
    offered.text as option,
    chosen.times,
    round(100.0 * chosen.times / answered.people, 6)::float as share
from chosen
inner join answered
    on answered.question_code = chosen.question_code
    and answered.subquestion_code is not distinct from chosen.subquestion_code
inner join asked as whole on whole.question_code = chosen.question_code and whole.subquestion_code is null
left join asked as part
    on part.question_code = chosen.question_code and part.subquestion_code = chosen.subquestion_code
inner join raw.survey_option as offered
    on offered.question_code = chosen.question_code
    and offered.option_code = chosen.option_code
    and offered.language = '{language}'
"""


def lines(language: str) -> list[list[str]]:
    """The header and the lines of a real export, by the csv module alone."""
    with EXPORTS[language].open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def from_file(language: str) -> Shares:
    header, *rows = lines(language)
    found: Shares = defaultdict(list)
    places = [place for place, heading in enumerate(header) if heading.rstrip().endswith("]")]
    for _, group in groupby(places, key=lambda place: header[place].rpartition("[")[0]):
        columns = {place: [row[place] for row in rows] for place in group}
        if any(cell in (YES[language], NO[language], "N/A") for cells in columns.values() for cell in cells):
            _count_multiple(columns, header, language, found)
        else:
            _count_rows_of_a_matrix(columns, header, found)
    return {key: sorted(shares) for key, shares in found.items()}


def _count_multiple(columns: dict[int, list[str]], header: list[str], language: str, found: Shares) -> None:
    """Each column is an option, and «other» is what was written there."""
    taken = {
        place: [
            cell == YES[language] or (name_of(header[place]) == OTHER[language] and cell not in NOTHING)
            for cell in cells
        ]
        for place, cells in columns.items()
    }
    people = sum(map(any, zip(*taken.values(), strict=True)))
    for place, times in ((place, sum(chosen)) for place, chosen in taken.items()):
        if times:
            share = round(100 * times / people, 6)
            found[letters(header[place]), letters(name_of(header[place]))].append((times, share))


def _count_rows_of_a_matrix(columns: dict[int, list[str]], header: list[str], found: Shares) -> None:
    for place, cells in columns.items():
        chosen = Counter(cell for cell in cells if cell not in NOTHING)
        for option, times in chosen.items():
            found[letters(header[place]), letters(option)].append((times, round(100 * times / chosen.total(), 6)))


def name_of(heading: str) -> str:
    return heading.rpartition("[")[2].strip().removesuffix("]").strip()


def letters(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
