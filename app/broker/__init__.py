"""The embedded broker: Apache Kafka itself, one node, for a machine that has no cluster.

`jars` obtains Kafka and `java` a runtime for it, both into a cache of the user's, once; `server` runs them. Nothing here
knows of Onetrail's topics or settings: hosts, ports and directories are arguments.
"""

from app.broker.errors import BrokerError
from app.broker.server import Broker

__all__ = ["Broker", "BrokerError"]
