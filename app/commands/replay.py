"""`onetrail replay`: files of events into a channel's topic."""

import asyncio
from pathlib import Path

import click
import msgspec
from aiokafka import AIOKafkaProducer

from app import topics
from app.commands.failure import Failure
from app.commands.progress import meter
from app.config import Channel, Config, load, policy_of
from app.config.templates import load_template
from app.files import Change, Reading, Records
from app.reading import IMPORT
from app.replay import RECORD_BYTES_MAX, Memory, Sent, connected, replay
from app.settings import Settings
from models.arrival import as_told
from models.template import filled

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NAMED_MAX = 5
"""Records too large to be sent that are named one by one."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--channel", "channel_name", required=True, help="The channel the events belong to, as in the configuration.")
@click.option("--map", "map_file", type=FILE, help="A TOML file that says where records keep the fields of an event.")
@click.option("--import", "is_import", is_flag=True, help="Mark the events as history: `context.import` is true.")
@click.option("--encoding", default="utf-8-sig", show_default=True, help="Of CSV files; gb18030, say.")
@click.option("--rate", type=click.IntRange(min=1), help="At most so many events a second.")
@click.option("--again", is_flag=True, help="Send everything, also what is remembered as sent.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(
    files: tuple[Path, ...],
    channel_name: str,
    map_file: Path | None,
    is_import: bool,
    encoding: str,
    rate: int | None,
    again: bool,
    as_json: bool,
) -> None:
    """Send FILES of JSON Lines or CSV (.csv, .tsv), packed or not (.gz), to a channel's topic.

    Interrupt it and start it again: it goes on where it was. To repeat it is safe: event ids make it idempotent, and a record
    without `event_id` gets one from its content and place. What is no JSON object is sent as it is, so that it appears
    among the rejected, and is counted. Exit code 1 if anything could not be sent.

    The columns of CSV are the fields of an event (event, occurred_at, identifiers.phone, properties.amount, ...), or of the
    channel's own form, or --map says which is what:

    \b
        event = "type"              # the name of a column, or a dotted place in a JSON object
        occurred_at = "time"
        properties = "*"            # all others; or a section [properties], like [identifiers]
        [identifiers]
        phone = "mobile"
        [fixed]                     # the same for all, such as event = "order_paid"

    \b
    Examples:
        onetrail replay yesterday.jsonl --channel web
        onetrail replay 2026-*.jsonl.gz --channel app --rate 2000
        onetrail replay orders-2019.csv.gz --channel store --map orders.toml --import
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    channel = _channel(config, channel_name, map_file, settings)
    reading = Reading(f"{settings.prefix}.{channel.topic}", channel.map is None, _known(encoding), IMPORT if is_import else ())
    change = _change(config, channel, map_file, is_import)
    sources = [Records(file, reading, change) for file in files]
    _tell(asyncio.run(_replay(settings, config, sources, rate, again)), as_json)


def _channel(config: Config, name: str, map_file: Path | None, settings: Settings) -> Channel:
    if name not in config.channels:
        known = f"there is no channel {name!r}; {settings.config} has {', '.join(config.channels)}"
        raise click.BadParameter(known, param_hint="--channel")
    channel = config.channels[name]
    if map_file is not None and channel.map is not None:
        raise click.BadParameter(f"the channel {name} has a map of its own in {settings.config}", param_hint="--map")
    return channel


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        raise click.BadParameter(f"nobody knows the encoding {encoding!r}", param_hint="--encoding") from None
    return encoding


def _change(config: Config, channel: Channel, map_file: Path | None, is_import: bool) -> Change:
    """What is done to each record: it is mapped, and of a history it does not matter when somebody sent it."""
    template = None if map_file is None else load_template(map_file, config.namespaces)
    policy = policy_of(config, channel)

    def change(raw: bytes) -> bytes:
        event = raw if template is None else filled(template, raw)
        return as_told(event, policy.places, policy.zone) if is_import else event

    return change


async def _replay(
    settings: Settings, config: Config, files: list[Records], rate: int | None, again: bool
) -> list[tuple[Records, Sent]]:
    await topics.create(settings, config)
    async with connected(settings) as producer:
        return [(lines, await _replay_file(settings, producer, lines, rate, again)) for lines in files]


async def _replay_file(settings: Settings, producer: AIOKafkaProducer, lines: Records, rate: int | None, again: bool) -> Sent:
    memory = await Memory.of(settings, str(lines.file.absolute()), [lines.topic])
    if again:
        memory.forget()
    with meter(lines.file.name) as shown:
        return await replay(producer, lines, memory, lambda count: shown.report(count, lines.part), rate)


def _tell(results: list[tuple[Records, Sent]], as_json: bool) -> None:
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


def _item(lines: Records, sent: Sent) -> dict[str, object]:
    counts = {"sent": sent.records - len(sent.too_large), "sent_earlier": sent.earlier, "not_json_objects": sent.unfit}
    return {"file": str(lines.file), **counts, "too_large": sent.too_large, "fault": lines.fault}


def _sentence(file: Path, sent: Sent) -> str:
    earlier = f", {sent.earlier:,} were sent earlier" if sent.earlier else ""
    unfit = f"; {sent.unfit:,} of them are no JSON objects and will be rejected" if sent.unfit else ""
    return f"{file}: {sent.records - len(sent.too_large):,} sent{earlier}{unfit}"
