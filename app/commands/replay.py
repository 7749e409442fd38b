"""`onetrail replay`: files of events into a channel's topic."""

import asyncio
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from aiokafka import AIOKafkaProducer

from app import topics
from app.commands.failure import Failure
from app.commands.progress import meter
from app.config import Config, load
from app.replay import RECORD_BYTES_MAX, Memory, Outgoing, Sent, connected, outgoing, replay
from app.settings import Settings

GZIP = b"\x1f\x8b"
NAMED_MAX = 5
"""Records too large to be sent that are named one by one."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", "channel_name", required=True, help="The channel the events belong to, as in the configuration.")
@click.option("--rate", type=click.IntRange(min=1), help="At most so many events a second.")
@click.option("--again", is_flag=True, help="Send everything, also what is remembered as sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(files: tuple[Path, ...], channel_name: str, rate: int | None, again: bool, as_json: bool) -> None:
    """Send FILES of JSON Lines (or .gz) to a channel's topic.

    Interrupt it and start it again: it goes on where it was. To repeat it is safe: event ids make it idempotent, and a line
    without `event_id` gets one from its content and place. A line that is no JSON object is sent as it is, so that it appears
    among the rejected, and is counted. Exit code 1 if anything could not be sent.

    \b
    Examples:
        onetrail replay yesterday.jsonl --channel web
        onetrail replay 2026-*.jsonl.gz --channel app --rate 2000
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    if channel_name not in config.channels:
        known = f"there is no channel {channel_name!r}; {settings.config} has {', '.join(config.channels)}"
        raise click.BadParameter(known, param_hint="--channel")
    channel = config.channels[channel_name]
    topic, canonical = f"{settings.prefix}.{channel.topic}", channel.format == "canonical"
    _tell(asyncio.run(_replay(settings, config, [Lines(file, topic, canonical) for file in files], rate, again)), as_json)


class Lines:
    """A file as records; called, it begins anew. `part` of it (0 to 1) was read; `fault`: why it could not be read on."""

    def __init__(self, file: Path, topic: str, canonical: bool) -> None:
        self.file, self.topic = file, topic
        self._canonical = canonical
        self.part = 0.0
        self.fault: str | None = None

    def __call__(self) -> Iterator[Outgoing]:
        with self.file.open("rb") as raw:
            size = max(self.file.stat().st_size, 1)
            for number, line in enumerate(self._unpacked(raw), 1):
                self.part = raw.tell() / size
                if stripped := line.strip():
                    yield outgoing(stripped, f"{self.file.name}:{number}" if self._canonical else None, self.topic)
            self.part = 1.0

    def _unpacked(self, raw: BinaryIO) -> Iterator[bytes]:
        packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        try:
            yield from gzip.GzipFile(fileobj=raw) if packed else raw
        except (EOFError, OSError, zlib.error) as error:
            self.fault = f"{self.file} cannot be read to its end: {error}"


async def _replay(
    settings: Settings, config: Config, files: list[Lines], rate: int | None, again: bool
) -> list[tuple[Lines, Sent]]:
    await topics.create(settings, config)
    async with connected(settings) as producer:
        return [(lines, await _replay_file(settings, producer, lines, rate, again)) for lines in files]


async def _replay_file(settings: Settings, producer: AIOKafkaProducer, lines: Lines, rate: int | None, again: bool) -> Sent:
    memory = await Memory.of(settings, str(lines.file.absolute()), [lines.topic])
    if again:
        memory.forget()
    with meter(lines.file.name) as shown:
        return await replay(producer, lines, memory, lambda count: shown.report(count, lines.part), rate)


def _tell(results: list[tuple[Lines, Sent]], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode({"items": [_item(lines, sent) for lines, sent in results]}))
    else:
        for lines, sent in results:
            click.echo(_sentence(lines.file, sent))
    faults = [lines.fault for lines, _ in results if lines.fault]
    if too_large := [f"{lines.file}: event {number}" for lines, sent in results for number in sent.too_large]:
        named = ", ".join(too_large[:NAMED_MAX]) + (", ..." if len(too_large) > NAMED_MAX else "")
        faults.append(f"{len(too_large)} not sent, larger than Kafka takes ({RECORD_BYTES_MAX:,} bytes): {named}")
    if faults:
        raise Failure("; ".join(faults))


def _item(lines: Lines, sent: Sent) -> dict[str, object]:
    counts = {"sent": sent.records - len(sent.too_large), "sent_earlier": sent.earlier, "not_json_objects": sent.unfit}
    return {"file": str(lines.file), **counts, "too_large": sent.too_large, "fault": lines.fault}


def _sentence(file: Path, sent: Sent) -> str:
    earlier = f", {sent.earlier:,} were sent earlier" if sent.earlier else ""
    unfit = f"; {sent.unfit:,} of them are no JSON objects and will be rejected" if sent.unfit else ""
    return f"{file}: {sent.records - len(sent.too_large):,} sent{earlier}{unfit}"
