"""`python -m tests.benchmarks`: all figures in one run, medians of several; ends by itself after some ten minutes."""

import asyncio
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

import click

from tests.benchmarks import flame, stages
from tests.benchmarks.chain import Life, chain
from tests.benchmarks.machine import Figure, measured
from tests.benchmarks.report import BARE, CHAIN_NAME, STOCK, answers, of_chain, ratios, show, table
from tests.benchmarks.site import TOPIC, broker

RUN_SECONDS_MAX, STOCK_SECONDS_MAX = 600.0, 300.0
STAGES_EVENTS_MAX = 20_000


@click.command()
@click.option(
    "--events", default=200_000, show_default=True, type=click.IntRange(2_000, 2_000_000), help="Events of a measurement."
)
@click.option(
    "--runs", default=3, show_default=True, type=click.IntRange(1, 20), help="Measurements, of which the median counts."
)
@click.option("--profile", is_flag=True, help="Only where the CPU goes: a table, and flame graphs.")
def main(events: int, runs: int, profile: bool) -> None:
    """Measures the whole chain with one worker, beside bare consumption and a stock Faust agent; then the stages alone."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place:
        if profile:
            _profile(min(events, STAGES_EVENTS_MAX), Path(place))
            return
        figures, lives = on_a_broker(Path(place), events, runs)
        alone = stages_alone(Path(place), min(events, STAGES_EVENTS_MAX), runs)
    lines = [table(figures, alone), answers(lives)]
    show(CHAIN_NAME, lines, ratios(figures), **of_chain(figures, alone, events))


def _profile(events: int, place: Path) -> None:
    """Calls of the stages alone on standard output; pictures of them and of a worker in files."""
    stages.main(events, place / "stages", profile=True)
    graphs = [flame.of_stages(events, place / "sampled"), flame.of_worker(events, place)]
    for graph in filter(None, graphs):
        click.echo(f"flame graph: {graph}")


def on_a_broker(place: Path, events: int, runs: int) -> tuple[dict[str, list[Figure]], list[Life]]:
    """Everything that needs Kafka; a run measures all of it, so that a slow minute strikes all alike."""
    figures: dict[str, list[Figure]] = defaultdict(list)
    lives: list[Life] = []
    with broker(place) as started:
        for number in range(runs):
            click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}", err=True)
            life, measures = one_run(started.bootstrap, f"bench-{number}", place, events)
            lives.append(life)
            for name, figure in measures.items():
                click.echo(f"  {name}: {figure.rate:,.0f} events/s, {figure.cpu_us:.1f} us of CPU an event", err=True)
                figures[name].append(figure)
    return figures, lives


def one_run(bootstrap: str, prefix: str, place: Path, events: int) -> tuple[Life, dict[str, Figure]]:
    """The chain, and both baselines on the topic that it read."""

    async def bounded() -> Life:
        async with asyncio.timeout(RUN_SECONDS_MAX):
            return await chain(bootstrap, prefix, place, events)

    life = asyncio.run(bounded())
    figures = dict(life.drained)
    topic = f"{prefix}.{TOPIC}"
    figures[BARE] = figure_of(measured("tests.benchmarks.bare", bootstrap, topic, 2 * events))
    data = place / f"{prefix}-stock"
    figures[STOCK] = figure_of(
        measured("tests.benchmarks.stock", bootstrap, topic, events, data.name, data, seconds_max=STOCK_SECONDS_MAX)
    )
    return life, figures


def figure_of(told: dict[str, float]) -> Figure:
    return Figure(int(told["events"]), told["seconds"], told["cpu_seconds"])


def stages_alone(place: Path, events: int, runs: int) -> dict[str, float]:
    """Microseconds of CPU an event, by stage."""
    found = [measured("tests.benchmarks.stages", events, place / f"stages-{number}") for number in range(runs)]
    return {stage: median(one[stage] for one in found) for stage in found[0]}


if __name__ == "__main__":
    main()
