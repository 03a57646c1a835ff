"""Which questions of a browser are one and the same, and which are never kept."""

import copy
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from otklik.settings import PROJECT

sys.path.append(str(PROJECT / "superset"))
from questions import chart_question, page_question

MONDAY, TUESDAY = date(2023, 1, 2), date(2023, 1, 3)
MEAN_BY_MONTH = {
    "datasource": {"id": 3, "type": "table"},
    "force": False,
    "queries": [
        {
            "filters": [{"col": "region_name", "op": "IN", "val": ["Свердловская область"]}],
            "extras": {"time_grain_sqla": "P1M", "having": "", "where": ""},
            "columns": [{"sqlExpression": "day", "label": "day", "isColumnReference": True}, "series"],
            "metrics": ["mean_hours"],
            "annotation_layers": [],
            "row_limit": 10000,
            "url_params": {},
            "post_processing": [{"operation": "flatten"}],
        }
    ],
    "form_data": {"slice_id": 4, "dashboardId": 1, "x_axis": "day", "label_colors": {}, "url_params": {}},
    "result_format": "json",
    "result_type": "full",
}

Change = Callable[[dict[str, Any]], object]


def changed(change: Change, today: date = MONDAY) -> str | None:
    body = copy.deepcopy(MEAN_BY_MONTH)
    change(body)
    return chart_question(body, today)


def query(**keys: Any) -> Change:
    return lambda body: body["queries"][0].update(keys)


def test_the_same_question_has_the_same_form_on_every_day() -> None:
    assert chart_question(MEAN_BY_MONTH, MONDAY) == chart_question(copy.deepcopy(MEAN_BY_MONTH), TUESDAY) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(force=True),
        lambda body: body["form_data"].update(dashboardId=7, slice_id=9, native_filter_id="NATIVE_FILTER-1"),
        lambda body: body["form_data"].update(label_colors={"Среднее": "#000000"}, own_color_scheme="otklik"),
        # Each browser keeps its filters under a key of its own.
        query(url_params={"native_filters_key": "emW59klyvLM"}),
    ],
)
def test_where_an_answer_is_shown_and_in_which_colours_is_no_question(change: Change) -> None:
    assert changed(change) == chart_question(MEAN_BY_MONTH, MONDAY)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(datasource={"id": 4, "type": "table"}),
        lambda body: body["form_data"].update(x_axis="series"),
        query(filters=[{"col": "region_name", "op": "IN", "val": ["Москва"]}]),
        query(metrics=["median_hours"]),
        query(extras={"time_grain_sqla": "P1W", "having": "", "where": ""}),
        query(extras={"time_grain_sqla": "P1M", "having": "count(minutes_to_respond) >= 10", "where": ""}),
        query(row_limit=15),
        query(post_processing=[]),
        query(time_range="2022-01-01 : 2023-01-01"),
    ],
)
def test_another_question_has_another_form(change: Change) -> None:
    assert changed(change) not in (None, chart_question(MEAN_BY_MONTH, MONDAY))


@pytest.mark.parametrize(
    "chosen",
    [
        {"time_range": "Last month"},
        {"filters": [{"col": "day", "op": "TEMPORAL_RANGE", "val": "previous calendar year"}]},
        {"time_range": "2022-01-01 : "},
    ],
)
def test_last_month_is_another_month_on_another_day_and_a_date_is_not(chosen: dict[str, Any]) -> None:
    is_another = changed(query(**chosen), MONDAY) != changed(query(**chosen), TUESDAY)
    assert is_another == (chosen != {"time_range": "2022-01-01 : "})


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(result_type="results"),
        lambda body: body.update(result_format="csv"),
        lambda body: body.update(datasource={"id": 3, "type": "query"}),
        lambda body: body.update(datasource=None),
        lambda body: body.update(queries=[]),
        query(annotation_layers=[{"name": "праздники"}]),
        query(time_range="Last 5 hours"),
        query(time_range="2022-01-01 : now"),
        query(metrics=[{"expressionType": "SQL", "sqlExpression": "max(now() - received_at)"}]),
        query(extras={"where": "day > CURRENT_DATE - 7", "having": ""}),
    ],
)
def test_files_and_what_the_clock_decides_are_never_kept(change: Change) -> None:
    assert changed(change) is None


def test_what_a_dashboard_is_made_of_is_asked_by_its_address() -> None:
    charts = page_question("/api/v1/dashboard/itogi-goda/charts", "")
    assert charts == page_question("/api/v1/dashboard/itogi-goda/charts", "")
    assert charts != page_question("/api/v1/dashboard/ochered/charts", "")
    assert charts != page_question("/api/v1/dashboard/itogi-goda/charts", "q=(columns:!(id))")
