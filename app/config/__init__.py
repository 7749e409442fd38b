"""The configuration file: what it says (`schema`), and how it is read with every error named (`reading`, `sections`)."""

from app.config.loading import load
from app.config.reading import ConfigError
from app.config.schema import (
    BusinessSystem,
    Channel,
    Config,
    Display,
    Identity,
    Namespace,
    Places,
    Stage,
    System,
    Topics,
)

__all__ = [
    "BusinessSystem",
    "Channel",
    "Config",
    "ConfigError",
    "Display",
    "Identity",
    "Namespace",
    "Places",
    "Stage",
    "System",
    "Topics",
    "load",
]
