"""Figures of several runs as one table (Markdown, as README.md has it), and as a line of history."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks.machine import Figure

HISTORY = Path(".bench") / "history.jsonl"
CHAIN = {"new links": "whole chain, every tenth event a new link", "steady": "whole chain, no new links"}
BARE, STOCK = "bare", "stock"
BASELINES = {BARE: "baseline: bare aiokafka consumption", STOCK: "baseline: stock Faust agent, one RocksDB table write an event"}
Figures = Mapping[str, Sequence[Figure]]


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
    return "\n".join([*lines, "", f"Stages alone, without Kafka: {', '.join(alone)} us of CPU an event."])


def remember(figures: Figures, stages: Mapping[str, float], events: int) -> None:
    """Adds a line to the history of ratios."""
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "events": events,
        "load": os.getloadavg()[0],
        "ratios": ratios(figures),
        "rates": {name: round(middle(some)[0]) for name, some in figures.items()},
        "cpu_us": {name: round(middle(some)[1], 1) for name, some in figures.items()},
        "stages_us": {name: round(cpu, 1) for name, cpu in stages.items()},
    }
    HISTORY.parent.mkdir(exist_ok=True)
    with HISTORY.open("a") as history:
        history.write(json.dumps(line) + "\n")
