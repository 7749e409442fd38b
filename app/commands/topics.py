"""`onetrail topics`: creates the topics, or compares them with what they should be."""

import asyncio
import sys
from dataclasses import asdict

import click
import msgspec

from app import topics
from app.config import Config, load
from app.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Create nothing; name every difference and exit with 1 if there is one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(check: bool, as_json: bool) -> None:
    """Create every topic with its partitions and settings, or verify them.

    Topics that exist are left as they are, so this may be repeated.

    \b
    Examples:
        onetrail topics
        onetrail topics --check
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    if check:
        _compare(settings, config, as_json)
    else:
        _create(settings, config, as_json)


def _create(settings: Settings, config: Config, as_json: bool) -> None:
    created = asyncio.run(topics.create(settings, config))
    names = [topic.name for topic in topics.topics_of(settings, config)]
    if as_json:
        click.echo(msgspec.json.encode({"topics": names, "created": created}))
        return
    for name in created:
        click.echo(f"created {name}")
    click.echo(f"{len(names)} topics, {len(created)} of them new")


def _compare(settings: Settings, config: Config, as_json: bool) -> None:
    found = asyncio.run(topics.check(settings, config))
    if as_json:
        click.echo(msgspec.json.encode({"right": not found, "mismatches": [asdict(mismatch) for mismatch in found]}))
    else:
        for mismatch in found:
            click.echo(f"{mismatch.topic}: {mismatch.setting}: wanted {mismatch.wanted}, found {mismatch.found}")
        if not found:
            click.echo("all topics are as they should be")
    sys.exit(1 if found else 0)
