"""Identities as stored: typed rows outside, bytes inside, and the questions that lookups ask of one partition."""

from app.runtime.rows import Partition
from models.identity.messages import cluster_address, node_address, request_address
from models.identity.rows import Cluster, Node, PolicyRow, Request, Row
from models.ids import IdentifierKey, UnifiedUserId
from tables.format import Format

NODES = b"n|"
CLUSTERS = b"c|"
REQUESTS = b"r|"


class IdentityCodec:
    """Rows of the identity table; the first letter of a key tells the kind."""

    def __init__(self) -> None:
        self._node: Format[Node] = Format(Node)
        self._cluster: Format[Cluster] = Format(Cluster)
        self._policy: Format[PolicyRow] = Format(PolicyRow)
        self._request: Format[Request] = Format(Request)

    def encode(self, key: bytes, row: Row) -> bytes:
        """The body of a row."""
        return self._node.encode(row)

    def decode(self, key: bytes, body: bytes) -> Row:
        """The row of a body."""
        if key.startswith(NODES):
            return self._node.decode(body)
        if key.startswith(CLUSTERS):
            return self._cluster.decode(body)
        return self._request.decode(body) if key.startswith(REQUESTS) else self._policy.decode(body)

    def returns(self, key: bytes) -> bool:
        """Who had one event will have another; requests are asked for by lookups."""
        return not key.startswith(REQUESTS)


codec = IdentityCodec()


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
