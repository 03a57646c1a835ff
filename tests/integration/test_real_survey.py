"""The real survey's export, where it is at hand, from its file into the warehouse: every count and every share."""

from collections import defaultdict

import pytest

from otklik.settings import Settings
from otklik.warehouse.ledger import BatchReport
from tests.fixtures import real_survey
from tests.fixtures.files import Centre
from tests.fixtures.real_survey import NO, NOTHING, OTHER, REAL, Shares, from_file, letters, lines

Loaded = tuple[Centre, list[BatchReport]]
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real export is not here: {REAL}")


@pytest.fixture(scope="module")
def loaded(module_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    folder = tmp_path_factory.mktemp("real_survey")
    reports = real_survey.load(module_warehouse, folder)
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
