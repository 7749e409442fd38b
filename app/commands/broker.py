"""`onetrail broker`: only the embedded broker."""

import click

from app.broker import Broker
from app.settings import Settings


@click.command()
def command() -> None:
    """Run only the embedded Kafka broker, until Ctrl-C.

    One node, on ONETRAIL_HOST (127.0.0.1) and ONETRAIL_BROKER_PORT (9092); its controller listens on the next port. Its files
    are in ONETRAIL_DATA/broker. Kafka, and Java where it is missing, are downloaded once.

    \b
    Example: broker, worker and collector in terminals of their own
        onetrail broker
        onetrail worker
        onetrail collect
    """
    settings = Settings.from_environment(generate=False)
    Broker(settings.host, settings.broker_port, settings.data).run_foreground()
