"""The questions about identities that lookups ask of one partition."""

from app.runtime.rows import Partition
from models.identity.messages import cluster_address, node_address, request_address
from models.identity.rows import Cluster, Node, Request
from models.ids import IdentifierKey, UnifiedUserId
from tables.codec import codec

NODES = b"n|"
CLUSTERS = b"c|"
REQUESTS = b"r|"


def node_of(partition: Partition, key: IdentifierKey) -> Node | None:
    """The row of an identifier, None when it was never seen."""
    body = partition.body(node_address(key).encode())
    row = None if body is None else codec.decode(NODES, body)
    assert row is None or isinstance(row, Node)
    return row


def cluster_of(partition: Partition, uid: UnifiedUserId) -> Cluster | None:
    """The row of a uid, None when no person was born with it."""
    body = partition.body(cluster_address(uid).encode())
    row = None if body is None else codec.decode(CLUSTERS, body)
    assert row is None or isinstance(row, Cluster)
    return row


def request_of(partition: Partition, request_id: str) -> Request | None:
    """How an operator's request goes, None when it is not known (yet)."""
    body = partition.body(request_address(request_id).encode())
    row = None if body is None else codec.decode(REQUESTS, body)
    assert row is None or isinstance(row, Request)
    return row
