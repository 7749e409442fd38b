"""`onetrail status`: one screen of how far the system is."""

import asyncio
from collections.abc import Mapping
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from app.commands.asking import Unanswered, ask
from app.commands.failure import Failure
from app.settings import Settings


@click.command()
@click.option("--url", help="Any worker; default: ONETRAIL_WEB_URL, or the one on this machine.")
@click.option("--json", "as_json", is_flag=True, help="The document of /v1/status on standard output.")
def command(url: str | None, as_json: bool) -> None:
    """Show lag, workers and their partitions, unsettled merges, and rejects by reason.

    Asks one worker, which asks the others. Needs the read token: from ONETRAIL_READ_TOKEN, or from ONETRAIL_DATA.

    \b
    Examples:
        onetrail status
        onetrail status --json | jq .settled
    """
    settings = Settings.from_environment(generate=False)
    if not settings.read_token:
        raise Failure(
            f"there is no read token: set ONETRAIL_READ_TOKEN, or ONETRAIL_DATA (now {settings.data}) as for `onetrail up`"
        )
    try:
        document = asyncio.run(ask(f"{(url or settings.web_url).rstrip('/')}/v1/status", settings.read_token))
    except Unanswered as error:
        advice = "; `onetrail up` or `onetrail worker` starts one" if error.status is None else ""
        raise Failure(f"{error}{advice}") from error
    if as_json:
        click.echo(msgspec.json.encode(document))
    else:
        show(document, Console(highlight=False))


def show(document: Mapping[str, Any], console: Console) -> None:
    """The document as a screen."""
    console.print("settled" if document["settled"] else "not settled: events are under way")
    console.print(f"{document['events']:,} events in journeys, {sum(document['rejected'].values()):,} rejected")
    console.print(f"{document['frozen_clusters']:,} clusters in the middle of a merge")
    console.print(_table("Workers", ("worker", "partitions"), [_worker(worker) for worker in document["workers"]]))
    lag = {topic: str(records) for topic, records in document["lag"].items() if records}
    console.print(_table("Lag, records", ("topic", "lag"), list(lag.items()), f"none in {len(document['lag'])} topics"))
    rejected = [(reason, f"{count:,}") for reason, count in document["rejected"].items()]
    console.print(_table("Rejected", ("reason", "records"), rejected, "none"))


def _worker(worker: Mapping[str, Any]) -> tuple[str, str]:
    return str(worker["url"]), " ".join(map(str, worker["partitions"])) or "none"


def _table(title: str, columns: tuple[str, str], rows: list[tuple[str, str]], empty: str = "none") -> Table | str:
    if not rows:
        return f"{title}: {empty}"
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table
