"""Reading an export as a table of text."""

import csv

from otklik.sources.files.survey_table import read_table


def test_a_small_export_leaves_the_rest_of_the_process_its_long_cells() -> None:
    before = csv.field_size_limit()
    read_table(b"id,a\n1,x\n", "export.csv")
    assert csv.field_size_limit() == before
