"""`onetrail edge`: filters where events arise, keeps what is valid while the centre is away, and sends it in order."""

import asyncio
import fcntl
import re
import signal
import socket
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import aiohttp
import click
import msgspec

from app.commands.failure import Failure
from app.config import Channel, Config, load
from app.edge.folder import Folder, Pipe
from app.edge.sender import ANSWER_SECONDS_MAX, Misplaced, Sender
from app.edge.sieve import Sieve
from app.edge.spool import READ, Spool
from app.edge.station import Source, Station
from app.settings import Settings

UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
PROGRESS_SECONDS = 10.0


class Size(click.ParamType):
    """Bytes, with k, M or G."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        found = re.fullmatch(r"([0-9]{1,12})([kMG]?)B?", str(value))
        if found is None or int(found[1]) == 0:
            self.fail(f"{value!r} is no size such as 500M or 2G", param, ctx)
        return int(found[1]) * UNITS[found[2]]


@click.command()
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--channel", "channel_name", required=True, help="The channel the events belong to, as in the configuration.")
@click.option("--url", help="The collector; default: the one on this machine.")
@click.option("--write-key", help="Of the channel; default: its first one in the configuration.")
@click.option("--name", default=socket.gethostname, help="What this edge is called in what it tells; default: the host.")
@click.option("--spool", "place", type=click.Path(path_type=Path), help="Where events wait; default: edge/ in ONETRAIL_DATA.")
@click.option("--max-bytes", "bytes_max", type=Size(), default="1G", show_default=True, help="At most so much waits on disk.")
@click.option("--once", is_flag=True, help="End when all files that are there are read and everything has arrived.")
@click.option("--json", "as_json", is_flag=True, help="At the end, one JSON document on standard output.")
def command(
    directory: Path | None,
    channel_name: str,
    url: str | None,
    write_key: str | None,
    name: str,
    place: Path | None,
    bytes_max: int,
    once: bool,
    as_json: bool,
) -> None:
    """Filter events where they arise, and send on only what is valid; while the centre is away they wait on disk.

    Reads JSON Lines from files that are dropped into DIRECTORY, which it moves to DIRECTORY/done when they are read, or from
    standard input. The rules are those of the centre, from the same configuration; events with the id of an earlier one
    are held back too (`repeat`). What is held back is counted by reason and told to the centre (`onetrail channels`).

    It may be killed at any time: what it has read waits in the spool, and is sent in order, with its times and ids, when it is
    started again. At the end of standard input it stays until everything has arrived; Ctrl-C leaves the rest for next time.

    \b
    Examples:
        tail -F /var/log/shop/events.jsonl | onetrail edge --channel web --url https://collect.example.com --write-key K
        onetrail edge /var/spool/beacons --channel iot --url https://collect.example.com --write-key K --max-bytes 20G
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    channel = _channel(config, channel_name, settings)
    key = write_key or next(iter(channel.write_keys), None)
    if key is None:
        raise click.BadParameter(f"the channel {channel_name} has none in {settings.config}; give one", param_hint="--write-key")
    target = url or f"http://{settings.host}:{settings.collect_port}"
    if urlsplit(target).scheme not in ("http", "https"):
        raise click.BadParameter(f"{target!r} is no address such as https://collect.example.com", param_hint="--url")
    work = place or settings.data / "edge" / channel_name
    with _alone(work):
        document = _worked(Plan(directory, once, Sieve(config, channel), target, key, name, bytes_max), work)
    _tell(document, work, as_json)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an edge is to do. `directory` None = standard input."""

    directory: Path | None
    once: bool
    sieve: Sieve
    url: str
    write_key: str
    name: str
    bytes_max: int


def _channel(config: Config, name: str, settings: Settings) -> Channel:
    if name not in config.channels:
        known = f"there is no channel {name!r}; {settings.config} has {', '.join(config.channels)}"
        raise click.BadParameter(known, param_hint="--channel")
    return config.channels[name]


def _alone(work: Path) -> BinaryIO:
    """A lock on the spool, as long as it is open."""
    work.mkdir(parents=True, exist_ok=True)
    lock = (work / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Failure(f"another edge works in {work}; give this one a --spool of its own") from None
    return lock


def _worked(plan: Plan, work: Path) -> dict[str, Any]:
    """What was done, when it is over."""
    try:
        return asyncio.run(_run(plan, Spool(work / "spool.sqlite")))
    except* sqlite3.Error as errors:
        raise Failure(f"the spool in {work} cannot be used: {errors.exceptions[0]}") from None
    except* Misplaced as errors:
        raise Failure(str(errors.exceptions[0])) from None


async def _run(plan: Plan, spool: Spool) -> dict[str, Any]:
    source: Source = Pipe() if plan.directory is None else Folder(plan.directory, spool, once=plan.once)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        sender = Sender(http, plan.url, plan.write_key, plan.name, spool)
        station = Station(source, plan.sieve, spool, sender, plan.bytes_max, _say)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, station.stop)
        progress = asyncio.create_task(_progress(station, sender, spool))
        try:
            await station.run()
            return _document(station, sender, spool)
        finally:
            progress.cancel()
            spool.close()


def _say(line: str) -> None:
    click.echo(f"edge: {line}", err=True)


def _document(station: Station, sender: Sender, spool: Spool) -> dict[str, Any]:
    return {
        "read": station.counts[READ],
        "filtered": station.held_back,
        "sent": sender.sent,
        "refused": dict(sorted(sender.refused.items())),
        "waiting": spool.waiting(),
        "bytes_sent": sender.bytes,
    }


async def _progress(station: Station, sender: Sender, spool: Spool) -> None:
    shown = None
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        document = _document(station, sender, spool)
        if document != shown:
            shown = document
            _say(_sentence(document))


def _sentence(document: dict[str, Any]) -> str:
    held = ", ".join(f"{count:,} {reason}" for reason, count in document["filtered"].items()) or "nothing"
    refused = ", ".join(f"{count:,} {reason}" for reason, count in document["refused"].items())
    told = f"{document['read']:,} read, {document['sent']:,} sent, {document['waiting']:,} waiting; held back: {held}"
    return f"{told}; the centre rejected {refused}" if refused else told


def _tell(document: dict[str, Any], work: Path, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(document))
    _say(_sentence(document))
    if document["waiting"]:
        _say(f"what waits lies in {work} and is sent next time")
