"""The one Faust app, its topics and its table, made from the settings and the configuration file."""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import faust
from aiokafka import AIOKafkaConsumer
from faust.types import TP
from yarl import URL

from app import topics
from app.access import Access
from app.audit import Trail
from app.config import Config, load
from app.former import is_former
from app.generation import chosen
from app.guards import announce
from app.logs import config_of
from app.originals import Originals
from app.outputs import Outputs
from app.rates import Rates, rated
from app.reading import Reading, rules_name
from app.runtime.app import App
from app.runtime.durable import Record, Superseded, Unusable, die
from app.runtime.tables import RowTable
from app.settings import Settings
from app.tokens import Tokens
from app.traffic import Traffic
from app.web import errors
from app.web_server import Web

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
BODY_BYTES_MAX = 65_536
"""Of an operator's request."""

settings = Settings.from_environment()
config = load(settings.config)
partitions = config.topics.partitions


def name(topic: str) -> str:
    """The full name of a topic: with the prefix."""
    return f"{settings.prefix}.{topic}"


def _credentials(security: Mapping[str, Any]) -> Any:
    """Faust's form of the TLS and SASL settings; None = plain text."""
    if not security:
        return None
    tls = security.get("ssl_context")
    if not str(security["security_protocol"]).startswith("SASL"):
        return faust.SSLCredentials(context=tls)
    return faust.SASLCredentials(
        username=security["sasl_plain_username"],
        password=security["sasl_plain_password"],
        mechanism=security["sasl_mechanism"],
        ssl_context=tls,
    )


tokens = Tokens(settings)
access = Access(tokens, OPEN_PATHS | ({"/metrics"} if settings.metrics == "open" else frozenset()))
"""Who asks; a door with credentials of its own adds them here."""
trail = Trail(settings, config)
"""What is written down of requests."""
rates = Rates(settings.rate, time.monotonic)
"""How often callers ask."""
traffic = Traffic()
"""What is asked, in numbers."""
GATES = [traffic.middleware, trail.middleware, errors, access.middleware, rated(rates)]
"""Every request passes them, the first one first."""


def _web(settings: Settings) -> dict[str, Any]:
    """Of the web server: Faust's own pages are off, every request passes our gates."""
    return {
        "web_host": settings.host,
        "web_bind": settings.host,
        "web_port": settings.web_port,
        "canonical_url": settings.web_url,
        "logging_config": config_of(settings.log),
        "web_tables_enabled": False,
        "web_router_enabled": False,
        "web_application_options": {"middlewares": GATES, "client_max_size": BODY_BYTES_MAX},
    }


def build(settings: Settings, config: Config) -> App:
    """The Faust app. Every setting that differs from Faust's default is measured or explained in ARCHITECTURE.md."""
    return App(
        settings.app_id,
        broker=[URL(f"kafka://{server}") for server in settings.bootstrap.split(",")],
        broker_credentials=_credentials(settings.security),
        store="rocksdb://",
        datadir=str(settings.data / "state" / settings.app_id),
        autodiscover=False,
        Table=RowTable,
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=config.topics.partitions,
        topic_replication_factor=config.topics.replication,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=config.workers.standbys,
        consumer_group_instance_id=settings.member,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=1 << 20,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=20.0,
        broker_request_timeout=30.0,
        broker_commit_interval=1.0,
        producer_linger=0.0,
        producer_max_batch_size=topics.ROWS_BYTES_MAX - 65_536,
        producer_max_request_size=topics.ROWS_BYTES_MAX,
        producer_request_timeout=1200.0,
        stream_buffer_maxsize=64,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        **_web(settings),
    )


app = build(settings, config)
app.web = Web(app)


def raw_topic(*names: str) -> Any:
    """Topics whose records are taken as they come."""
    return app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


def _table(name: str, meaning: str) -> RowTable:
    table = app.Table(
        name, key_type=bytes, value_type=bytes, partitions=partitions, recovery_buffer_size=4, standby_buffer_size=1, help=meaning
    )
    assert isinstance(table, RowTable)
    return table


PULLED = name("behaviour.pulled")
BEHAVIOUR = {
    **{name(channel.topic): channel.partitions for channel in config.channels.values()},
    PULLED: config.topics.channel_partitions,
}
"""Topic -> its partitions."""
INBOX = f"{settings.inner}{topics.INBOX}"

REJECTED, REQUESTS, AUDIT = f"{settings.outer}.behaviour.rejected", name("requests"), name("audit")

ZONE = ZoneInfo(config.display.time_zone)
POLICY = rules_name(config, settings.pii_key)
"""Names the rules that events are read by, in the source names of what is sent to identities."""

CHANNEL_TOPICS = {
    **dict.fromkeys(config.systems, PULLED),
    **{channel: name(one.topic) for channel, one in config.channels.items()},
}
outputs = Outputs(settings.outer, ZONE, CHANNEL_TOPICS)
reading = Reading(config, settings.prefix)


def _passer_by() -> AIOKafkaConsumer:
    """A consumer without a group."""
    own = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "max_partition_fetch_bytes": 1 << 18}
    return AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, **own, **settings.security)


originals = Originals(reading, BEHAVIOUR, _passer_by)


async def publish(records: Sequence[Record]) -> None:
    """Sends records; returns when all are acknowledged."""
    await app.durable.publish(records, [])


async def _prepare(app: App) -> None:
    """Creates the topics that are missing, announces the guards, learns the ids of the topics that are consumed."""
    await _refuse_former()
    await topics.create(settings, config)
    await _demand_generation(app)
    await announce(settings, config, INBOX)
    await app.learn_topics(settings.bootstrap, settings.security, (*BEHAVIOUR, REQUESTS, INBOX))


async def _demand_generation(app: App) -> None:
    """Ends the process when another state of the log is in use."""
    found = await chosen(settings)
    app.generation_end = found.end
    if found.chosen.current != settings.generation and not settings.shadow:
        die(
            Superseded(
                f"state {found.chosen.current} is in use, not {settings.generation}: `onetrail worker` starts as one of it"
            )
        )


async def _refuse_former() -> None:
    """Ends the process when the state in use is one of an earlier program."""
    if await is_former(settings):
        state = f"state {settings.generation} is of an earlier onetrail, and cannot be read by this one"
        die(Unusable(f"{state}: build another (`onetrail rebuild`; OPERATING.md, upgrading)"))


async def _tell_expired(tp: TP, offset: int, count: int) -> None:
    """A record of behaviour.rejected for what was deleted unread."""
    await publish([outputs.expired(tp.topic, tp.partition, offset, count)])


app.before_start = _prepare
app.on_expired = _tell_expired
table = _table("people", "one row an identifier, one row a unified user; of each a header and a timeline")
