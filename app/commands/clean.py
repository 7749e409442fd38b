"""`onetrail clean --dry-run`: what standardising and cleaning would do to a file of events."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from app.clock import now_ms
from app.commands.failure import Failure
from app.config import load, policies_of
from app.dry_run import DryRun, Judged, document, encoded
from app.settings import Settings

Difference = dict[str, Any]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Required: events are cleaned as they arrive, here it is only shown.")
@click.option("--channel", default="web", show_default=True, help="The channel by whose rules the events are read.")
@click.option("--config", "configs", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--show", default=50, show_default=True, help="How many events to list that would not stay as they are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(file: Path, is_dry_run: bool, channel: str, configs: tuple[Path, ...], show: int, as_json: bool) -> None:
    """Show what would become of the events of FILE (JSON Lines, or .gz): verdict, rule with its version, and changed fields.

    Nothing is written anywhere, and no broker is needed. Clicks are compared within the file, by device. With two --config files
    it tells which events the second would judge in another way.

    \b
    Examples:
        onetrail clean --dry-run events.jsonl --channel app
        onetrail clean --dry-run events.jsonl --config now.toml --config stricter.toml
    """
    if not is_dry_run:
        raise click.UsageError("events are cleaned as they arrive; give --dry-run to see what would become of those in a file")
    if len(configs) > 2:
        raise click.UsageError("one --config, or two to compare")
    paths = configs or (Settings.from_environment(generate=False).config,)
    kept = show if len(paths) == 1 else None
    runs = [_run(file, path, channel, kept) for path in paths]
    found: dict[str, Any] = {"runs": [document(run, str(path), _first(judged, show)) for path, run, judged in runs]}
    if len(runs) == 2:
        found["differences"] = _differences(runs[0][2], runs[1][2])[:show]
    if as_json:
        click.echo(encoded(found))
    else:
        for line in _lines(found):
            click.echo(line)


def _run(file: Path, path: Path, channel: str, kept: int | None) -> tuple[Path, DryRun, dict[int, Judged]]:
    """What the rules of a configuration find; of the events that change as many are kept as are shown, or all to compare."""
    config = load(path)
    policies = {policy.channel: policy for policy in policies_of(config).values()}
    if channel not in policies:
        raise click.BadParameter(f"there is no channel {channel!r}; {path} has {', '.join(policies)}", param_hint="--channel")
    run, now = DryRun(policies[channel], frozenset(config.events), file.name), now_ms()
    judged: dict[int, Judged] = {}
    try:
        for number, line in _events(file):
            found = run.read(number, line, now)
            if not found.stays and (kept is None or len(judged) < kept):
                judged[number] = found
    except (OSError, EOFError, zlib.error) as error:
        raise Failure(f"{file} cannot be read to its end: {error}") from None
    judged |= {found.line: found for found in run.repetitions()}
    return path, run, judged


def _events(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not empty, with their numbers."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line.strip()


def _first(judged: dict[int, Judged], show: int) -> list[Judged]:
    return [judged[line] for line in sorted(judged)[:show]]


def _differences(before: dict[int, Judged], after: dict[int, Judged]) -> list[Difference]:
    """The events that two configurations judge in different ways."""
    found = []
    for line in sorted(before.keys() | after.keys()):
        one, other = before.get(line), after.get(line)
        if _seen(one) != _seen(other):
            event_id = next(judged.event_id for judged in (one, other) if judged is not None)
            found.append({"line": line, "event_id": event_id, "before": _seen(one), "after": _seen(other)})
    return found


def _seen(judged: Judged | None) -> dict[str, Any]:
    if judged is None:
        return {"verdict": "accepted", "rule": None, "changed": {}}
    return {"verdict": judged.verdict or "accepted", "rule": judged.rule, "changed": judged.changed}


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for run in found["runs"]:
        yield f"{run['config']}: {run['events']:,} events, {run['accepted']:,} accepted"
        yield from (f"  {count:,} {verdict}" for verdict, count in run["turned_away"].items())
        yield from (f"  {count:,} with another {field}" for field, count in run["changed_fields"].items())
        yield from (f"  {count:,} of the unregistered event {name}" for name, count in run["unregistered"].items())
        yield from (f"line {one['line']}: {_words(one)}" for one in run["items"])
    for one in found.get("differences", ()):
        yield f"line {one['line']}: {_words(one['before'])} -> {_words(one['after'])}"


def _words(seen: dict[str, Any]) -> str:
    told = {field: [encoded(way[end]).decode() for end in ("from", "to")] for field, way in seen["changed"].items()}
    changed = (f"{field} {before} -> {after}" for field, (before, after) in told.items())
    return "; ".join([seen["verdict"] + (f" ({seen['rule']})" if seen["rule"] else ""), *changed])
