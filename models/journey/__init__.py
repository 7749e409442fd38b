"""The journey of one person: every event in the order in which it happened, and what follows from all of them together."""

from models.journey.actor import handle
from models.journey.messages import JourneyMessage
from models.journey.rows import Entry, Header, Row

__all__ = ["Entry", "Header", "JourneyMessage", "Row", "handle"]
