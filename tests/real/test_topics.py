"""Topics on a real broker: made once, kept as they are, and compared setting by setting."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from app.administration import administering
from app.broker import Broker
from app.config import Config, load
from app.settings import Settings
from app.topics import Mismatch, TopicsError, check, create, topics_of

SMALL = """
[topics]
partitions = 2
channel_partitions = 1
[identity.namespaces.user_id]
priority = 1
[channels.web]
"""


def settings_for(broker: Broker, data: Path, prefix: str) -> Settings:
    return Settings.from_environment({"ONETRAIL_DATA": str(data), "ONETRAIL_KAFKA": broker.bootstrap, "ONETRAIL_PREFIX": prefix})


def config_of(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


async def test_what_is_missing_is_created_as_wanted_and_a_second_time_changes_nothing(broker: Broker, tmp_path: Path) -> None:
    settings, config = settings_for(broker, tmp_path, "made"), config_of(tmp_path, SMALL)
    wanted = topics_of(settings, config)
    missing = await check(settings, config)
    assert missing == [Mismatch(topic.name, "topic", "present", "missing") for topic in wanted]
    assert await create(settings, config) == tuple(topic.name for topic in wanted)
    assert await check(settings, config) == []
    assert await create(settings, config) == ()


async def test_processes_that_create_at_the_same_time_do_not_hinder_one_another(broker: Broker, tmp_path: Path) -> None:
    settings, config = settings_for(broker, tmp_path, "raced"), config_of(tmp_path, SMALL)
    await asyncio.gather(*(create(settings, config) for _ in range(3)))
    assert await check(settings, config) == []


async def test_a_topic_made_otherwise_stays_and_is_told_with_setting_wanted_and_found(broker: Broker, tmp_path: Path) -> None:
    settings, config = settings_for(broker, tmp_path, "other"), config_of(tmp_path, SMALL)
    await make(settings, NewTopic("other.people.inbox", 3, 1, topic_configs={"retention.ms": "1000"}))
    await create(settings, config)
    assert set(await check(settings, config)) == {
        Mismatch("other.people.inbox", "partitions", "2", "3"),
        Mismatch("other.people.inbox", "retention.ms", "604800000", "1000"),
        Mismatch("other.people.inbox", "message.timestamp.type", "LogAppendTime", "CreateTime"),
        Mismatch("other.people.inbox", "max.message.bytes", "2097152", "1048588"),
    }


async def test_what_the_broker_refuses_is_told_with_the_topic(broker: Broker, tmp_path: Path) -> None:
    settings = settings_for(broker, tmp_path, "copies")
    config = config_of(tmp_path, SMALL.replace("[topics]", "[topics]\nreplication = 3"))
    with pytest.raises(TopicsError, match=r"topic copies\.behaviour\.web was refused by the broker: .*replic"):
        await create(settings, config)


async def make(settings: Settings, topic: NewTopic) -> None:
    async with administering(settings.bootstrap) as admin:
        await admin.create_topics([topic])
