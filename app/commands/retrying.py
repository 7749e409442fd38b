"""Where a rejected record goes when it is sent through again, and in which form.

What the collector refused in the language of an SDK is brought into canonical form by the collector's own code, as it would have
been; all else goes as the bytes that it was, to the topic it came from. Its time is that of when it came the first time.
"""

from zoneinfo import ZoneInfo

from app.collector.channels import intakes
from app.collector.post import Frame
from app.collector.protocols import CONVERSIONS
from app.collector.verdict import Judge
from app.commands.rejected_topic import Refused
from app.config import Config, policies_of
from app.reading import IMPORT, IMPORT_HEADER, SYSTEM_HEADER, named
from app.rejection import COUNT
from app.replay import Outgoing, outgoing
from app.settings import Settings
from models.arrival import as_it_came
from models.event import Rejected

COLLECTOR = "collector:"


class Retrying:
    """Aims rejected records by the present configuration."""

    def __init__(self, settings: Settings, config: Config) -> None:
        self._intakes = intakes(settings, config)
        self._judge = Judge(settings, ZoneInfo(config.display.time_zone))
        self._policies = {f"{settings.prefix}.{topic}": policy for topic, policy in policies_of(config).items()}
        self._pulled, self._requests = f"{settings.prefix}.behaviour.pulled", f"{settings.prefix}.requests"
        self._has_key = bool(settings.pii_key)
        self._channels = {intake.topic: name for name, intake in self._intakes.items()}

    def channel(self, item: Refused) -> str | None:
        """The channel, or the business system, whose record it was; None = it was not rejected at a channel's topic."""
        source = item.headers.get("source_topic", "")
        if source.startswith(COLLECTOR):
            name = source.removeprefix(COLLECTOR)
            return name if name in self._intakes else None
        return item.headers.get(SYSTEM_HEADER, "") if source == self._pulled else self._channels.get(source)

    def aimed(self, item: Refused) -> Outgoing | None:
        """The record to send; None = it cannot be sent: it comes from within, or is still no message of its protocol."""
        channel = self.channel(item)
        if channel is None or COUNT in item.headers:  # what it stands for is gone
            return None
        source, raw = item.headers["source_topic"], item.raw or b""
        if source == self._pulled:
            return outgoing(raw, None, source)._replace(headers=named(item.headers.get(SYSTEM_HEADER)))
        if source.startswith(COLLECTOR) and item.headers.get("protocol") in CONVERSIONS:
            return self._posted(item, raw, channel)
        topic = self._intakes[channel].topic
        policy = self._policies[topic]
        record = outgoing(as_it_came(raw, policy.places, policy.zone, item.came_at_ms), None, topic)
        return record._replace(headers=IMPORT if IMPORT_HEADER in item.headers else ())

    def _posted(self, item: Refused, raw: bytes, channel: str) -> Outgoing | None:
        frame = Frame.of(item.headers.get("frame", "{}"))
        record = self._judge.again(raw, item.headers["protocol"], frame, self._intakes[channel], item.came_at_ms)
        if isinstance(record, Rejected):
            return None
        if record.topic == self._requests:
            return Outgoing(record.topic, record.key, record.value or b"") if self._has_key else None
        return outgoing(record.value or b"", None, record.topic)
