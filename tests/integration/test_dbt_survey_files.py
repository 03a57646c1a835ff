"""Real and made-up files, by the ordinary loader, in the marts of surveys, broadcasts and materials."""

from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from upath import UPath

from otklik.demo.centre_files import write_broadcasts, write_materials, write_surveys
from otklik.interval import Interval
from otklik.load import load_file
from otklik.mapping import load_mapping
from otklik.settings import PROJECT
from tests.fixtures import real_survey
from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.files import ZONE
from tests.fixtures.real_survey import OTHER, REAL, Shares, from_file, letters
from tests.fixtures.survey_marts import assert_intervals

MODELS = ("--select", "+mart_survey_result", "+mart_survey_summary", "+fct_broadcast", "+fct_material")


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real export is not here: {REAL}")
def test_the_share_of_each_option_is_that_of_the_real_file(dbt_warehouse: TestWarehouse, tmp_path: Path) -> None:
    marts = dbt_warehouse
    real_survey.load(marts.settings, tmp_path)
    marts.dbt("build", *MODELS)

    in_mart: Shares = defaultdict(list)
    # It has no Russian words: those shown are the German ones.
    for kind, asked, part, option, times, share in marts.rows(
        "select kind, question_text, coalesce(subquestion_text, ''), nullif(option_text, 'Другое'), chosen_count,"
        " 100 * chosen_share::float from marts.mart_survey_result where survey_id = 'twins' and chosen_count > 0"
    ):
        text = option or OTHER["de"]
        heading = asked + (text if kind == "multiple" else part)
        in_mart[letters(heading), letters(text)].append((times, share))
    assert sum(map(len, in_mart.values())) > 400
    # The mart keeps a millionth of a share.
    assert {
        key: [(times, pytest.approx(share, abs=1e-4)) for times, share in sorted(shares)]
        for key, shares in in_mart.items()
    } == from_file("de")
    assert assert_intervals(marts) > 400
    [summary] = marts.rows("select title, response_count, partial_count, untold_count from marts.mart_survey_summary")
    assert summary == (None, 96, 0, 96)


def test_the_figures_of_the_demo_regions_year_come_out_of_its_lists(
    dbt_warehouse: TestWarehouse, tmp_path: Path
) -> None:
    marts = dbt_warehouse
    night = Interval.of_day(date(2022, 12, 31), ZONE)
    for write in (write_surveys, write_broadcasts, write_materials):
        file = write(tmp_path)
        mapping = load_mapping(PROJECT / f"otklik/demo/mappings/{file.stem}.yml")
        load_file(UPath(file), mapping, night, marts.settings)
    marts.dbt("build", *MODELS)

    years = "select completed_year, count(*) from marts.mart_survey_summary group by 1 order by 1"
    # One is still open.
    assert marts.rows(years) == [(2020, 3), (2021, 22), (2022, 40), (None, 1)]
    held = "select extract(year from held_date)::int, count(*) from marts.fct_broadcast group by 1 order by 1"
    assert marts.rows(held) == [(2020, 1), (2021, 12), (2022, 20)]
    published = "select extract(year from published_date)::int, count(*) from marts.fct_material group by 1 order by 1"
    assert marts.rows(published) == [(2020, 96), (2021, 1_184), (2022, 1_537)]
