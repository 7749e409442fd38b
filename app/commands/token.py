"""`onetrail token`: makes a token, and the lines by which workers know it."""

import secrets

import click

from app.tokens import GIVEN, TokensError, digest_of, tokens_in


@click.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(GIVEN), help="What it is for; repeatable.")
@click.option("--expires", metavar="T", help="Until when: 2027-01-01T00:00:00Z.")
@click.option("--rate", type=click.FloatRange(0.001, 1e6), help="Requests a second, instead of ONETRAIL_RATE.")
def command(name: str, scopes: tuple[str, ...], expires: str | None, rate: float | None) -> None:
    """Make a token for NAME: standard error shows it, once; standard output has the lines for the file ONETRAIL_TOKENS.

    Workers read the file again when it changes. To replace a token add a second entry of the same name, hand the new
    token out, then remove the first entry.

    \b
    read         look up, values as they are
    read_masked  look up, with 138****8000 for telephone numbers and the like
    admin        link, unlink, erase

    \b
    Example:
        onetrail token crm --scope read_masked >> /etc/onetrail/tokens.toml
    """
    token = secrets.token_urlsafe(32)
    lines = entry(name, token, scopes, expires, rate)
    try:
        tokens_in(lines)
    except TokensError as error:
        raise click.UsageError(str(error).removeprefix("entry 1: ").removeprefix(f"entry 1 ({name}): ")) from error
    click.echo(f"token of {name}, shown only now: {token}", err=True)
    click.echo(lines)


def entry(name: str, token: str, scopes: tuple[str, ...], expires: str | None, rate: float | None) -> str:
    """The lines of the file; the token itself is not among them."""
    quoted = ", ".join(f'"{scope}"' for scope in scopes)
    lines = ["[[tokens]]", f'name = "{name}"', f"scopes = [{quoted}]", f'sha256 = "{digest_of(token).hex()}"']
    lines += [] if expires is None else [f"expires = {expires}"]
    lines += [] if rate is None else [f"rate = {rate:g}"]
    return "\n".join(lines) + "\n"
