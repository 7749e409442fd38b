"""`onetrail worker`: checks all that a worker needs, then becomes `faust -A app.main worker`."""

import asyncio
import os
import sys
import time

import click
from aiokafka.errors import KafkaConnectionError

from app import topics
from app.commands import members
from app.config import Config, load
from app.generation import chosen
from app.kafka_door import refusal_of
from app.pull import tokens_of
from app.settings import Settings

WAIT_SECONDS_MAX = 30.0
"""A worker may be started together with its broker."""
FAUST = "import app.{root}; from faust.cli.faust import cli; cli()"
"""Ours is imported first, because Faust looks in the working directory, where somebody else's `app` may lie."""


@click.command()
def command() -> None:
    """Run one worker in the foreground, until Ctrl-C or SIGTERM.

    The same as `faust -A app.main worker`, after settings, configuration and topics were checked. A second one on the same
    machine needs its own data directory and web port, and the same tokens and key.

    \b
    Example: two workers of one cluster
        export ONETRAIL_KAFKA=kafka-1:9092 ONETRAIL_READ_TOKEN=... ONETRAIL_ADMIN_TOKEN=... ONETRAIL_PII_KEY=...
        ONETRAIL_DATA=/data/w0 ONETRAIL_WEB_PORT=6066 onetrail worker
        ONETRAIL_DATA=/data/w1 ONETRAIL_WEB_PORT=6067 onetrail worker
    """
    settings = Settings.from_environment()
    config = load(settings.config)
    tokens_of(config.systems)
    asyncio.run(_topics(settings, config))
    environment = members.environment(settings)
    if not settings.shadow:
        environment["ONETRAIL_GENERATION"] = str(asyncio.run(chosen(settings)).chosen.current)
    root = "shadow" if settings.shadow else "main"
    program = FAUST.format(root=root)
    os.execve(sys.executable, [sys.executable, "-P", "-c", program, "-A", f"app.{root}", "worker", "-l", "info"], environment)


async def _topics(settings: Settings, config: Config) -> None:
    """Creates what is missing. Raises aiokafka's error when there is no broker for 30 s."""
    end = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        try:
            await topics.create(settings, config)
        except KafkaConnectionError:
            if time.monotonic() > end or await refusal_of(settings):
                raise
            await asyncio.sleep(0.5)
        else:
            return
