"""The demo inside `onetrail up`: the data set through the system once, then what to look at."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from aiokafka.errors import KafkaError

from app import demo
from app.cache import cache_directory
from app.commands.asking import Unanswered, ask, identifier_path
from app.commands.progress import meter
from app.config import Config
from app.replay import Memory, Outgoing, Sent, connected, replay
from app.settings import Settings

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 15.0
USER = identifier_path("user_id", demo.SHOWN_USER)
SESSION = identifier_path("anonymous_id", demo.SHOWN_SESSION)


def data_set(config: Config) -> Path | None:
    """The file of the demo, or None after one sentence that says why there is none."""
    if missing := [name for name in demo.CHANNELS.values() if name not in config.channels]:
        click.echo(f"demo: the configuration has no channel {' and '.join(missing)}, so no demo data is sent", err=True)
        return None
    try:
        return demo.data_set(cache_directory())
    except demo.DemoError as error:
        click.echo(f"demo: {error}; everything stays up, without demo data", err=True)
        return None


async def run(settings: Settings, config: Config, file: Path) -> None:
    """Sends what was not sent yet, waits until all of it is visible, and says what there is."""
    began = time.monotonic()
    try:
        sent = await _send(settings, config, file)
    except KafkaError as error:
        click.echo(f"demo: not everything was sent ({error}); start again to go on", err=True)
        return
    click.echo(_sentence(sent, time.monotonic() - began))
    status = await settled(settings)
    rejected = sum(status["rejected"].values())
    visible = f", settled {time.monotonic() - began:.1f} s after the first was sent" if sent.records else ""
    click.echo(f"demo: {status['events']:,} events in journeys, {rejected:,} rejected{visible}")


def _sentence(sent: Sent, seconds: float) -> str:
    if not sent.records:
        return f"demo: all {sent.earlier:,} events were sent earlier"
    return f"demo: {sent.records:,} events sent in {seconds:.1f} s ({sent.records / seconds:,.0f}/s)"


async def _send(settings: Settings, config: Config, file: Path) -> Sent:
    topics = {name: f"{settings.prefix}.{config.channels[name].topic}" for name in demo.CHANNELS.values()}
    memory = await Memory.of(settings, f"demo {demo.SHA256}", topics.values())
    if memory.records == demo.ROWS:
        return Sent(earlier=demo.ROWS)
    async with connected(settings) as producer:
        with meter("demo") as shown:
            return await replay(producer, lambda: _outgoing(file, topics), memory, lambda n: shown.report(n, n / demo.ROWS))


def _outgoing(file: Path, topics: Mapping[str, str]) -> Iterator[Outgoing]:
    return (Outgoing(topics[event.channel], event.key, event.value) for event in demo.events(file))


async def settled(settings: Settings) -> dict[str, Any]:
    """The status, once all that was acknowledged is visible in every lookup."""
    told = time.monotonic()
    while True:
        why = "events are under way"
        try:
            status = await ask(f"{settings.web_url}/v1/status", settings.read_token)
            if status["settled"]:
                return status
        except Unanswered as error:
            why = str(error)
        if time.monotonic() - told > PATIENCE_SECONDS:
            told = time.monotonic()
            click.echo(f"demo: not settled yet: {why}", err=True)
        await asyncio.sleep(POLL_SECONDS)


async def lookups(settings: Settings) -> list[str]:
    """Paths worth a look: a customer's journey by two identifiers, and the profile."""
    journeys = [f"v1/journeys/{USER}?limit=20", f"v1/journeys/{SESSION}?limit=20"]
    try:
        person = await ask(f"{settings.web_url}/v1/identities/{USER}", settings.read_token)
    except Unanswered:
        return [*journeys, f"v1/identities/{USER}"]
    return [*journeys, f"v1/users/{person['unified_user_id']}"]
