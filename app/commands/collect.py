"""`onetrail collect`: only the HTTP collector."""

import click

from app.collector import run
from app.config import load
from app.logs import set_up
from app.settings import Settings


@click.command()
def command() -> None:
    """Run only the HTTP collector, until Ctrl-C.

    It listens on ONETRAIL_HOST (127.0.0.1) and ONETRAIL_COLLECT_PORT (8000), and answers when Kafka has what it was sent.

    \b
    Example: one event, with the write key of the channel web
        curl -u dev-web: http://127.0.0.1:8000/v1/events \\
            -d '{"event": "page_viewed", "identifiers": {"anonymous_id": "a1"}}'
    """
    settings = Settings.from_environment()
    set_up(settings.log)
    run(settings, load(settings.config))
