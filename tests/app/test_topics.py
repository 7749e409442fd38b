"""The wire map: which topics there are, and what must be true of each kind."""

from pathlib import Path

import pytest

from app.config import load
from app.config.sections import RESERVED_TOPICS
from app.settings import PACKAGED_CONFIG, Settings
from app.topics import Topic, topics_of


@pytest.fixture(name="topics")
def packaged_topics(tmp_path: Path) -> dict[str, Topic]:
    settings = Settings.from_environment({"ONETRAIL_DATA": str(tmp_path), "ONETRAIL_PREFIX": "p"})
    return {topic.name: topic for topic in topics_of(settings, load(PACKAGED_CONFIG))}


def test_every_topic_has_the_prefix_and_says_what_is_in_it(topics: dict[str, Topic]) -> None:
    channels = {f"p.behaviour.{name}" for name in load(PACKAGED_CONFIG).channels}
    assert set(topics) == channels | {f"p.{name}" for name in RESERVED_TOPICS} | {"p-people-changelog"}
    assert all(topic.key and topic.value and topic.meaning for topic in topics.values())


def test_a_stage_and_its_table_have_the_same_partitions(topics: dict[str, Topic]) -> None:
    assert (topics["p.people.inbox"].partitions, topics["p-people-changelog"].partitions) == (8, 8)
    assert (topics["p.behaviour.web"].partitions, topics["p.requests"].partitions) == (2, 1)


def test_whatever_a_stage_reads_carries_the_brokers_time(topics: dict[str, Topic]) -> None:
    assert {topic.config["message.timestamp.type"] for topic in topics.values()} == {"LogAppendTime"}


def test_tables_and_the_map_are_compacted_and_never_age_out(topics: dict[str, Topic]) -> None:
    compacted = {name: topic for name, topic in topics.items() if topic.config["cleanup.policy"] == "compact"}
    assert set(compacted) == {"p-people-changelog", "p.identity.map", "p.generation"}
    assert all("retention.ms" not in topic.config for topic in compacted.values())
    assert all(int(topic.config["min.compaction.lag.ms"]) >= 3_600_000 for topic in compacted.values())
    assert topics["p-people-changelog"].config["max.message.bytes"] == "4194304"


def test_ages_are_those_of_the_file(topics: dict[str, Topic]) -> None:
    day = 86_400_000
    ages = {name: int(topic.config["retention.ms"]) for name, topic in topics.items() if "retention.ms" in topic.config}
    assert (ages["p.behaviour.web"], ages["p.behaviour.rejected"]) == (30 * day, 30 * day)
    assert ages["p.people.inbox"] == 7 * day
    assert (ages["p.requests"], ages["p.identity.merges"]) == (30 * day, -1)


def test_a_rejected_record_fits_with_its_headers(topics: dict[str, Topic]) -> None:
    raw, rejected = (int(topics[f"p.behaviour.{name}"].config["max.message.bytes"]) for name in ("web", "rejected"))
    assert rejected > raw


def test_three_copies_lose_nothing_with_one_broker(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[topics]\nreplication = 3\n[identity.namespaces.u]\npriority = 1\n[channels.web]\n", encoding="utf-8")
    settings = Settings.from_environment({"ONETRAIL_DATA": str(tmp_path)})
    topics = topics_of(settings, load(path))
    assert {(topic.replication, topic.config["min.insync.replicas"]) for topic in topics} == {(3, "2")}
    assert {topic.config["unclean.leader.election.enable"] for topic in topics} == {"false"}
