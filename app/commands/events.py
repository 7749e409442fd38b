"""`onetrail events`: what came in under which name, and which names nobody registered."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from app.clock import now_ms
from app.config import Config, load
from app.past import records_of
from app.reading import Reading
from app.settings import Settings
from models.event import Rejected
from models.parse import name_in
from models.policy import Policy

HOUR_MS = 3_600_000
NAMES_MAX = 2_000
"""Of a channel; a sender that makes names up must not fill the memory. What is beyond is counted under OTHERS."""
OTHERS = "(others)"


@click.command()
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 24 * 365), help="How far back.")
@click.option("--unregistered", "only_unregistered", is_flag=True, help="Only the names that are not in [events].")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(hours: int, only_unregistered: bool, as_json: bool) -> None:
    """List the names of events that came in, by channel, with their name in the register.

    Reads the channels' topics; no worker need run. An event that is not registered is kept like all others: register it in
    [events], or make its name a synonym there.

    \b
    Examples:
        onetrail events --unregistered
        onetrail events --hours 1 --json | jq '.items[] | select(.channel == "app")'
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    found = asyncio.run(_names(settings, config, now_ms() - hours * HOUR_MS))
    items = items_of(config, found)
    shown = [item for item in items if not (only_unregistered and item["registered"])]
    if as_json:
        click.echo(msgspec.json.encode({"hours": hours, "items": shown}))
    else:
        show(items, shown, Console(highlight=False))


async def _names(settings: Settings, config: Config, since_ms: int) -> dict[str, Counter[tuple[str, str]]]:
    """By channel: how often an event came under a name, as (name in the register, name as it came)."""
    reading, found = Reading(config, settings.prefix), {}
    for channel in config.channels.values():
        topic = f"{settings.prefix}.{channel.topic}"
        policy = reading.policy(topic, ())
        assert not isinstance(policy, Rejected), "channels have rules"
        found[channel.name] = await _names_in(settings, topic, policy, since_ms)
    return found


async def _names_in(settings: Settings, topic: str, policy: Policy, since_ms: int) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    with suppress(LookupError):  # there is no such topic yet, so nothing came
        async for record in records_of(settings, topic, since_ms):
            names = name_in(record.value, policy)
            if names is not None:
                counted(counts, names)
    return counts


def counted(counts: Counter[tuple[str, str]], names: tuple[str, str]) -> None:
    """Counts one more, under its names as long as there are not too many."""
    counts[names if names in counts or len(counts) < NAMES_MAX else (OTHERS, OTHERS)] += 1


def items_of(config: Config, found: Mapping[str, Counter[tuple[str, str]]]) -> list[dict[str, Any]]:
    """A line for each name of each channel, the most frequent ones first."""
    items = []
    for channel, counts in found.items():
        for (name, told), count in counts.most_common():
            behaviour = config.events.get(name)
            items.append(
                {
                    "channel": channel,
                    "event": name,
                    "told": told,
                    "count": count,
                    "registered": behaviour is not None,
                    "version": None if behaviour is None else behaviour.version,
                }
            )
    return items


def show(items: list[dict[str, Any]], shown: list[dict[str, Any]], console: Console) -> None:
    """Those that are shown as a screen, under the sum of all."""
    unregistered = sum(item["count"] for item in items if not item["registered"])
    console.print(f"{sum(item['count'] for item in items):,} events, {unregistered:,} of them not registered")
    table = Table("channel", "event", "came as", "count", "version")
    for item in shown:
        version = str(item["version"]) if item["registered"] else "not registered"
        table.add_row(item["channel"], item["event"], item["told"], f"{item['count']:,}", version)
    console.print(table)
