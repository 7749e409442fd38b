"""Figures of several runs as one table (Markdown, as README.md has it), and as a line of history."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks.chain import Life
from tests.benchmarks.machine import Figure

HISTORY = Path(".bench") / "history.jsonl"
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
    return "\n".join([*lines, "", f"Stages alone, without Kafka: {', '.join(alone)} us of CPU an event."])


def answers(lives: Sequence[Life]) -> str:
    """What else was seen of the workers, medians too."""
    lines = ["", "| one worker | |", "|---|---|"]
    for rate in lives[0].delays:
        delays = [life.delays[rate] for life in lives]
        p50, p95, core = (median(one[part] for one in delays) for part in range(3))
        lines.append(f"| acknowledged to visible at {rate:,} events/s, p50 and p95 | {p50:.0f} ms, {p95:.0f} ms |")
        lines.append(f"| CPU at {rate:,} events/s | {core:.0%} of a core |")
    lines.append(f"| most memory while draining | {median(life.memory_mb for life in lives):,.0f} MB |")
    lines.append(f"| rows read a second after a lost disk | {median(life.recovered for life in lives):,.0f} |")
    return "\n".join(lines)


def worse(found: Ratios, history: Sequence[Ratios]) -> list[str]:
    """The ratios that are above the median of the last lines of history by more than WORSE."""
    return [
        f"slower than before: {name} takes {ratio:.1f} x {base}, {usual:.1f} x in the last runs"
        for name, bases in found.items()
        for base, ratio in bases.items()
        if history and ratio > (1 + WORSE) * (usual := median(earlier[name][base] for earlier in history[-LAST:]))
    ]


def remember(figures: Figures, stages: Mapping[str, float], events: int) -> list[str]:
    """Adds a line to the history of ratios; says what got slower."""
    told = HISTORY.read_text().splitlines() if HISTORY.exists() else []
    warnings = worse(ratios(figures), [json.loads(line)["ratios"] for line in told])
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
    return warnings
