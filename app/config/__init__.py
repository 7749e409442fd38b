"""The configuration file: what it says (`schema`), how it is read (`loading`), and the policies it makes (`policies`)."""

from app.config.loading import load
from app.config.policies import masking_of, namespaces_of, policies_of, policy_of, pulled_policies_of
from app.config.reading import ConfigError
from app.config.schema import (
    Behaviour,
    BusinessSystem,
    Channel,
    Config,
    Display,
    Identity,
    Namespace,
    Privacy,
    Regions,
    System,
    Topics,
    Workers,
)

__all__ = [
    "Behaviour",
    "BusinessSystem",
    "Channel",
    "Config",
    "ConfigError",
    "Display",
    "Identity",
    "Namespace",
    "Privacy",
    "Regions",
    "System",
    "Topics",
    "Workers",
    "load",
    "masking_of",
    "namespaces_of",
    "policies_of",
    "policy_of",
    "pulled_policies_of",
]
