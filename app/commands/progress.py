"""How far a replay is: a bar on a terminal, else a plain line every few seconds, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

LINE_SECONDS = 3.0


class Meter:
    """Takes counts, shows events, rate and time left."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0, told="") if bar else None
        self._began = self._shown = time.monotonic()
        self._first: tuple[int, float] | None = None

    def report(self, events: int, part: float) -> None:
        """So many events, and so much (0 to 1) of the whole. The first report is where this run begins."""
        now = time.monotonic()
        self._first = self._first or (events, part)
        rate = (events - self._first[0]) / max(now - self._began, 0.001)
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=part, told=f"{events:,} events, {rate:,.0f}/s")
        elif now - self._shown >= LINE_SECONDS or part >= 1.0:
            self._shown = now
            click.echo(f"replay: {events:,} events ({part:.0%}), {rate:,.0f}/s, {self._left(now, part)}", err=True)

    def _left(self, now: float, part: float) -> str:
        done = part - (self._first[1] if self._first else 0.0)
        return f"{(now - self._began) * (1 - part) / done:.0f} s left" if done > 0 else "beginning"


@contextmanager
def meter(label: str) -> Iterator[Meter]:
    """A meter that is gone, its last state shown, when the block ends."""
    if not sys.stderr.isatty():
        yield Meter(None)
        return
    columns = (TextColumn(label), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[told]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield Meter(bar)


@contextmanager
def stages(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for work of several stages: (what is done, how much of it, how much there is)."""
    if not sys.stderr.isatty():
        yield _Lines(label).report
        return
    columns = (TextColumn(f"{label}: {{task.description}}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("beginning", total=None)
        yield lambda what, done, wanted: bar.update(task, description=what, completed=done, total=max(wanted, 1))


class _Lines:
    """The same without a terminal: a line every few seconds."""

    def __init__(self, label: str) -> None:
        self._label, self._shown = label, time.monotonic()

    def report(self, what: str, done: int, wanted: int) -> None:
        now = time.monotonic()
        if now - self._shown >= LINE_SECONDS:
            self._shown = now
            click.echo(f"{self._label}: {what} {done / max(wanted, 1):.0%}", err=True)
