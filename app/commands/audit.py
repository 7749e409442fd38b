"""`onetrail audit`: who looked at whom, and who changed what."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from app.clock import now_ms
from app.commands.failure import Failure
from app.commands.rejected import since_ms
from app.config import Config, load, namespaces_of
from app.past import records_of
from app.settings import Settings
from models.display import rfc3339
from models.ids import Identifier, key_of
from models.times import instant

Record = dict[str, Any]


@click.command()
@click.option("--who", help="Only what this caller asked: the name of a token.")
@click.option("--identifier", metavar="NAMESPACE:VALUE", help="Only what was asked about this identifier, in any spelling.")
@click.option("--since", "since_text", metavar="T", help="Only since T: RFC 3339, or an age such as 90m, 2h, 3d.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(who: str | None, identifier: str | None, since_text: str | None, as_json: bool) -> None:
    """Show who looked at whom, and who changed what, from the topic audit as it is now.

    The topic holds identifiers by their HMAC; --identifier needs ONETRAIL_PII_KEY, or ONETRAIL_DATA as for `onetrail up`.

    \b
    Examples:
        onetrail audit --since 1d
        onetrail audit --identifier phone:13800138000
        onetrail audit --who crm --json | jq '.items[].route'
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    key = None if identifier is None else key_named(settings, config, identifier)
    zone = ZoneInfo(config.display.time_zone)
    since = None if since_text is None else since_ms(since_text, now_ms(), zone)
    items = [shown(item, zone) for item in asyncio.run(_wanted(settings, since, who, key))]
    if as_json:
        click.echo(msgspec.json.encode({"items": items}))
        return
    for item in items:
        click.echo(line_of(item))
    click.echo(f"{len(items):,} requests", err=True)


def key_named(settings: Settings, config: Config, text: str) -> str:
    """The key of `namespace:value`, by which the audit knows it. Raises Failure."""
    namespace, _, value = text.partition(":")
    if not settings.pii_key:
        raise Failure(
            f"there is no key of identifiers: set ONETRAIL_PII_KEY, or ONETRAIL_DATA (now {settings.data}) as for the workers"
        )
    found = namespaces_of(config).identifier(namespace, value)
    if not isinstance(found, Identifier):
        raise Failure(f"--identifier is namespace:value, and {text!r} cannot be one: {found}")
    return key_of(settings.pii_key, found)


def shown(item: Record, zone: tzinfo) -> Record:
    """The record with its time in the zone of display."""
    at = instant(item["at"], UTC)
    return item if at is None else {**item, "at": rfc3339(at, zone)}


def line_of(item: Record) -> str:
    """A record on one line."""
    about = [*item["identifiers"], *filter(None, (item["unified_user_id"], item["request_id"]))]
    purpose = f"  ({item['purpose']})" if item["purpose"] else ""
    return f"{item['at']}  {item['who']}  {item['status']}  {item['method']} {item['route']}  {' '.join(about)}{purpose}"


async def _wanted(settings: Settings, since: int | None, who: str | None, key: str | None) -> list[Record]:
    """Those records that are asked for, in the order of time."""
    found = [item async for item in _all(settings, since) if _is_wanted(item, who, key)]
    return sorted(found, key=lambda item: str(item["at"]))


async def _all(settings: Settings, since: int | None) -> AsyncIterator[Record]:
    async for record in records_of(settings, f"{settings.prefix}.audit", since):
        yield msgspec.json.decode(record.value, type=Record)


def _is_wanted(item: Record, who: str | None, key: str | None) -> bool:
    return (who is None or item["who"] == who) and (key is None or key in item["identifiers"])
