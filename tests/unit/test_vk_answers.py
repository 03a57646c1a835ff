"""Reading VK's answers, whatever their bodies hold."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from otklik.sources import vk
from otklik.sources.records import Answer, Records

NIGHT = datetime(2022, 12, 31, 18, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["response", "groups", "items", "error", "id", "reach"]), inner)
    ),
    max_leaves=8,
)
GROUP = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.sampled_from([1, "town1_adm", 375])
        for name in (
            "id",
            "screen_name",
            "members_count",
            "name",
            "cover",
            "deactivated",
            "is_closed",
            "description",
            "verified",
        )
    },
)
BODY = st.one_of(
    JSON,
    st.builds(lambda groups: {"response": {"groups": groups}}, st.lists(GROUP | JSON)),
    st.builds(
        lambda count, items: {"response": {"count": count, "items": items}},
        JSON,
        JSON | st.lists(st.fixed_dictionaries({"id": JSON, "date": JSON | st.integers()})),
    ),
    st.builds(lambda code: {"error": {"error_code": code}}, JSON | st.sampled_from([5, 7, 9, 100])),
    st.builds(lambda reach: {"response": [{"reach": reach}]}, JSON | st.builds(lambda value: {"reach": value}, JSON)),
).map(json.dumps)
DAMAGED = st.one_of(st.none(), st.text(), BODY, st.builds(lambda body, cut: body[:cut], BODY, st.integers(0, 60)))


@settings(max_examples=300, deadline=None)
@given(st.tuples(DAMAGED, DAMAGED, DAMAGED, DAMAGED), st.sampled_from([None, "limit", "HTTP 502"]))
def test_every_page_asked_about_is_a_record_whatever_was_answered(
    bodies: tuple[str | None, ...], trouble: str | None
) -> None:
    pages = [{"page_id": f"p{external_id}", "external_id": external_id} for external_id in ("1", "town1_adm", "22")]
    asked: list[dict[str, Any]] = [
        {"method": "groups.getById", "pages": pages},
        {"method": "wall.get", "page_id": "p1", "offset": 0},
        {"method": "wall.get", "page_id": "p1", "offset": 100},
        {"method": "stats.get", "page_id": "p1"},
    ]
    answers = [Answer(question, NIGHT, body, trouble) for question, body in zip(asked, bodies, strict=True)]
    (records,) = vk.read(answers)
    assert isinstance(records, Records)
    assert [record.values["page_id"] for record in records.rows] == ["p1", "ptown1_adm", "p22"]
    for record in records.rows:
        number, reason = record.values["members_count"], record.values["not_read"]
        assert (number is None) != (reason is None)
        assert number is None or (number.isascii() and number.isdigit())
