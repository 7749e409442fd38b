"""How a failure is shown: one line on standard error, and the exit code."""

from typing import IO, Any

import click


class Failure(click.ClickException):
    """Ends the command with exit code 1 and one line."""

    def show(self, file: IO[Any] | None = None) -> None:
        """`onetrail: what is wrong and what to do`."""
        click.echo(f"onetrail: {self.format_message()}", err=True, file=file)
