"""From records on channels to answers: the whole chain, with a real broker and a worker as a process of its own."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.protocol.admin import DeleteGroupsRequest

from app.administration import administering
from app.broker import Broker
from tests.real.crowd import Behaviour, Crowd, truth
from tests.real.judge import differences
from tests.real.system import System, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

POISON: dict[bytes | None, str] = {
    None: "not_json",
    b"": "not_json",
    b"\xff\xfe\x00pickle\x80": "not_json",
    b'{"event": "seen", "identifiers": {"user_id": "poi': "not_json",
    b'"seen"': "not_an_object",
    b"[" * 5_000: "not_json",
    b'{"identifiers": {"user_id": "poisoned"}}': "missing_event",
    b'{"event": "seen"}': "no_identifier",
    b'{"event": "seen", "identifiers": {"user_id": "guest"}}': "blocked_identifier",
    b'{"event": "seen", "identifiers": {"shoe_size": "42"}}': "unknown_namespace",
    b'{"event": "seen", "identifiers": {"user_id": "poisoned"}, "occurred_at": "yesterday"}': "bad_time",
}
NO_PACKS = (b"", b"{}", b"\x92\xa1x", b"\x92\xa1x\x91\x92\x01\x93\xa5Query\x01\x02", bytes(range(256)))

FORGOTTEN_SECONDS_MAX = 60.0


class Rejection(NamedTuple):
    """A rejected record, as far as the contract tells what it is; of a null record the raw bytes are none."""

    reason: str
    source: tuple[str, int, int]
    raw: bytes


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with System.run(broker.bootstrap, "chain", tmp_path_factory.mktemp("chain")) as running:
        await running.started()
        yield running


async def test_everybody_is_as_the_oracle_says(system: System) -> None:
    told = Crowd(seed=1, people=80).events(1_500)
    await system.tell(told + told[:200])
    await system.settled()
    assert await differences(system, truth(told)) == []
    counted = re.findall(r'(?m)^onetrail_duplicate_events_total{channel="(.*)"} (.*)$', await system.known("/metrics"))
    assert {channel: float(count) for channel, count in counted} == Counter(event.channel for event in told[:200])


async def test_a_poisoned_record_is_rejected_with_its_reason_and_stops_nothing(system: System) -> None:
    before = await rejections(system)
    expected = set()
    for raw, reason in POISON.items():
        partition, offset = await system.put("behaviour.hotline", raw, partition=0)
        expected.add(Rejection(reason, (system.topic("behaviour.hotline"), partition, offset), raw or b""))
    await system.put("behaviour.hotline", good("behind poison").record, partition=0)
    await system.settled()
    assert await rejections(system) - before == expected
    assert await journey_of(system, "behind poison") == ["behind poison"]


async def test_a_record_that_is_no_pack_is_rejected_and_stops_nothing(system: System) -> None:
    before = await rejections(system)
    expected = set()
    for partition in range(8):
        raw = NO_PACKS[partition % len(NO_PACKS)]
        place = await system.put("people.inbox", raw, partition=partition)
        expected.add(Rejection("internal", (system.topic("people.inbox"), *place), raw))
    crowd = [good(f"after no pack {number}") for number in range(20)]
    await system.tell(crowd)
    await system.settled()
    assert await rejections(system) - before == expected
    for event in crowd:
        assert await journey_of(system, event.event_id) == [event.event_id]


async def test_status_counts_what_was_rejected_by_reason(system: System) -> None:
    counted = Counter(rejected.reason for rejected in await rejections(system))
    assert (await system.settled())["rejected"] == counted
    assert counted["not_json"] == 5


async def test_what_is_told_to_others_names_nobody(system: System) -> None:
    for topic in ("identity.merges", "identity.map", "journey.changes"):
        records = await system.read(topic)
        assert records, topic
        told = b"".join(part for record in records for part in (record.key, record.value) if part is not None)
        assert not [part for part in (b"kunde", b"+86138", "客户".encode()) if part in told]


async def test_a_worker_makes_the_topics_it_needs(system: System) -> None:
    async with administering(system.bootstrap) as admin:
        topics = [topic for topic in await admin.list_topics() if topic.startswith(system.prefix)]
    assert {system.topic("behaviour.web"), system.topic("people.inbox"), "chain-people-changelog"} <= set(topics)


async def test_messages_that_were_deleted_unhandled_are_told_though_the_group_and_its_commits_are_gone(system: System) -> None:
    (worker,) = system.workers
    worker.stop()
    lost = [await system.put("people.inbox", b"unheard", partition=3) for _ in range(4)]
    async with administering(system.bootstrap) as admin:
        await admin.delete_records({TopicPartition(system.topic("people.inbox"), 3): RecordsToDelete(lost[-1][1] + 1)})
        await forgotten(admin, system.prefix)
    worker.start()
    await system.ready(worker)
    assert (await system.settled())["rejected"]["expired"] == len(lost)
    line = f"people.inbox/3: 4 records from offset {lost[0][1]} on were deleted before they were read"
    assert f"{line}; people and journeys lack what they said: run `onetrail rebuild`" in worker.log.read_text()


async def forgotten(admin: AIOKafkaAdminClient, group: str) -> None:
    """Kafka knows nothing of the group any more, as a week after its last member left; its session must end first."""
    coordinator = await admin.find_coordinator(group)
    end = time.monotonic() + FORGOTTEN_SECONDS_MAX
    while (answer := await admin._send_request(DeleteGroupsRequest([group]), coordinator)).results[0][1] != 0:
        assert time.monotonic() < end, answer
        await asyncio.sleep(0.5)


def good(name: str) -> Behaviour:
    """An event of a person of its own."""
    return Behaviour("hotline", name, "seen", 1_780_000_000_000, (("user_id", name),))


async def journey_of(system: System, user_id: str) -> list[str]:
    page = await system.known(path_of("journeys", "user_id", user_id))
    return [item["event_id"] for item in page["items"]]


async def rejections(system: System) -> set[Rejection]:
    return {rejection(record) for record in await system.read("behaviour.rejected")}


def rejection(record: Any) -> Rejection:
    headers = {name: value.decode() for name, value in record.headers}
    assert set(headers) == {"reason", "rule", "source_topic", "source_partition", "source_offset", "at"}
    source = headers["source_topic"], int(headers["source_partition"]), int(headers["source_offset"])
    return Rejection(headers["reason"], source, record.value)
