"""How far workers are in reading their rows back: a bar each on a terminal, else a plain line every few seconds."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

LINE_SECONDS = 3.0


class Bars:
    """Shows parts (0 to 1) by name. Nothing is shown before somebody recovers."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._tasks = progress, dict[str, TaskID]()
        self._told = 0.0

    def show(self, parts: Mapping[str, float]) -> None:
        """The present state; who is not named any more is done."""
        if self._progress is not None:
            for name in {*parts, *self._tasks}:
                if name not in self._tasks:
                    self._tasks[name] = self._progress.add_task(f"{name} recovers", total=1.0)
                self._progress.update(self._tasks[name], completed=parts.get(name, 1.0))
        elif parts and time.monotonic() - self._told > LINE_SECONDS:
            self._told = time.monotonic()
            told = ", ".join(f"{name} {part:.0%}" for name, part in sorted(parts.items()))
            click.echo(f"onetrail: recovering: {told}", err=True)


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars that are gone when the block ends."""
    if not sys.stderr.isatty():
        yield Bars(None)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bars(progress)
