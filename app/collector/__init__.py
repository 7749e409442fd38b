"""The HTTP collector: what SDKs and business systems post becomes records of their channel's topic.

A request is read (`body`), its sender known (`auth`), its messages brought into canonical form (`protocols`), each judged by
the same rules as in the workers (`verdict`), and all of them handed to Kafka (`sink`); the answer is sent when Kafka has
acknowledged. So an accepted event is durable, a refused one lies in `behaviour.rejected`, and whatever was not answered
with 200 is the sender's to send again.
"""

from app.collector.server import run

__all__ = ["run"]
