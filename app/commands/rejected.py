"""`onetrail rejected`: what was rejected and why; with --retry, once more through."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import get_args
from zoneinfo import ZoneInfo

import click
import msgspec

from app.clock import now_ms
from app.commands.rejected_topic import Refused, Retried, refused
from app.commands.retrying import Retrying
from app.config import Config, load
from app.replay import connected, send
from app.settings import Settings
from models.event import Reason
from models.times import instant

RAW_SHOWN_MAX = 160
RETRIED_AT_ONCE = 500
UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records; None = whatever it is. `since_ms` is Kafka's time."""

    reason: str | None = None
    since_ms: int | None = None
    channel: str | None = None
    rule: str | None = None

    def fits(self, item: Refused, channel: str | None) -> bool:
        """Whether this is one; `channel` is its channel. What it was appended at is not looked at again."""
        if self.reason not in (None, item.headers.get("reason")) or self.channel not in (None, channel):
            return False
        return self.rule is None or self.rule.lower() in item.headers.get("rule", "").lower()


@click.command()
@click.option("--reason", type=click.Choice(get_args(Reason)), help="Only those rejected for this reason.")
@click.option("--since", "since_text", metavar="T", help="Only those since T: RFC 3339, or an age such as 90m, 2h, 3d.")
@click.option("--channel", metavar="NAME", help="Only those of this channel, at its topic or at the collector.")
@click.option("--rule", metavar="TEXT", help="Only those whose rule has this text in it.")
@click.option("--retry", is_flag=True, help="Send them through again, each once; show only those.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(
    reason: str | None, since_text: str | None, channel: str | None, rule: str | None, retry: bool, as_json: bool
) -> None:
    """List what was rejected and why, from behaviour.rejected as it is now.

    With --retry it goes to the topic it came from once more, after the configuration was mended say, with the time of when it
    came first; what the collector refused is read by the protocol it came in. What was retried is remembered in ONETRAIL_DATA
    and not retried again; if it is rejected again, that is a new record.

    \b
    Examples:
        onetrail rejected --since 1h
        onetrail rejected --channel web --rule "blocked"
        onetrail rejected --reason unknown_namespace --retry
        onetrail rejected --json | jq '.items[].reason' | sort | uniq -c
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    since = None if since_text is None else since_ms(since_text, now_ms(), ZoneInfo(config.display.time_zone))
    if channel is not None and channel not in (*config.channels, *config.systems):
        known = f"there is no channel {channel!r}; {settings.config} has {', '.join(config.channels)}"
        raise click.BadParameter(known, param_hint="--channel")
    wanted = Wanted(reason, since, channel, rule)
    asyncio.run((_retry if retry else _list)(settings, config, wanted, as_json))


def since_ms(text: str, now: int, zone: tzinfo) -> int:
    """The instant that --since means."""
    age = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if age:
        return max(0, now - int(age[1]) * UNITS_MS[age[2]])
    at = instant(text, zone)
    if at is None:
        unread = f"{text!r} is neither a time such as 2026-11-22T16:00:00+08:00 nor an age such as 2h"
        raise click.BadParameter(unread, param_hint="--since")
    return at


async def _list(settings: Settings, config: Config, wanted: Wanted, as_json: bool) -> None:
    items = await _found(settings, config, wanted)
    if as_json:
        click.echo(msgspec.json.encode({"items": [item.document() for item in items]}))
        return
    for item in items:
        click.echo(_line(item))
    click.echo(f"{len(items):,} rejected", err=True)


async def _found(settings: Settings, config: Config, wanted: Wanted) -> list[Refused]:
    """In the order in which they came."""
    retrying = Retrying(settings, config)
    found = [item async for item in refused(settings, wanted.since_ms) if wanted.fits(item, retrying.channel(item))]
    return in_order(found)


def in_order(items: Iterable[Refused]) -> list[Refused]:
    """By when they came; of one moment, by their places."""
    return sorted(items, key=lambda item: (item.came_at_ms, item.place))


async def _retry(settings: Settings, config: Config, wanted: Wanted, as_json: bool) -> None:
    retrying = Retrying(settings, config)
    items = await _found(settings, config, wanted)
    with await Retried.of(settings) as retried:
        fresh = [item for item in items if item.place not in retried]
        aimed = [(item, record) for item in fresh if (record := retrying.aimed(item))]
        async with connected(settings) as producer:
            for first in range(0, len(aimed), RETRIED_AT_ONCE):
                chunk = aimed[first : first + RETRIED_AT_ONCE]
                await send(producer, [record for _, record in chunk])
                retried.add(item.place for item, _ in chunk)
    if as_json:
        click.echo(msgspec.json.encode({"items": [item.document() for item, _ in aimed]}))
    left = len(fresh) - len(aimed)
    others = f"; {left:,} cannot be: from within the system, or still no messages of their protocol" if left else ""
    click.echo(f"{len(aimed):,} retried, {len(items) - len(fresh):,} were retried before{others}", err=True)


def _line(item: Refused) -> str:
    told = item.document()
    place = f"{told['source_topic']}/{told['source_partition']}@{told['source_offset']}"
    line = f"{told['at']}  {told['reason']}  {place}  {told['rule']}"
    if item.raw is None:
        return line
    raw = str(told["raw"])
    return f"{line}\n    {raw if len(raw) <= RAW_SHOWN_MAX else raw[:RAW_SHOWN_MAX] + '...'!r}"
