"""What of a request decides its answer: two requests that must be answered alike have the same form.

Standard library only.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

# Of the browser's request: where on the page the answer goes, and how it is painted there.
_NOT_ASKED = {
    "chart_id", "color_scheme", "custom_form_data", "custom_params", "dashboardId", "dashboard_id", "force", "inView",
    "label_colors", "map_label_colors", "native_filter_id", "own_color_scheme", "shared_label_colors", "slice_id",
    "url_params",
}  # fmt: skip
# Periods and SQL of which the answer is another one a minute later.
_PERIOD_BY_THE_CLOCK = re.compile(r"now|hour|minute|second", re.IGNORECASE)
_SQL_BY_THE_CLOCK = re.compile(
    r"\b(now|random|\w*timestamp|timeofday)\s*\(|\b(current|local)_?(date|time)", re.IGNORECASE
)
_ABSOLUTE_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def chart_question(body: Mapping[str, Any], today: date) -> str | None:
    """Return the form of a question for the data of a chart; None when its answer must not be kept.

    `body` is what the browser posts to /api/v1/chart/data. «Last month» asked on another day is another question.
    """
    if body.get("result_type", "full") != "full" or body.get("result_format", "json") != "json":
        return None
    if not isinstance(body.get("datasource"), dict) or body["datasource"].get("type") != "table":
        return None
    queries = body.get("queries") or []
    # An annotation asks another dataset.
    if not queries or any(query.get("annotation_layers") for query in queries):
        return None
    asked = {name: _what_decides(body.get(name)) for name in ("datasource", "queries", "form_data")}
    periods = [text for query in queries for text in _periods(query)]
    if any(map(_PERIOD_BY_THE_CLOCK.search, periods)) or any(map(_SQL_BY_THE_CLOCK.search, _statements(queries))):
        return None
    if not all(_is_absolute(period) for period in periods):
        asked["today"] = today.isoformat()
    return _digest(asked)


def page_question(path: str, query: str) -> str:
    """Return the form of a question for what a dashboard is made of: its address."""
    return _digest([path, query])


def _what_decides(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _what_decides(inner) for name, inner in value.items() if name not in _NOT_ASKED}
    if isinstance(value, list):
        return [_what_decides(inner) for inner in value]
    return value


def _periods(query: Mapping[str, Any]) -> list[str]:
    """Return every period a query names, as the reader chose it: «Last month», «2022-01-01 : 2023-01-01»."""
    named = [query.get("time_range"), *(query.get("time_offsets") or [])]
    named += [chosen.get("val") for chosen in query.get("filters") or [] if chosen.get("op") == "TEMPORAL_RANGE"]
    return [str(period) for period in named if period and period != "No filter"]


def _is_absolute(period: str) -> bool:
    return all(_ABSOLUTE_DAY.match(end.strip()) for end in period.split(" : ") if end.strip())


def _statements(value: Any) -> list[str]:
    """Return every piece of SQL in a query."""
    if isinstance(value, dict):
        own = [str(value[name]) for name in ("sqlExpression", "where", "having") if value.get(name)]
        return own + [text for inner in value.values() for text in _statements(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _statements(inner)]
    return []


def _digest(asked: Any) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
