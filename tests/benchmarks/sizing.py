"""`python -m tests.benchmarks.sizing`: what a company of this size needs, computed from the slopes that OPERATING.md states.

The guide has three tables: slopes, each measured by a command that it names; assumptions; and what follows from both for 100
million people and 50,000 events/s. A test holds the last against this function, so whoever measures anew changes a slope in the
guide and puts there what this prints. What was measured on one worker is multiplied: that workers share nothing but Kafka is the
model's one belief (`make bench WHAT=workers` says how far it holds).
"""

import math
import re
from collections.abc import Mapping

import click

from tests.markdown import Document

PEOPLE, RATE = 100_000_000, 50_000
SECTION = "Sizing for a large company"
DAY_SECONDS = 86_400
FULL_AT = 0.6
"""Of a core: above it a backlog takes too long to shrink."""
PARTITIONS_OF_A_WORKER = 4
"""At least, so that there may be four times the workers one day."""
BROKER_MB = 100.0
"""Written a second by one broker."""
SLOPES = {
    "CPU of a worker, an event of somebody known, us": "event_us",
    "CPU of a worker, a newcomer with a link, us": "newcomer_us",
    "CPU of a collector, an event in batches of 100, us": "collector_us",
    "bytes of an event in its topic": "raw",
    "bytes of an event in inboxes": "inbox",
    "bytes of an event in changelogs": "changelog",
    "bytes of an event in outputs": "output",
    "bytes of an event on a worker's disk": "disk",
    "bytes of a newcomer in inboxes": "newcomer_inbox",
    "bytes of a newcomer in changelogs": "newcomer_changelog",
    "bytes of a newcomer in outputs": "newcomer_output",
    "bytes of a newcomer on a worker's disk": "newcomer_disk",
    "memory of a worker, MB": "memory_mb",
    "recovery, MB/s": "recovery_mb",
}
ASSUMPTIONS = {
    "events of newcomers, of 100": "newcomers",
    "copies of each record in Kafka": "copies",
    "days of behaviour in Kafka": "raw_days",
    "days of inboxes": "inbox_days",
    "days of events in timelines": "keep_days",
}
Numbers = Mapping[str, float]


def stated(document: Document) -> dict[str, float]:
    """Slopes and assumptions as the guide's tables have them."""
    found = dict(re.findall(r"^\| ([^|]+?) \| ([\d,.]+) \|", document.section(SECTION), re.MULTILINE))
    names = {**SLOPES, **ASSUMPTIONS}
    return {name: float(found[title].replace(",", "")) for title, name in names.items()}


def sized(people: float, rate: float, given: Numbers) -> dict[str, str]:
    """What is needed for so many people and events a second, all day."""
    new, events = given["newcomers"] / 100, rate * DAY_SECONDS

    def each(name: str) -> float:
        return (1 - new) * given[name] + new * given.get(f"newcomer_{name}", given[name])

    cores = rate * ((1 - new) * given["event_us"] + new * given["newcomer_us"]) / 1e6
    partitions = _partitions(math.ceil(cores / FULL_AT))
    workers = next(count for count in range(1, partitions + 1) if partitions % count == 0 and count * FULL_AT >= cores)
    written = rate * (given["raw"] + each("inbox") + each("changelog") + each("output")) * given["copies"] / 1e6
    fetched = rate * (given["raw"] + each("inbox")) / 1e6
    tables = (events * given["keep_days"] * given["disk"] + people * given["newcomer_disk"]) / 1e12
    topics = events * (given["raw_days"] * given["raw"] + given["inbox_days"] * each("inbox")) / 1e12
    return {
        "cores that workers keep busy": f"{cores:.1f}",
        "`topics.partitions`": f"{partitions}",
        "workers": f"{workers}",
        "memory of all workers": f"{workers * given['memory_mb'] / 1e3:.0f} GB",
        "collectors": f"{math.ceil(rate * given['collector_us'] / 1e6 / FULL_AT)}",
        "written to brokers, all copies": f"{written:,.0f} MB/s",
        "read by workers": f"{fetched:,.0f} MB/s",
        "brokers": f"{max(3, math.ceil(written / BROKER_MB))}",
        "disk of a worker": f"{tables / workers:.1f} TB",
        "disk of all brokers": f"{(topics + tables) * given['copies']:.0f} TB",
        "hours to read a worker's lost disk back": f"{tables / workers * 1e6 / given['recovery_mb'] / 3_600:.1f}",
    }


def _partitions(workers: int) -> int:
    """Enough for four times the workers, and a number that many numbers divide."""
    partitions = 24
    while partitions < PARTITIONS_OF_A_WORKER * workers:
        partitions *= 2
    return partitions


def table(people: int, rate: int, given: Numbers) -> list[str]:
    """Markdown, as the guide has it."""
    head = [f"| for {people:,} people and {rate:,} events/s | |", "|---|---|"]
    return [*head, *(f"| {what} | {much} |" for what, much in sized(people, rate, given).items())]


@click.command()
@click.option("--people", default=PEOPLE, show_default=True, type=click.IntRange(1))
@click.option("--rate", default=RATE, show_default=True, type=click.IntRange(1), help="Events a second, all day.")
def main(people: int, rate: int) -> None:
    """Computes what is needed for so many people and events."""
    click.echo("\n".join(table(people, rate, stated(Document("OPERATING.md")))))


if __name__ == "__main__":
    main()
