"""`onetrail codeless`: the rules by which clicks are events of their own, and what they mean on a saved page."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from app import saved_page
from app.config import load
from app.saved_page import Meant
from app.settings import Settings
from models.codeless import CodelessRule, is_on

ADDRESS = "must be an address like https://shop.example.com/cars/m5"


@click.command()
@click.option(
    "--test", "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A saved page."
)
@click.option("--url", metavar="URL", help="The address at which visitors see the page.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(file: Path | None, url: str | None, as_json: bool) -> None:
    """List the codeless rules of the configuration, or try them out on a saved page.

    With --test and --url it shows for each rule whether it holds at this address, and which elements of the page it means, with
    the properties that a click would have. Nothing is sent.

    \b
    Examples:
        onetrail codeless
        onetrail codeless --test m5.html --url https://shop.example.com/cars/m5
    """
    rules = load(Settings.from_environment(generate=False).config).codeless
    if (file is None) != (url is None):
        raise click.UsageError("--test and --url belong together: the page, and the address at which visitors see it")
    found = [_described(rule) for rule in rules] if file is None or url is None else _tried(rules, file, url)
    if as_json:
        click.echo(msgspec.json.encode({"rules": found}))
        return
    for rule in found:
        click.echo("\n".join(_lines(rule)))
    click.echo(f"{len(found):,} rules", err=True)


def _described(rule: CodelessRule) -> dict[str, Any]:
    return {
        "event": rule.event,
        "version": rule.version,
        "enabled": rule.enabled,
        "page": rule.pages,
        "element": rule.element,
        "channels": sorted(rule.channels),
    }


def _tried(rules: Iterable[CodelessRule], file: Path, url: str) -> Sequence[Mapping[str, Any]]:
    """Each rule with `on_this_page`, and the elements that make the event there."""
    if "://" not in url:
        raise click.BadParameter(f"{ADDRESS}, not {url!r}", param_hint="--url")
    page = saved_page.opened(file)
    tried = []
    for rule in rules:
        holds = rule.enabled and is_on(rule, url)
        elements: list[Meant] = list(saved_page.meant(page, rule)) if holds else []
        tried.append({**_described(rule), "on_this_page": holds, "elements": [one._asdict() for one in elements]})
    return tried


def _lines(rule: Mapping[str, Any]) -> Iterable[str]:
    rests = "" if rule["enabled"] else "  (rests: enabled = false)"
    yield f"{rule['event']}  version {rule['version']}  {' '.join(rule['page'])}  {rule['element']}{rests}"
    if "on_this_page" not in rule:
        return
    if not rule["on_this_page"]:
        yield "    not on this page"
    elif not rule["elements"]:
        yield "    no such element on this page"
    for one in rule["elements"]:
        told = "".join(f"  {name}={value!r}" for name, value in one["properties"].items())
        yield f"    {one['element']}{told}"
