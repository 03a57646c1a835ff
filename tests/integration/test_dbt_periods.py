"""Why the mean changed, how many are resolved in time, percentiles of any slice: by hand, and by a library."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy.stats import CensoredData, ecdf

from tests.fixtures.dbt import LOCAL, TestWarehouse, message

AS_OF = datetime(2022, 5, 1, tzinfo=LOCAL)


def moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}"


def made_up(number: int) -> list[dict[str, Any]]:
    """March and April 2022: answered after minutes to weeks, most of them resolved, some opened again."""
    chance = np.random.default_rng(7)
    rows = []
    for n in range(number):
        received = datetime(2022, 3, 1, tzinfo=LOCAL) + timedelta(minutes=int(chance.integers(60 * 24 * 60)))
        known = {
            "authority": chance.choice(np.array(["Дороги", "Вода", "Свет", None])),
            "topic": str(chance.choice(list("АБВ"))),
        }
        answered = received + timedelta(minutes=chance.lognormal(5, 1.5))
        resolved = answered + timedelta(days=chance.lognormal(0.5, 1.5))
        if answered < AS_OF:
            known["first_response_at"] = moment(answered)
        if resolved < AS_OF:
            known["resolved_at"] = moment(resolved)
            if n % 20 == 0 and resolved + timedelta(hours=9) < AS_OF:
                known["reopened_at"] = moment(resolved + timedelta(hours=9))
        rows.append(message(f"m{n}", moment(received), **known))
    return rows


@pytest.fixture(scope="module")
def centre(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Region 66 with two thousand incidents of two months; 77 with a few that can be counted by hand."""
    warehouse = module_dbt_warehouse
    warehouse.region()
    warehouse.region("77", "Москва")
    warehouse.history("2022-03-01", "2022-04-30", made_up(2_000))
    few = [
        # March: roads twice in 60 minutes, water once in 300; mean 140.
        message("a", "2022-03-01 10:00", first_response_at="2022-03-01 11:00", authority="Дороги"),
        message("b", "2022-03-02 10:00", first_response_at="2022-03-02 11:00", authority="Дороги"),
        message("c", "2022-03-03 10:00", first_response_at="2022-03-03 15:00", authority="Вода"),
        # April: roads once in 30, water twice in 200, light once in 90; mean 130.
        message("d", "2022-04-01 10:00", first_response_at="2022-04-01 10:30", authority="Дороги"),
        message("e", "2022-04-02 10:00", first_response_at="2022-04-02 13:20", authority="Вода"),
        message("f", "2022-04-03 10:00", first_response_at="2022-04-03 13:20", authority="Вода"),
        message("g", "2022-04-04 10:00", first_response_at="2022-04-04 11:30", authority="Свет"),
        # Received on the last day but three: one resolved after a day and a half, one opened again, one open.
        message("h", "2022-04-28 00:00", resolved_at="2022-04-29 12:00", authority="Мосты"),
        message("i", "2022-04-28 00:00", resolved_at="2022-04-28 09:00", reopened_at="2022-04-29 09:00",
                authority="Мосты"),
        message("j", "2022-04-28 00:00", authority="Мосты"),
    ]  # fmt: skip
    warehouse.history("2022-03-01", "2022-04-30", few, region="77")
    warehouse.model()
    return warehouse


def test_a_change_of_the_mean_is_split_by_hand_into_who_and_how_fast(centre: TestWarehouse) -> None:
    parts = centre.rows(
        "select member, answered_count_before, answered_count, mix_minutes, rate_minutes, whole_change_minutes"
        " from marts.mart_response_change where region_code = '77' and period_kind = 'month'"
        " and period_start = '2022-04-01' and compared_with = 'previous_month' and dimension = 'authority'"
        " order by answered_count_before desc, member"
    )
    # Means 140 and 130: the middle is 135. Shares were 2/3, 1/3, 0 and are 1/4, 1/2, 1/4.
    # Roads: mix (1/4 − 2/3)(45 − 135) = 37.5, rate (1/4 + 2/3)/2 × (30 − 60) = −13.75.
    # Water: mix (1/2 − 1/3)(250 − 135) = 19.166667, rate (1/2 + 1/3)/2 × (200 − 300) = −41.666667.
    # Light answered nobody in March: mix (1/4 − 0)(90 − 135) = −11.25.
    assert [(member, before, now, mix, rate) for member, before, now, mix, rate, _ in parts] == [
        ("Дороги", 2, 1, Decimal("37.5"), Decimal("-13.75")),
        ("Вода", 1, 2, Decimal("19.166667"), Decimal("-41.666667")),
        ("Свет", 0, 1, Decimal("-11.25"), 0),
    ]
    assert {whole for *_, whole in parts} == {-10}


def test_the_parts_of_every_change_add_up_to_it_to_the_last_digit(centre: TestWarehouse) -> None:
    sums = centre.rows(
        "select sum(mix_minutes + rate_minutes) - min(whole_change_minutes), sum(change_minutes) -"
        " max(whole_change_minutes) from marts.mart_response_change"
        " group by region_code, period_kind, period_start, compared_with, dimension"
    )
    assert set(sums) == {(0, 0)}
    assert len(sums) == 6


def test_the_change_of_the_parts_is_that_of_the_means_on_the_other_mart(centre: TestWarehouse) -> None:
    [(change,)] = centre.rows(
        "select sum(change_minutes) from marts.mart_response_change where region_code = '66'"
        " and period_kind = 'month' and dimension = 'topic' and period_start = '2022-04-01'"
    )
    april, march = centre.month("2022-04"), centre.month("2022-03")
    assert change == april["mean_minutes"] - march["mean_minutes"]


def cohort(centre: TestWarehouse, kind: str, start: str, authority: str | None, region: str) -> tuple[Any, ...]:
    [row] = centre.rows(
        "select incident_count, resolved_count, open_count, resolved_share_1_day, resolved_share_3_days,"
        " resolved_share_7_days, resolved_share_30_days from marts.mart_resolution_cohort where region_code = %s"
        " and cohort_kind = %s and cohort_start = %s and scope = %s and authority is not distinct from %s",
        region,
        kind,
        date.fromisoformat(start),
        "authority" if authority else "region",
        authority,
    )
    return row


def test_those_still_open_count_for_as_long_as_they_were_watched(centre: TestWarehouse) -> None:
    # Of three watched, one is over after a day and a half; nobody has been watched for seven days.
    third = Decimal("0.333333")
    assert cohort(centre, "day", "2022-04-28", None, "77") == (3, 1, 2, 0, third, None, None)
    assert cohort(centre, "month", "2022-04-01", "Мосты", "77") == (3, 1, 2, 0, third, None, None)


@pytest.mark.parametrize("month", ["2022-03-01", "2022-04-01"])
def test_shares_of_a_cohort_are_those_of_a_statistics_library(centre: TestWarehouse, month: str) -> None:
    members = centre.rows(
        "select extract(epoch from coalesce(case when span.reopened_at is null then span.ended_at end, %s)"
        " - span.received_at)::float8 / 86400, span.ended_at is not null and span.reopened_at is null"
        " from intermediate.int_incident_span as span"
        " where region_code = '66' and until_day is null and date_trunc('month', received_date)::date = %s",
        AS_OF,
        date.fromisoformat(month),
        role="engineer",
    )
    days, is_resolved = np.array([days for days, _ in members]), np.array([over for _, over in members])
    survival = ecdf(CensoredData.right_censored(days, ~is_resolved)).sf
    expected = [float(1 - survival.evaluate(h)) if days.max() >= h else None for h in (1, 3, 7, 30)]
    count, resolved, still_open, *shares = cohort(centre, "month", month, None, "66")
    assert (count, resolved, still_open) == (len(members), is_resolved.sum(), (~is_resolved).sum())
    assert [share and float(share) for share in shares] == pytest.approx(expected, abs=1e-6)
    assert 0 < still_open < resolved


@pytest.mark.parametrize("share", [0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.99, 1])
@pytest.mark.parametrize(("authority", "topic"), [(None, None), ("Вода", None), ("Дороги", "Б")])
def test_percentiles_of_any_slice_are_within_one_percent(
    centre: TestWarehouse, share: float, authority: str | None, topic: str | None
) -> None:
    [(told,)] = centre.rows(
        "select marts.histogram_percentile(string_agg(histogram, ' '), %s::numeric) from marts.mart_time_to_respond"
        " where region_code = '66' and authority is not distinct from coalesce(%s, authority)"
        " and topic = coalesce(%s, topic)",
        share,
        authority,
        topic,
    )
    [(exact, count)] = centre.rows(
        "select percentile_cont(%s) within group (order by minutes_to_respond), count(*) from marts.fct_incident"
        " where region_code = '66' and minutes_to_respond is not null"
        " and authority is not distinct from coalesce(%s, authority) and topic = coalesce(%s, topic)",
        share,
        authority,
        topic,
    )
    assert count > 50
    assert float(told) == pytest.approx(exact, rel=0.01)


def test_a_percentile_of_nothing_is_unknown_and_of_answers_at_once_is_none(centre: TestWarehouse) -> None:
    assert centre.rows("select marts.histogram_percentile(null, 0.5)") == [(None,)]
    assert centre.rows("select marts.histogram_percentile('-1000:3', 0.9)") == [(0,)]
    # Of one and of two at once, three quarters of the way from 0 to the only other: buckets 2 % wide.
    [(median,)] = centre.rows("select marts.histogram_percentile('-1000:1 250:1', 0.75)")
    assert float(median) == pytest.approx(0.75 * 2 * (1.01 / 0.99) ** 250 / (1.01 / 0.99 + 1))
