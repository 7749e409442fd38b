"""`onetrail channels`: which channels bring events, and which are silent."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Column, Table

from app.activity import Rejections, activity, rejections_of
from app.clock import now_ms
from app.config import Config, load
from app.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(as_json: bool) -> None:
    """List all channels with what came in the last 24 hours, and how many of them are heard.

    Asks Kafka, by its own times of arrival; no worker need run, but what no worker has read yet counts as events. A channel is
    silent when no event of it came, only what was rejected or nothing at all. Coverage is the share of channels that are not.

    \b
    Examples:
        onetrail channels
        onetrail channels --json | jq -r '.channels[] | select(.silent) | .channel'
    """
    settings = Settings.from_environment(generate=False)
    document = asyncio.run(_document(settings, load(settings.config)))
    if as_json:
        click.echo(msgspec.json.encode(document))
    else:
        show(document, Console(highlight=False))


async def _document(settings: Settings, config: Config) -> dict[str, Any]:
    now = now_ms()
    try:
        rejections = await rejections_of(settings, now)
    except LookupError:  # there are no topics yet, so nothing came
        rejections = Rejections()
    return await activity(settings, config, rejections, now)


def show(document: Mapping[str, Any], console: Console) -> None:
    """The document as a screen."""
    heard = sum(not channel["silent"] for channel in document["channels"])
    console.print(f"coverage {document['coverage']:.2f} %: {heard} of {len(document['channels'])} channels brought events")
    whole = {name: Column(name, no_wrap=True) for name in ("channel", "events", "last seen")}
    folded = (Column(name, overflow="fold") for name in ("rejected", "held back at edges"))
    table = Table(whole["channel"], whole["events"], *folded, whole["last seen"], title=f"Since {document['since']}")
    for channel in document["channels"]:
        events = "silent" if channel["silent"] else f"{channel['events']:,}"
        turned = _counts(channel["rejected"]), _counts(channel["filtered"])
        table.add_row(channel["channel"], events, *turned, _moment(channel["last_seen"]))
    console.print(table)


def _moment(last_seen: str | None) -> str:
    """To the second, in the zone that the title shows; short enough for 80 columns."""
    return "never" if last_seen is None else last_seen[:19].replace("T", " ")


def _counts(by_reason: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in by_reason.items())
