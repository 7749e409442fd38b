"""What the configuration file says, as frozen values.

These classes know nothing of TOML and check nothing: `app.config.load` only builds them from a file that obeys every rule.
Order is meaning in three places: namespaces (ties of priority), business systems (first match) and stages.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from models.cleaning import Cleaning
from models.codeless import CodelessRule
from models.inference import Rule
from models.mapping import Places
from models.stages import Stage

Normalise = Literal["none", "lower", "email", "phone", "digits", "imei"]
Format = Literal["canonical", "segment", "sensors", "map"]


class Display(msgspec.Struct, frozen=True):
    """How times are written in answers; stored times are UTC instants."""

    time_zone: str = "Asia/Shanghai"


class Topics(msgspec.Struct, frozen=True):
    """Partitions, copies and ages of the topics. Days; 0 = for ever."""

    partitions: int = 8
    channel_partitions: int = 2
    replication: int = 1
    retention_days: int = 30
    inbox_retention_days: int = 7
    audit_retention_days: int = 365


class Workers(msgspec.Struct, frozen=True):
    """How workers stand in for each other: so many of the others keep a copy of each partition's rows."""

    standbys: int = 0
    stuck_seconds: int = 60
    """Without progress for so long, while there is work and Kafka is well, a worker ends; 0 = never."""


class Identity(msgspec.Struct, frozen=True):
    """Guards of the clusters."""

    cluster_limit: int = 100
    shared_after: int = 3


class Namespace(msgspec.Struct, frozen=True):
    """A kind of identifier. `order` is its position in the file, from 0; `limit` None = only the cluster's."""

    name: str
    priority: int
    limit: int | None = None
    normalise: Normalise = "none"
    block: tuple[str, ...] = ()
    order: int = 0


class Channel(msgspec.Struct, frozen=True):
    """A way customers come in, and the topic its business system writes. The topic is without the prefix."""

    name: str
    topic: str
    format: Format = "canonical"
    write_keys: tuple[str, ...] = ()
    namespaces: Mapping[str, str] = {}
    """Incoming name -> namespace."""
    time_zone: str = "Asia/Shanghai"
    partitions: int = 2
    rate: int | None = None
    """Events a second that the collector takes; None = any number."""
    map: Places | None = None


class BusinessSystem(msgspec.Struct, frozen=True):
    """A part of the business that events are classified by: patterns with `*` of addresses, page and event names."""

    name: str
    urls: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class System(msgspec.Struct, frozen=True):
    """A business system that can be asked at lookup time, by the identifier it knows its users by."""

    name: str
    url: str
    namespace: str
    timeout_ms: int = 800
    token_env: str | None = None


class Journey(msgspec.Struct, frozen=True):
    """How journeys are shown: the pause that ends a session, the rules by which gaps are filled, and how long events are listed.

    `keep_days` None = for ever.
    """

    session_gap_ms: int = 30 * 60_000
    inferences: tuple[Rule, ...] = ()
    keep_days: int | None = None


class Privacy(msgspec.Struct, frozen=True):
    """What callers with masked values do not see, beside telephone numbers, addresses and IMEIs."""

    mask_namespaces: tuple[str, ...] = ()
    mask_names: tuple[str, ...] = ()
    """Traits and properties that are hidden whole."""


class Behaviour(msgspec.Struct, frozen=True):
    """An event of the register: its other names, everywhere and by channel. The version says which definition it is."""

    name: str
    version: int = 1
    synonyms: tuple[str, ...] = ()
    synonyms_in: Mapping[str, tuple[str, ...]] = {}
    description: str = ""


class Regions(msgspec.Struct, frozen=True):
    """Where events tell a region: fields of their properties and of their traits, the first that is there decides."""

    properties: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. Mappings keep the order of the file."""

    namespaces: Mapping[str, Namespace]
    channels: Mapping[str, Channel]
    business_systems: tuple[BusinessSystem, ...] = ()
    stages: tuple[Stage, ...] = ()
    systems: Mapping[str, System] = {}
    events: Mapping[str, Behaviour] = {}
    """The register: what is not in it is kept, and listed as unregistered."""
    codeless: tuple[CodelessRule, ...] = ()
    cleaning: Cleaning = Cleaning()
    regions: Regions = Regions()
    topics: Topics = Topics()
    workers: Workers = Workers()
    identity: Identity = Identity()
    display: Display = Display()
    journey: Journey = Journey()
    privacy: Privacy = Privacy()
