"""Figures of several runs as one table (Markdown, as README.md has it), and as a line of history."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import click

from tests.benchmarks.chain import Life
from tests.benchmarks.delay import Delay
from tests.benchmarks.machine import Figure

HISTORY = Path(".bench") / "history.jsonl"
CHAIN_NAME = "chain"
CHAIN = {"new links": "whole chain, every tenth event a new link", "steady": "whole chain, no new links"}
BARE, STOCK = "bare", "stock"
BASELINES = {BARE: "baseline: bare aiokafka consumption", STOCK: "baseline: stock Faust agent, one RocksDB table write an event"}
Figures = Mapping[str, Sequence[Figure]]
Ratios = Mapping[str, Mapping[str, float]]
WORSE, LAST = 0.2, 5
"""A ratio that is so much above the median of so many earlier ones is told."""


def middle(figures: Sequence[Figure]) -> tuple[float, float]:
    """Medians of events a second and of microseconds an event."""
    return median(figure.rate for figure in figures), median(figure.cpu_us for figure in figures)


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """CPU of an event in the chain, as a multiple of each baseline's."""
    cpu = {name: middle(some)[1] for name, some in figures.items()}
    return {name: {base: cpu[name] / cpu[base] for base in BASELINES} for name in CHAIN}


def table(figures: Figures, stages: Mapping[str, float]) -> str:
    """One worker on one core; then the stages alone."""
    lines = ["| | events/s | CPU an event | × bare consumption | × one stock table write |", "|---|---|---|---|---|"]
    multiples = ratios(figures)
    for name, title in {**CHAIN, **BASELINES}.items():
        rate, cpu = middle(figures[name])
        shown = [f"{multiples[name][base]:.1f}" for base in BASELINES] if name in CHAIN else ["", ""]
        lines.append(f"| {title} | {rate:,.0f} | {cpu:.1f} us | {' | '.join(shown)} |")
    alone = [f"{name} {cpu:.1f}" for name, cpu in stages.items()]
    return "\n".join([*lines, "", f"Stages alone, without Kafka: {'; '.join(alone)} us of CPU an event."])


def quantiles(delays: Sequence[Delay]) -> list[float]:
    """Medians of p50, p95 and p99, in milliseconds."""
    return [median(getattr(one, name) for one in delays) for name in ("p50_ms", "p95_ms", "p99_ms")]


def answers(lives: Sequence[Life]) -> str:
    """What else was seen of the workers, medians too."""
    lines = ["", "| one worker | |", "|---|---|"]
    for rate in lives[0].delays:
        delays = [life.delays[rate] for life in lives]
        shown = ", ".join(f"{quantile:.0f} ms" for quantile in quantiles(delays))
        lines.append(f"| acknowledged to visible at {rate:,} events/s, p50, p95, p99 | {shown} |")
        lines.append(f"| CPU at {rate:,} events/s | {median(one.cores[0] for one in delays):.0%} of a core |")
    lines.append(f"| most memory while draining | {median(life.memory_mb for life in lives):,.0f} MB |")
    lines.append(f"| rows read a second after a lost disk | {median(life.recovered for life in lives):,.0f} |")
    return "\n".join(lines)


def worse(found: Ratios, history: Sequence[Ratios]) -> list[str]:
    """The ratios that are above the median of the last lines of history by more than WORSE."""
    return [
        f"slower than before: {name} takes {ratio:.2f} x {base}, {usual:.2f} x in the last runs"
        for name, bases in found.items()
        for base, ratio in bases.items()
        if (earlier := [line[name][base] for line in history if base in line.get(name, {})][-LAST:])
        and ratio > (1 + WORSE) * (usual := median(earlier))
    ]


def remember(what: str, found: Ratios, **more: object) -> list[str]:
    """Adds a line to the history of ratios, which are the better the smaller they are; says what got worse."""
    told = [json.loads(line) for line in HISTORY.read_text().splitlines()] if HISTORY.exists() else []
    warnings = worse(found, [line["ratios"] for line in told if line.get("what", CHAIN_NAME) == what])
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = {"what": what, "at": at, "load": os.getloadavg()[0], "ratios": found, **more}
    HISTORY.parent.mkdir(exist_ok=True)
    with HISTORY.open("a") as history:
        history.write(json.dumps(line) + "\n")
    return warnings


def of_chain(figures: Figures, stages: Mapping[str, float], events: int) -> dict[str, object]:
    """What else a line of history says of a run of the whole chain."""
    return {
        "events": events,
        "rates": {name: round(middle(some)[0]) for name, some in figures.items()},
        "cpu_us": {name: round(middle(some)[1], 1) for name, some in figures.items()},
        "stages_us": {name: round(cpu, 1) for name, cpu in stages.items()},
    }


def show(what: str, lines: Sequence[str], found: Ratios, **more: object) -> None:
    """The table on standard output, the ratios into history, warnings on standard error."""
    click.echo("\n".join(lines))
    for warning in remember(what, found, **more):
        click.echo(warning, err=True)
