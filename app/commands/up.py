"""`onetrail up`: everything on this machine, started in order, watched, and stopped together."""

import asyncio
import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app import topics
from app.broker import Broker
from app.commands import demonstration, members
from app.commands.asking import readiness
from app.commands.failure import Failure
from app.commands.recovering import bars
from app.config import Config, load
from app.pull import tokens_of
from app.settings import Settings
from app.supervisor import Supervisor

WORKERS_MAX = 64
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--demo/--no-demo", default=False, help="Then replay a shop's 31,106 events (a public data set) through it.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, WORKERS_MAX), help="How many workers.")
def command(demo: bool, workers: int) -> None:
    """Run everything on this machine: broker, topics, collector and workers, until Ctrl-C.

    No broker is started when ONETRAIL_KAFKA names one. Worker i listens on ONETRAIL_WEB_PORT + i. What was kept in
    ONETRAIL_DATA is taken up again; logs are in its directory `logs`. A process that ends is started again.

    \b
    Examples:
        onetrail up --demo
        ONETRAIL_DATA=/var/lib/onetrail onetrail up --workers 4
    """
    settings = Settings.from_environment()
    config = load(settings.config)
    tokens_of(config.systems)
    with _alone(settings.data), _signals_end_it():
        members.demand_ports(settings, workers)
        supervisor = Supervisor(_note)
        try:
            _run(settings, config, supervisor, demo, workers)
        finally:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # the end is under way, and takes seconds
            _note("stopping")
            supervisor.stop()


@contextmanager
def _signals_end_it() -> Iterator[None]:
    """Signals that end a program interrupt the block, which is no failure."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in STOP_SIGNALS}
    try:
        yield
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One `up` a data directory: a lock that dies with the process."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failure(f"another `onetrail up` works in {data}; stop it, or set ONETRAIL_DATA to another directory") from error
        yield


def _run(settings: Settings, config: Config, supervisor: Supervisor, demo: bool, count: int) -> None:
    """Until a signal, or until a member cannot be kept alive."""
    if settings.kafka is None:
        _note("starting Kafka")
        supervisor.start(members.BrokerMember(Broker(settings.host, settings.broker_port, settings.data)))
    file = demonstration.data_set(config) if demo else None
    asyncio.run(_live(settings, config, supervisor, count, file))


async def _live(settings: Settings, config: Config, supervisor: Supervisor, count: int, file: Path | None) -> None:
    main = asyncio.current_task()
    assert main is not None
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, main.cancel)
    await topics.create(settings, config)
    _note(f"starting the collector and {count} worker{'s' if count > 1 else ''}")
    supervisor.start(members.collector(settings))
    supervisor.start(*members.workers(settings, count))
    await asyncio.gather(supervisor.watch(), _tell(settings, config, count, file))


async def _tell(settings: Settings, config: Config, count: int, file: Path | None) -> None:
    """The lines of standard output: where everything is as soon as it answers, then what to try."""
    collector, workers = members.collector_url(settings), [members.worker_url(settings, i) for i in range(count)]
    await _until_ready({"collector": collector} | {f"worker-{i}": url for i, url in enumerate(workers)}, settings)
    click.echo(f"collector: {collector}")
    for url in workers:
        click.echo(f"worker: {url}")
    click.echo(f"console: {settings.web_url}/console/")
    click.echo(f"read token: {settings.read_token}")
    click.echo(f"write key: {_write_key(config)}")
    if file is not None:
        await demonstration.run(settings, config, file)
    paths = ["v1/status", "healthz", "metrics"] if file is None else await demonstration.lookups(settings)
    click.echo("ready")
    for path in paths:
        click.echo(f'try: curl -H "Authorization: Bearer {settings.read_token}" "{settings.web_url}/{path}"')


async def _until_ready(urls: dict[str, str], settings: Settings) -> None:
    told = time.monotonic()
    waiting = dict(urls)
    with bars() as shown:
        while waiting:
            found = {name: await readiness(url) for name, url in waiting.items()}
            waiting = {name: url for name, url in waiting.items() if not found[name].ready}
            shown.show({name: found[name].recovered or 0.0 for name in waiting if found[name].recovered is not None})
            if waiting and time.monotonic() - told > PATIENCE_SECONDS:
                told = time.monotonic()
                _note(f"waiting for {', '.join(waiting)}; logs are in {settings.data / 'logs'}")
            await asyncio.sleep(POLL_SECONDS if waiting else 0)


def _write_key(config: Config) -> str:
    """The channel web's, or the first there is."""
    keys = [*(config.channels["web"].write_keys if "web" in config.channels else ())]
    keys += [key for channel in config.channels.values() for key in channel.write_keys]
    return keys[0] if keys else "none is configured"


def _note(line: str) -> None:
    """For the person; scripts read standard output."""
    click.echo(f"onetrail: {line}", err=True)
