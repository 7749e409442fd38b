"""`onetrail simulate`: who would be who, without a broker and without touching anybody's data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from app.commands.failure import Failure
from app.commands.progress import Meter, meter
from app.config import load
from app.guards import guards_of
from app.history import History, HistoryError
from app.settings import Settings
from models.identity.dry_run import DryRun, difference, sizes

REPORT_EVERY = 20_000


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--config", "configs", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", default="web", show_default=True, help="The channel by whose rules JSON Lines are read.")
@click.option("--show", default=20, show_default=True, help="How many persons, refused links and differences to list.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(file: Path, configs: tuple[Path, ...], channel: str, show: int, as_json: bool) -> None:
    """Read the events of FILE, run the real identity rules in memory, and print the persons they find.

    FILE is canonical events, one JSON object a line (or .gz), or a history in the notation of the tests. With two --config
    files it also tells what the second would change.

    \b
    Examples:
        onetrail simulate events.jsonl.gz
        onetrail simulate events.jsonl --config now.toml --config stricter.toml
    """
    if len(configs) > 2:
        raise click.UsageError("one --config, or two to compare")
    paths = configs or (Settings.from_environment(generate=False).config,)
    runs = [_run(file, path, channel) for path in paths]
    document = _document(runs, show)
    if as_json:
        click.echo(msgspec.json.encode(document))
    else:
        for line in _lines(document):
            click.echo(line)


def _run(file: Path, path: Path, channel: str) -> tuple[Path, History, DryRun]:
    config = load(path)
    try:
        history = History(file, config, channel)
        run = DryRun(guards_of(config))
        with meter(f"{file.name} by {path.name}") as shown:
            _feed(history, run, shown)
    except HistoryError as error:
        raise Failure(str(error)) from None
    return path, history, run


def _feed(history: History, run: DryRun, shown: Meter) -> None:
    for count, message in enumerate(history.messages()):
        run.hear(message)
        if count % REPORT_EVERY == 0:
            shown.report(count, history.part)
    shown.report(history.events, 1.0)


def _document(runs: list[tuple[Path, History, DryRun]], show: int) -> dict[str, Any]:
    document: dict[str, Any] = {"runs": [_told(path, history, run, show) for path, history, run in runs]}
    if len(runs) == 2:
        changed = difference(runs[0][2], runs[1][2])
        document["difference"] = {
            "same": changed.same,
            "only_first": len(changed.before),
            "only_second": len(changed.after),
            "before": changed.before[:show],
            "after": changed.after[:show],
        }
    return document


def _told(path: Path, history: History, run: DryRun, show: int) -> dict[str, Any]:
    persons = sorted(run.persons(), key=lambda person: (-len(person.identifiers), person.identifiers))
    refused = list(run.refusals())
    return {
        "config": str(path),
        "events": history.events,
        "rejected": dict(sorted(history.rejected.items())),
        "persons": len(persons),
        "sizes": dict(sorted(sizes(run).items())),
        "largest": [person.identifiers for person in persons[:show]],
        "refused": len(refused),
        "refused_links": [{"identifiers": [a, b], "reason": refusal.reason} for a, b, refusal in refused[:show]],
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for run in document["runs"]:
        yield f"{run['config']}: {run['events']:,} events, {run['persons']:,} persons, {run['refused']:,} refused links"
        yield from (f"  rejected {count:,}: {reason}" for reason, count in run["rejected"].items())
        yield from (f"  {' '.join(identifiers)}" for identifiers in run["largest"])
        yield from (f"  refused {' '.join(link['identifiers'])}: {link['reason']}" for link in run["refused_links"])
    if changed := document.get("difference"):
        told = f"only first: {changed['only_first']:,}; only second: {changed['only_second']:,}"
        yield f"the same: {changed['same']:,} persons; {told}"
        yield from (f"  - {' '.join(identifiers)}" for identifiers in changed["before"])
        yield from (f"  + {' '.join(identifiers)}" for identifiers in changed["after"])
