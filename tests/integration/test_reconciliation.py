"""Counts from the landed file to the mart: every difference has its name, and what has none is caught."""

import psycopg
import pytest

from expectations.reconciliation import Night, outcomes, reconcile
from expectations.side import what_people_see
from tests.fixtures.dbt import MARTS, TestWarehouse, at, message


@pytest.fixture(scope="module")
def told(module_dbt_warehouse: TestWarehouse) -> TestWarehouse:
    """Two nights: of four rows one was refused; then a new version of one, a new message, and one taken back."""
    house = module_dbt_warehouse
    house.region()
    answered = {"status": "answered", "first_response_at": "2022-03-01 12:00"}
    house.night(
        "2022-03-01",
        [message(name, "2022-03-01 10:00", **told) for name, told in (("a", {}), ("b", answered), ("c", {}))],
        rejected=1,
    )
    batch = house.night(
        "2022-03-02",
        [
            message("a", "2022-03-01 10:00", status="answered", first_response_at="2022-03-02 09:00"),
            message("d", "2022-03-02 10:00"),
        ],
    )
    with psycopg.connect(house.settings.dsn("loader")) as connection:
        connection.execute(
            "insert into raw.incident (batch_id, row_number, region_code, source, message_id, incident_id, status,"
            " received_at, updated_at, row_hash, is_deleted)"
            " select %s, 4, region_code, source, message_id, incident_id, status, received_at, %s, '', true"
            " from raw.incident where message_id = 'c'",
            (batch, at("2022-03-03 00:00")),
        )
    house.model(marts=(*MARTS, "fct_survey_response", "fct_survey_answer", "fct_broadcast", "fct_material"))
    # Every entity is counted, also those that nothing came of.
    house.dbt("run", "--select", "path:models/staging")
    return house


def counted(house: TestWarehouse) -> dict[str, Night]:
    """Local day -> what became of the messages of its night."""
    with psycopg.connect(house.settings.dsn("engineer"), autocommit=True) as connection:
        side = what_people_see(connection)
        connection.execute("select set_config('search_path', %s, false)", [side.search_path])
        nights = reconcile(connection, side)
    return {f"{night.night:%m-%d}": night for night in nights if night.entity == "incident"}


def test_every_row_of_a_night_is_found_or_has_a_name_for_its_absence(told: TestWarehouse) -> None:
    # The end of a local day is 19:00 UTC of the same date.
    assert counted(told) == {
        "03-01": Night(
            region_code="66",
            source="files",
            entity="incident",
            night=at("2022-03-02 00:00"),
            landed_count=4,
            rejected_count=1,
            duplicate_count=0,
            raw_count=3,
            gone_count=0,
            staging_count=3,
            superseded_count=2,
            withdrawn_count=0,
            mart_count=1,
            incident_count=1,
            answered_count=1,
            not_answered_count=0,
            unexplained_count=0,
        ),
        "03-02": Night(
            region_code="66",
            source="files",
            entity="incident",
            night=at("2022-03-03 00:00"),
            landed_count=2,
            rejected_count=0,
            duplicate_count=0,
            raw_count=2,
            gone_count=1,
            staging_count=3,
            superseded_count=0,
            withdrawn_count=1,
            mart_count=2,
            incident_count=2,
            answered_count=1,
            not_answered_count=1,
            unexplained_count=0,
        ),
    }


def test_a_row_that_was_lost_on_the_way_is_unexplained(told: TestWarehouse) -> None:
    def lost(role: str, loss: str) -> int:
        """How many rows nothing explains, after one more loss."""
        with psycopg.connect(told.settings.dsn(role)) as connection:
            connection.execute(loss)
        nights = list(counted(told).values())
        failed = [outcome.expectation for outcome in outcomes(nights) if not outcome.success]
        assert failed == ["raw.incident: every_row_is_accounted_for"]
        return sum(night.unexplained_count for night in nights)

    answer = "delete from marts.fct_incident_event where incident_id = 'a' and event = 'first_response'"
    assert lost("transformer", answer) == 1
    assert lost("transformer", "delete from intermediate.int_message where message_id = 'd'") == 2
    # Neither there nor refused, and the mart has a message that came from nowhere.
    assert lost("owner", "delete from raw.incident where message_id = 'b'") == 4
