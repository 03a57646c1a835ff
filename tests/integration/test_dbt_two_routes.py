"""Two routes to one number agree: events and state, messages and incidents, cohorts and backlog, days and periods."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import chain, product
from typing import Any

import pytest

from tests.fixtures.dbt import TestWarehouse
from tests.fixtures.sixty_nights import REGIONS, Row, sixty_nights
from tests.fixtures.two_routes import (
    Key,
    counts,
    incident_of,
    local,
    month_of,
    of,
    periods,
    records,
    rounded,
    sums,
)

MARTS = (
    "fct_broadcast",
    "fct_incident",
    "fct_incident_event",
    "fct_material",
    "fct_message",
    "mart_backlog_daily",
    "mart_month_summary",
    "mart_repeat_and_reopened",
    "mart_resolution_cohort",
    "mart_time_to_respond",
    "mart_time_to_respond_month",
    "mart_year_summary",
)
ENTITIES = ("incident", "broadcast", "material")
SLICE = ("region_code", "authority", "municipality_code", "municipality", "topic", "channel")
AGE_BANDS = {0: "0", 1: "1-2", 3: "3-6", 7: "7-29", 30: "30+"}

Events = dict[str, dict[Key, list[datetime]]]


@pytest.fixture(scope="module")
def story(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Sixty nights of two regions in one build."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва", "Europe/Moscow")
    for file in chain.from_iterable(sixty_nights()):
        if file.entity in ENTITIES:
            file.load(warehouse)
    warehouse.model(marts=MARTS)
    return warehouse


@pytest.fixture(scope="module")
def events(story: TestWarehouse) -> Events:
    """Event -> incident -> its moments in their order."""
    moments: Events = defaultdict(lambda: defaultdict(list))
    for row in sorted(records(story, "fct_incident_event"), key=lambda row: row["event_at"]):
        moments[row["event"]][incident_of(row)].append(row["event_at"])
    return moments


@pytest.fixture(scope="module")
def incidents(story: TestWarehouse, events: Events) -> list[Row]:
    """Every incident, with what its events say of whether it `is_open`."""
    rows = records(story, "fct_incident")
    for row in rows:
        turns = ("resolved", "closed", "reopened")
        told = [(moment, event) for event in turns for moment in events[event].get(incident_of(row), [])]
        # What is over by its status alone has no event of it.
        by_status = row["status"] in ("resolved", "closed") and not (row["resolved_at"] or row["closed_at"])
        row["is_open"] = not by_status and (not told or max(told)[1] == "reopened")
    return rows


@pytest.fixture(scope="module")
def clocks(story: TestWarehouse) -> dict[str, Row]:
    """«As of» of each region, and the last local day that ended by then."""
    moment = timedelta(microseconds=1)
    rows = records(story, "mart_as_of")
    return {row["region_code"]: row | {"last_day": (row["as_of_local"] - moment).date()} for row in rows}


@pytest.fixture(scope="module")
def backlog(story: TestWarehouse, clocks: dict[str, Row]) -> list[Row]:
    """The backlog of each region's last day."""
    rows = records(story, "mart_backlog_daily")
    return [row for row in rows if row["day"] == clocks[row["region_code"]]["last_day"]]


# Events against state.


def test_what_happens_once_is_an_event_at_the_moment_that_the_state_tells(events: Events, incidents: list[Row]) -> None:
    for event in ("received", "registered", "assigned", "first_response"):
        told = {incident_of(row): [row[f"{event}_at"]] for row in incidents if row[f"{event}_at"]}
        assert events[event] == told
        assert len(told) > 20
        assert {region for region, *_ in told} == set(REGIONS)


def test_days_of_events_are_the_days_of_the_state(story: TestWarehouse, incidents: list[Row]) -> None:
    happened = records(story, "fct_incident_event")
    authority = {incident_of(row): row["authority"] for row in incidents}
    assert all(row["event_date"] == local(row, "event_at").date() for row in happened)
    for event, day in (("received", "received_date"), ("first_response", "first_response_date")):
        by_events = Counter(
            (row["event_date"], row["region_code"], authority[incident_of(row)])
            for row in happened
            if row["event"] == event
        )
        assert by_events == Counter(of(row, day, "region_code", "authority") for row in incidents if row[day])
        assert len(by_events) > 60


def test_the_time_to_respond_lies_between_two_events(events: Events, incidents: list[Row]) -> None:
    by_events = {
        key: (answered - events["received"][key][0]) / timedelta(minutes=1)
        for key, (answered,) in events["first_response"].items()
    }
    assert by_events == {incident_of(row): row["minutes_to_respond"] for row in incidents if row["first_response_at"]}
    assert {row["minutes_to_respond"] for row in incidents if not row["first_response_at"]} == {None}
    assert len(set(by_events.values())) > 30


def test_an_incident_is_over_once_and_once_more_for_each_time_it_was_opened_again(
    events: Events, incidents: list[Row]
) -> None:
    rounds: Counter[tuple[str, int, int]] = Counter()
    for row in incidents:
        key = incident_of(row)
        again = len(events["reopened"].get(key, []))
        for event in ("resolved", "closed"):
            moments, last = events[event].get(key, []), row[f"{event}_at"]
            assert max(moments, default=None) == last, key
            assert len(moments) <= 1 + again, key
            rounds[event, again, len(moments)] += 1
    assert min(rounds["resolved", 0, 1], rounds["resolved", 1, 1], rounds["resolved", 1, 2], rounds["closed", 0, 1]) > 2


def test_what_counts_as_opened_again_has_an_event_of_it(
    story: TestWarehouse, events: Events, incidents: list[Row]
) -> None:
    counted = [row for row in records(story, "mart_repeat_and_reopened") if row["reopened_count"]]
    again = [row for row in incidents if incident_of(row) in events["reopened"]]
    # A source that does not count says nothing of how many were: they are events, and not judged.
    judged = [row for row in again if row["reopened_count"] is not None]
    assert sums(counted, ("region_code", "month", "authority"), "reopened_count") == counts(
        (row["region_code"], month_of(row["received_date"]), row["authority"]) for row in judged
    )
    assert 5 < len(judged) < len(again) - 2


# Messages against incidents.


def test_incidents_are_made_of_messages_and_of_nothing_else(story: TestWarehouse, incidents: list[Row]) -> None:
    parts = defaultdict(list)
    for row in records(story, "fct_message"):
        parts[incident_of(row)].append(row)
    assert {key: len(rows) for key, rows in parts.items()} == {
        incident_of(row): row["message_count"] for row in incidents
    }
    assert {key: min(row["received_at"] for row in rows) for key, rows in parts.items()} == {
        incident_of(row): row["received_at"] for row in incidents
    }
    for row in incidents:
        assert row["registered_at"] in {part["registered_at"] for part in parts[incident_of(row)]}
    assert sums(incidents, ("region_code",), "message_count") == counts(
        (row["region_code"],) for rows in parts.values() for row in rows
    )
    merged = [rows for rows in parts.values() if len(rows) > 1]
    assert sum(len({row["received_date"] for row in rows}) > 1 for rows in merged) > 5
    gone = story.rows(
        "select * from (select distinct on (region_code, source, message_id)"
        " region_code, source, message_id, incident_id, is_deleted from raw.incident"
        " order by 1, 2, 3, updated_at desc, batch_id desc, row_number desc) as latest where is_deleted",
        role="loader",
    )
    assert len(gone) > 5
    assert {of(row, "region_code", "source", "message_id") for rows in parts.values() for row in rows}.isdisjoint(
        key[:3] for key in gone
    )
    # An incident goes with its last message.
    assert any((*key[:2], key[3]) not in parts for key in gone)


def test_messages_and_incidents_of_a_month_are_those_received_in_it(story: TestWarehouse, incidents: list[Row]) -> None:
    told = records(story, "mart_repeat_and_reopened")
    messages = records(story, "fct_message")
    by_month = counts((row["region_code"], month_of(row["received_date"])) for row in messages)
    assert sums(told, ("region_code", "month"), "message_count") == by_month
    assert sums(told, ("region_code", "month", "authority"), "incident_count") == counts(
        (row["region_code"], month_of(row["received_date"]), row["authority"]) for row in incidents
    )
    assert len(by_month) > 5


# Cohorts against the backlog.


def test_what_is_open_of_all_cohorts_is_the_backlog_of_the_last_day(
    story: TestWarehouse, incidents: list[Row], events: Events, backlog: list[Row]
) -> None:
    cohorts = records(story, "mart_resolution_cohort")
    key = ("region_code", "authority")
    by_authority = sums((row for row in cohorts if row["scope"] == "authority"), key, "open_count")
    assert by_authority == sums(backlog, key, "open_count")
    assert by_authority == counts(of(row, *key) for row in incidents if row["is_open"])
    for kind in ("day", "month"):
        whole = [row for row in cohorts if row["scope"] == "region" and row["cohort_kind"] == kind]
        assert sums(whole, ("region_code",), "open_count") == sums(backlog, ("region_code",), "open_count")
    assert len(by_authority) == 8
    opened_again = [row["is_open"] for row in incidents if incident_of(row) in events["reopened"]]
    assert min(Counter(opened_again)[True], Counter(opened_again)[False]) > 5


def test_cohorts_are_the_incidents_by_the_day_they_were_received(story: TestWarehouse, incidents: list[Row]) -> None:
    cohorts = records(story, "mart_resolution_cohort")
    for kind, scope in (("day", "region"), ("month", "region"), ("month", "authority")):
        told = [row for row in cohorts if (row["cohort_kind"], row["scope"]) == (kind, scope)]
        members = [
            {
                "region_code": row["region_code"],
                "cohort_start": row["received_date"] if kind == "day" else month_of(row["received_date"]),
                "authority": row["authority"] if scope == "authority" else None,
                "incident_count": 1,
                "resolved_count": int(not row["is_open"]),
                "open_count": int(row["is_open"]),
            }
            for row in incidents
        ]
        key = ("region_code", "cohort_start", "authority")
        columns = ("incident_count", "resolved_count", "open_count")
        assert sums(told, key, *columns) == sums(members, key, *columns)
        assert len(told) > 5


def test_the_backlog_of_the_last_day_is_what_is_open_by_age(
    incidents: list[Row], clocks: dict[str, Row], backlog: list[Row]
) -> None:
    waiting = []
    for row in incidents:
        if row["is_open"]:
            age = (clocks[row["region_code"]]["last_day"] - row["received_date"]).days
            band = AGE_BANDS[max(since for since in AGE_BANDS if since <= age)]
            unanswered = int(row["first_response_at"] is None)
            waiting.append(
                row | {"age_band": band, "open_count": 1, "unanswered_count": unanswered, "age_days_sum": age}
            )
    key = ("region_code", "authority", "municipality_code", "municipality", "topic", "age_band")
    columns = ("open_count", "unanswered_count", "age_days_sum")
    assert sums(backlog, key, *columns) == sums(waiting, key, *columns)
    assert {row["age_band"] for row in waiting} == {*AGE_BANDS.values()}


def test_what_is_overdue_in_the_month_is_the_backlogs_and_what_was_over_without_an_answer(
    story: TestWarehouse, incidents: list[Row], clocks: dict[str, Row], backlog: list[Row]
) -> None:
    key = ("region_code", "authority")
    waiting = [row for row in incidents if row["deadline_at"] and not row["first_response_at"]]
    overdue = [row for row in waiting if row["deadline_at"] < clocks[row["region_code"]]["as_of"]]
    in_backlog = sums(backlog, key, "overdue_count")
    assert in_backlog == counts(of(row, *key) for row in overdue if row["is_open"])
    # The backlog is of what is open; what was over without an answer was not answered either, and the month has it.
    over = counts(of(row, *key) for row in overdue if not row["is_open"])
    told = [
        row
        for row in records(story, "mart_time_to_respond_month")
        if row["month"] == month_of(clocks[row["region_code"]]["last_day"])
    ]
    by_month = sums((row for row in told if row["scope"] == "authority"), key, "overdue_unanswered_count")
    assert by_month == {key: (in_backlog.get(key, (0,))[0] + over.get(key, (0,))[0],) for key in {*in_backlog, *over}}
    whole = sums((row for row in told if row["scope"] == "region"), ("region_code",), "overdue_unanswered_count")
    assert whole == counts((row["region_code"],) for row in overdue)
    assert len(in_backlog) > 6
    assert sum(count for (count,) in over.values()) > 3
    assert len(overdue) < len(waiting)


# Days against periods, and both against incidents.


def test_days_of_answers_add_up_to_the_incidents_answered(story: TestWarehouse, incidents: list[Row]) -> None:
    days = records(story, "mart_time_to_respond")
    for row in days:
        row["in_histogram"] = sum(int(bucket.split(":")[1]) for bucket in row["histogram"].split())
    answered = [
        row
        | {
            "day": row["first_response_date"],
            "answered_count": 1,
            "in_histogram": 1,
            "minutes_sum": row["minutes_to_respond"],
            "working_minutes_sum": row["working_minutes_to_respond"],
            "with_working_minutes_count": int(row["working_minutes_to_respond"] is not None),
            "with_deadline_count": int(row["deadline_at"] is not None),
            "on_time_count": int(row["deadline_at"] is not None and row["first_response_at"] <= row["deadline_at"]),
        }
        for row in incidents
        if row["first_response_at"]
    ]
    columns = tuple(answered[0].keys() & days[0].keys() - {"day", *SLICE})
    assert len(columns) == 7
    assert sums(days, ("day", *SLICE), *columns) == sums(answered, ("day", *SLICE), *columns)
    assert min(sum(row[column] for row in days) for column in columns) > 10
    assert sum(row["with_deadline_count"] - row["on_time_count"] for row in days) > 10


def test_a_month_tells_what_its_incidents_tell(
    story: TestWarehouse, incidents: list[Row], clocks: dict[str, Row]
) -> None:
    told = records(story, "mart_time_to_respond_month")
    expected = periods(incidents, clocks, months=1)
    columns = tuple(next(iter(expected.values())))
    assert {
        of(row, "region_code", "month", "scope", "authority"): dict(zip(columns, of(row, *columns), strict=True))
        for row in told
    } == expected
    assert len(told) == len(expected) > 30
    assert sum(row["answered_count"] == 0 for row in told) > 2
    assert any(0 < (row["on_time_share"] or 0) < 1 for row in told)


def test_a_months_mean_and_percentiles_are_those_of_its_days(story: TestWarehouse) -> None:
    days = records(story, "mart_time_to_respond")
    for row in days:
        row["month"] = month_of(row["day"])
    months = [row for row in records(story, "mart_time_to_respond_month") if row["answered_count"]]
    percentiles = "select marts.histogram_percentile(%s, 0.5), marts.histogram_percentile(%s, 0.9)"
    for row in months:
        slice_of = [day for day in days if of(day, "region_code", "month") == of(row, "region_code", "month")]
        if row["scope"] == "authority":
            slice_of = [day for day in slice_of if day["authority"] == row["authority"]]
        (total,) = sums(slice_of, ("region_code",), "minutes_sum", "answered_count", "on_time_count").values()
        assert total[1:] == of(row, "answered_count", "on_time_count")
        assert rounded(total[0] / total[1]) == row["mean_minutes"]
        merged = " ".join(day["histogram"] for day in slice_of)
        ((median, p90),) = story.rows(percentiles, merged, merged)
        assert float(median) == pytest.approx(float(row["median_minutes"]), rel=0.01)
        assert float(p90) == pytest.approx(float(row["p90_minutes"]), rel=0.01)
    assert len(months) > 20
    assert max(row["p90_minutes"] / row["median_minutes"] for row in months) > 2


def test_a_year_tells_what_its_rows_tell(story: TestWarehouse, incidents: list[Row], clocks: dict[str, Row]) -> None:
    years = {
        (region, start.year): row
        for (region, start, scope, _), row in periods(incidents, clocks, months=12).items()
        if scope == "region"
    }
    registered = [row for row in records(story, "fct_message") if row["registered_at"]]
    processed = Counter((row["region_code"], local(row, "registered_at").year) for row in registered)
    # Also what was opened again since: it counts by when it was last resolved.
    resolved = Counter(
        (row["region_code"], local(row, "resolved_at").year)
        for row in incidents
        if row["resolved_at"]
        for _ in range(row["message_count"])
    )
    held = Counter((row["region_code"], row["held_date"].year) for row in records(story, "fct_broadcast"))
    published = Counter((row["region_code"], row["published_date"].year) for row in records(story, "fct_material"))
    told: dict[str, dict[tuple[str, int], Any]] = defaultdict(dict)
    for row in records(story, "mart_year_summary"):
        told[row["metric"]][row["region_code"], row["year"]] = row["value"]
    assert set(told["messages_processed"]) == set(years) == {*product(REGIONS, (2022, 2023))}
    for key, figures in years.items():
        assert told["messages_processed"][key] == processed[key]
        assert told["problems_resolved"][key] == resolved[key]
        for metric, column in (
            ("mean_time_to_respond", "mean_minutes"),
            ("median_time_to_respond", "median_minutes"),
            ("p90_time_to_respond", "p90_minutes"),
            ("on_time_share", "on_time_share"),
        ):
            assert told[metric][key] == figures[column], (metric, key)
    assert told["broadcasts_held"] == {("66", 2022): held["66", 2022], ("66", 2023): 0}
    assert told["materials_published"] == {("66", year): published["66", year] for year in (2022, 2023)}
    assert min(*processed.values(), resolved["66", 2022], resolved["66", 2023], *held.values(), *published.values()) > 0
    assert any(row["resolved_at"] and row["is_open"] for row in incidents)


def test_a_month_of_the_summary_tells_what_its_rows_tell(story: TestWarehouse, incidents: list[Row]) -> None:
    counted: Counter[Any] = Counter()
    for row in records(story, "fct_message"):
        if row["registered_at"]:
            counted["messages_processed", row["region_code"], month_of(local(row, "registered_at").date())] += 1
    for row in incidents:
        if month := row["resolved_at"] and month_of(local(row, "resolved_at").date()):
            counted["problems_resolved", row["region_code"], month] += row["message_count"]
    told = {
        (row["metric"], row["region_code"], row["month"]): row["value"] for row in records(story, "mart_month_summary")
    }
    assert {region for _, region, _ in counted} == set(REGIONS)
    assert {key: count for key, count in told.items() if count and key[0] in {key[0] for key in counted}} == counted
