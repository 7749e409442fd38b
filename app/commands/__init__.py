"""The `onetrail` command: one file a command, each loaded when it is asked for.

A command writes what it found to standard output and all else to standard error. What may be expected to fail (a bad
setting, no broker, a refused topic) is one line and exit code 1; a wrong call is exit code 2; never a traceback.
"""

import asyncio
import logging
from importlib import import_module

import click
from aiokafka.errors import KafkaError

from app.broker import BrokerError
from app.commands.failure import Failure
from app.config import ConfigError
from app.kafka_door import refusal_of
from app.logs import Facts
from app.settings import Settings, SettingsError
from app.supervisor import KeepsDying
from app.topics import TopicsError

COMMANDS = (
    *("up", "broker", "topics", "collect", "edge", "worker", "replay", "rejected", "channels", "events", "status", "simulate"),
    *("clean", "codeless", "check", "rebuild", "audit", "token"),
)
EXPECTED = (SettingsError, ConfigError, BrokerError, TopicsError, KeepsDying)


class Commands(click.Group):
    """Finds a command in the module of its name, and turns expected failures into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """None = there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"app.commands.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Raises only what click shows in one line."""
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            raise Failure(str(error)) from error
        except KafkaError as error:
            if refusal := asyncio.run(refusal_of(Settings.from_environment(generate=False))):
                raise Failure(refusal) from error
            raise Failure(f"Kafka: {_said(error)}; is the broker running (`onetrail up`, ONETRAIL_KAFKA)?") from error


def _said(error: KafkaError) -> str:
    text = str(error)
    return text.splitlines()[0] if text else type(error).__name__


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="onetrail", message="onetrail %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """One ordered history of one person, over every channel.

    \b
    Begin with everything on this machine, and a shop's events in it:
        onetrail up --demo
    Send your own events, one JSON object a line:
        onetrail replay events.jsonl.gz --channel web
    See how far it is, and what was turned away:
        onetrail status
        onetrail rejected --since 1h
    See who looked at whom, and give somebody a token of his own:
        onetrail audit --since 1d
        onetrail token crm --scope read_masked
    Prove that it is right, from the topics:
        onetrail check
    Try out rules on a file of events, without touching anything:
        onetrail simulate events.jsonl
    Try out which clicks on a page are events of their own:
        onetrail codeless --test page.html --url https://shop.example.com/cars/m5

    Settings come from the environment (ONETRAIL_DATA, ONETRAIL_KAFKA, ONETRAIL_CONFIG, ...); every one has a default that
    works on one machine.
    """
    shown = logging.StreamHandler()
    shown.setFormatter(Facts())
    logging.basicConfig(handlers=[shown], level=logging.INFO)
    if ctx.invoked_subcommand != "collect":
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its complaints become our one line


__all__ = ["main"]
