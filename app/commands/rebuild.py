"""`onetrail rebuild`: a second state from the log beside the one in use, compared, and chosen when it is wanted."""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import click
import msgspec

from app.check.held import Unreadable
from app.check.report import lines
from app.commands.asking import Unanswered
from app.commands.failure import Failure
from app.commands.progress import stages
from app.config import load
from app.rebuild import run, switch
from app.settings import Settings

T = TypeVar("T")


@click.command()
@click.option("--url", help="Any worker of the state in use; default: ONETRAIL_WEB_URL, or the one on this machine.")
@click.option("--switch", "switches", is_flag=True, help="Build nothing; let workers use the newest state. They start again.")
@click.option("--back", is_flag=True, help="Build nothing; let workers use the state that was in use before.")
@click.option("--drop", is_flag=True, help="Build nothing; delete the topics of all states that are not in use.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(url: str | None, switches: bool, back: bool, drop: bool, as_json: bool) -> None:
    """Build the state anew from the log, beside the one in use, and compare both.

    For changed rules of reading, for lost changelogs, for new formats of rows. Nobody outside hears of it until --switch;
    --back returns to the state before, which goes on where it stopped. Reaches back as far as the topics do. Exit code 1
    when what was built does not agree with the log.

    \b
    Examples:
        onetrail rebuild
        onetrail rebuild --switch
        onetrail rebuild --back
    """
    settings = Settings.from_environment(generate=False)
    config = load(settings.config)
    if sum((switches, back, drop)) > 1:
        raise click.UsageError("choose one of --switch, --back and --drop")
    if drop:
        names = _done(switch.drop(settings, config))
        click.echo(msgspec.json.encode({"deleted": names}) if as_json else f"{len(names)} topics deleted")
    elif switches or back:
        chosen = _done(switch.back(settings) if back else switch.switch(settings, None))
        said = f"state {chosen.current} is in use from now on; workers start again. Back: onetrail rebuild --back"
        click.echo(msgspec.json.encode(chosen) if as_json else said)
    else:
        with stages("rebuild") as progress:
            rebuilt = _done(run.rebuild(settings, config, (url or settings.web_url).rstrip("/"), progress))
        _show(rebuilt, as_json)


def _show(rebuilt: run.Rebuilt, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(rebuilt.document()))
    else:
        for line in lines(rebuilt.report):
            click.echo(line)
        click.echo(
            f"state {rebuilt.generation} is built. Identifiers with the same uid as now: {rebuilt.same:,}, with another: "
            f"{rebuilt.other:,}, only now: {rebuilt.gone:,}, only there: {rebuilt.new:,}"
        )
        click.echo("to use it: onetrail rebuild --switch")
    for note in rebuilt.report.notes:
        click.echo(f"onetrail: {note}", err=True)
    sys.exit(0 if rebuilt.report.right else 1)


def _done(work: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await work

    try:
        return asyncio.run(awaited())
    except (Unanswered, Unreadable, LookupError, run.Broken, switch.NoSuch) as error:
        raise Failure(str(error)) from error
