"""`python -m app.broker`: fetches Kafka and, if need be, Java, so that the first start need not. Starts nothing."""

import sys

import click

from app.broker.errors import BrokerError
from app.broker.jars import kafka_jars
from app.broker.java import find_java
from app.cache import cache_directory


def main() -> int:
    """Exit code 1 and one sentence if something is missing."""
    try:
        click.echo(f"java: {find_java(cache_directory())}")
        click.echo(f"kafka: {kafka_jars(cache_directory())}")
    except BrokerError as error:
        click.echo(f"onetrail: {error}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
