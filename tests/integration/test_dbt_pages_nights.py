"""Night by night, with late, corrected and deleted rows, the marts of pages equal one full refresh, row for row."""

from datetime import date
from typing import Any

from tests.fixtures.dbt import NOTES, TestWarehouse, at, message
from tests.fixtures.pages import (
    COUNTED,
    FIRST_NIGHT,
    LAST_NIGHT,
    MARTS,
    PAGES,
    REGISTER,
    REZH,
    THIRD_NIGHT,
    authority,
    days,
    page,
    seen,
)


def test_every_mart_of_pages_equals_a_full_refresh_after_every_turn(
    by_night: TestWarehouse, at_once: TestWarehouse
) -> None:
    def load(entity: str, day: str, rows: list[dict[str, Any]], region: str = "66") -> None:
        for warehouse in (by_night, at_once):
            warehouse.load(entity, day, rows, region)

    def assert_equal() -> None:
        at_once.model("--full-refresh", marts=MARTS)
        whole = at_once.marts(MARTS)
        assert whole == by_night.marts(MARTS)
        assert all(whole.values()), "an empty mart proves nothing"

    for warehouse in (by_night, at_once):
        warehouse.night("2022-11-30", [message("a", "2022-11-30 10:00")])
    load("authority", "2022-11-30", REGISTER)
    load("page", "2022-11-30", PAGES)
    load("page_snapshot", "2022-11-30", COUNTED)
    load("page", "2022-11-30", [page("moscow-vk", "town")], "77")
    load("page_snapshot", "2022-11-30", [seen("moscow-vk", "2022-11-30 23:30", 9)], "77")
    by_night.model(marts=MARTS)
    load("page_snapshot", "2022-12-01", FIRST_NIGHT)
    by_night.model(marts=MARTS)
    # A night later: moved long ago, renamed, closed long ago, taken back, deleted; nobody's for some days.
    load("page_snapshot", "2022-12-03", THIRD_NIGHT)
    load(
        "page",
        "2022-12-03",
        [
            page("town-vk", "town", opened_on="2022-01-10", valid_to="2022-11-30"),
            page("town-vk", "hospital", opened_on="2022-01-10", valid_from="2022-12-02"),
            page("museum-ok", "museum", closed_on="2022-11-30"),
            page("late-vk", "hospital", opened_on="2022-12-02"),
            page("wrong-vk", "town", is_deleted=True),
        ],
    )
    load("authority", "2022-12-03", [authority("town", "Администрация Режевского округа", REZH)])
    by_night.model(marts=MARTS)
    assert by_night.rows(
        "select day, authority_id from marts.mart_audience_daily where network = 'vk'"
        " and audience_count in (100, 110) order by 1"
    ) == [(date(2022, 11, 30), "town"), (date(2022, 12, 1), None), (date(2022, 12, 2), "hospital")]
    assert_equal()

    # A count is corrected and others are taken back: the days they were carried to change with them.
    load("page_snapshot", "2022-12-12", LAST_NIGHT)
    by_night.model(marts=MARTS)
    load(
        "page_snapshot",
        "2022-12-12",
        [
            seen("town-vk", "2022-12-01 20:00", 111, updated_at=at("2022-12-13 00:00")),
            seen("town-vk", "2022-12-03 20:00", 121, updated_at=at("2022-12-13 00:00")),
            seen("clinic-vk", "2022-12-03 20:00", 33, updated_at=at("2022-12-13 00:00"), is_deleted=True),
            seen("late-vk", "2022-12-03 20:00", 40, updated_at=at("2022-12-13 00:00"), is_deleted=True),
        ],
    )
    by_night.model(marts=MARTS)
    assert days(by_night, "town-vk")[10] == (121, 7, "not_asked")
    assert_equal()

    # Files of weeks before: counting starts earlier.
    load(
        "page_snapshot",
        "2022-11-25",
        [seen("museum-vk", "2022-11-20 20:00", 48), seen("hospital-ok", "2022-11-25 20:00", 3)],
    )
    by_night.model(marts=MARTS)
    assert days(by_night, "hospital-ok")[-5] == (3, 0, None)
    assert_equal()

    # What the first files told of is taken back: counting starts later again.
    load("page_snapshot", "2022-12-14", [seen("museum-vk", "2022-11-20 20:00", 48, is_deleted=True)])
    by_night.model(marts=MARTS)
    assert by_night.row("select min(day) as day from marts.fct_page_day where region_code = '66'")["day"] == date(
        2022, 11, 25
    )
    assert_equal()


def test_a_register_shown_by_a_build_that_stopped_half_way_is_made_up_for(
    by_night: TestWarehouse, at_once: TestWarehouse
) -> None:
    def load(entity: str, day: str, rows: list[dict[str, Any]]) -> None:
        for warehouse in (by_night, at_once):
            warehouse.load(entity, day, rows)

    for warehouse in (by_night, at_once):
        warehouse.night("2022-11-30", [message("a", "2022-11-30 10:00")])
    load("authority", "2022-11-30", REGISTER)
    load("page", "2022-11-30", PAGES)
    load("page_snapshot", "2022-11-30", COUNTED)
    load("page_snapshot", "2022-12-03", THIRD_NIGHT)
    by_night.model(marts=MARTS)
    # Wrongly told as closed and as another's, and put right before anything was published.
    load(
        "page",
        "2022-12-03",
        [page("town-vk", "town", closed_on="2022-11-30"), page("museum-vk", "town", valid_from="2022-12-03")],
    )
    by_night.model("--exclude", *NOTES, marts=MARTS)
    assert list(days(by_night, "town-vk")) == [0]
    load("page", "2022-12-04", [PAGES[0], PAGES[3]])
    by_night.model(marts=MARTS)

    at_once.model("--full-refresh", marts=MARTS)
    assert by_night.marts(MARTS) == at_once.marts(MARTS)
    assert list(days(by_night, "town-vk")) == [0, 1, 2, 3]


def test_a_page_that_moved_leaves_the_days_that_were_counted_as_they_are(by_night: TestWarehouse) -> None:
    by_night.night("2022-11-30", [message("a", "2022-11-30 10:00")])
    by_night.load("authority", "2022-11-30", REGISTER)
    by_night.load("page", "2022-11-30", PAGES)
    by_night.load("page_snapshot", "2022-11-30", COUNTED)
    by_night.load("page_snapshot", "2022-12-03", THIRD_NIGHT)
    by_night.model(marts=MARTS)
    by_night.load("page", "2022-12-03", [page("town-vk", "museum", opened_on="2022-01-10")])

    def versions() -> list[tuple[Any, ...]]:
        return by_night.rows("select day, xmin::text from intermediate.int_page_day order by 1, 2", role="engineer")

    before = versions()
    by_night.model(marts=MARTS)
    assert versions() == before
    assert by_night.row(
        "select sum(audience_count) as count from marts.mart_audience_daily"
        " where authority_id = 'museum' and network = 'vk' and day = '2022-11-30'"
    ) == {"count": 150}
