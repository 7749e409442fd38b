"""`onetrail check`: recomputes from the topics, and compares with what the workers hold."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import click
import msgspec

from app.check.held import Unreadable
from app.check.report import Report, lines
from app.check.run import Check
from app.commands.asking import Unanswered, patiently
from app.commands.failure import Failure
from app.commands.progress import stages
from app.config import Config, load
from app.generation import chosen
from app.settings import Settings
from app.tokens import peer_token

SECRETS = ("read_token", "pii_key")


@click.command()
@click.option("--url", help="Any worker; default: ONETRAIL_WEB_URL, or the one on this machine.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(url: str | None, as_json: bool) -> None:
    """Recompute people and journeys from the topics, and compare them with what the workers hold.

    Works while events arrive: it compares what was there when it began, and looks again at what differs. Exit code 1 and the
    smallest witness on a difference. Needs the read token and the key of the workers: from the environment or from ONETRAIL_DATA.

    \b
    Examples:
        onetrail check
        onetrail check --json | jq .right
    """
    settings = Settings.from_environment(generate=False)
    for name in SECRETS:
        if not getattr(settings, name):
            variable = f"ONETRAIL_{name.upper()}"
            raise Failure(f"there is no {variable}: set it, or ONETRAIL_DATA (now {settings.data}), as for the workers")
    report = _checked(settings, load(settings.config), (url or settings.web_url).rstrip("/"))
    if as_json:
        click.echo(msgspec.json.encode(report.document()))
    else:
        for line in lines(report):
            click.echo(line)
    for note in report.notes:
        click.echo(f"onetrail: {note}", err=True)
    sys.exit(0 if report.right else 1)


def _checked(settings: Settings, config: Config, url: str) -> Report:
    try:
        with stages("check") as progress:
            return asyncio.run(_run(settings, config, url, progress))
    except (Unanswered, Unreadable, LookupError) as error:
        raise Failure(str(error)) from error


async def _run(settings: Settings, config: Config, url: str, progress: Callable[[str, int, int], None]) -> Report:
    number = (await chosen(settings)).chosen.current
    return await run(replace(settings, generation=number), config, url, progress)


async def run(settings: Settings, config: Config, url: str, progress: Callable[[str, int, int], None]) -> Report:
    """A check by way of the worker at this address. Raises Unanswered, Unreadable, and Kafka's errors."""

    async def status() -> dict[str, Any]:
        return await patiently(f"{url}/v1/status", settings.read_token)

    headers = {"Authorization": f"Bearer {peer_token(settings)}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        return await Check(settings, config, status, progress).run(http)
