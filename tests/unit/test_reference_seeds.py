"""The seeds that describe channels, topics and policies speak the words of the contract and of the demo."""

import csv

from otklik.contracts.incident import CHANNELS, PRIORITIES
from otklik.demo.topics import SUBTOPICS
from otklik.settings import PROJECT


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / f"dbt_project/seeds/{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_channel_of_the_contract_has_its_name_and_there_are_no_others() -> None:
    assert sorted(row["channel"] for row in seed("channel")) == sorted(CHANNELS)


def test_the_topics_of_the_demo_are_those_of_the_vocabulary() -> None:
    assert {(row["topic"], row["subtopic"]) for row in seed("topic")} == {(each.topic, each.name) for each in SUBTOPICS}


def test_policies_name_priorities_of_the_contract() -> None:
    assert {row["priority"] for row in seed("sla_policy")} <= {"", *PRIORITIES}
