"""From the TOML file to a `Config`, or to the first rule that the file breaks."""

import tomllib
from pathlib import Path

from app.config import journeys, rules, sections
from app.config.codeless import codeless
from app.config.reading import ConfigError, Section, closed
from app.config.schema import Config


def load(path: Path) -> Config:
    """The configuration in a TOML file. Raises `ConfigError`: one line with file, key and rule."""
    with closed(Section(str(path), "", tables_of(path))) as root:
        display = sections.display(root)
        topics = sections.topics(root)
        identity, namespaces = sections.identity(root)
        channels = sections.channels(root, namespaces, topics, display.time_zone)
        systems = sections.systems(root, namespaces, channels)
        sources = {*channels, *systems}
        stages, journey = journeys.journey(root, sources)
        return Config(
            namespaces=namespaces,
            channels=channels,
            business_systems=sections.business_systems(root),
            stages=stages,
            systems=systems,
            events=rules.events(root, sources),
            cleaning=rules.cleaning(root, sources, namespaces),
            regions=rules.regions(root),
            codeless=codeless(root, channels),
            topics=topics,
            workers=sections.workers(root),
            identity=identity,
            display=display,
            journey=journey,
            privacy=sections.privacy(root, namespaces),
        )


def tables_of(path: Path) -> dict[str, object]:
    """What a TOML file holds. Raises `ConfigError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
