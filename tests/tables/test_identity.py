"""Identities as stored: every kind of row comes back; what is not there is none."""

import pytest

from app.runtime.rows import Partition, stamp
from models.identity.messages import cluster_address, node_address
from models.identity.rows import Cluster, Node, Row
from models.ids import IdentifierKey, UnifiedUserId
from tables.codec import codec
from tables.identity import cluster_of, node_of

PHONE, ANN = IdentifierKey("phone:x"), UnifiedUserId("u_ann")
NODE = node_address(PHONE).encode()
CLUSTER = cluster_address(ANN).encode()


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (NODE, Node()),
        (NODE, Node(uid=ANN, version=3)),
        (CLUSTER, Cluster("frozen", number=2)),
        (CLUSTER, Cluster("merged", into=UnifiedUserId("u_a"))),
    ],
)
def test_every_kind_of_row_comes_back_as_it_was(key: bytes, row: Row) -> None:
    assert codec.decode(key, codec.encode(key, row)) == row


def test_rows_are_found_by_identifier_and_by_uid(partition: Partition) -> None:
    assert (node_of(partition, PHONE), cluster_of(partition, ANN)) == (None, None)
    node, cluster = Node(uid=ANN), Cluster("live")
    partition.write([(NODE, stamp(1) + codec.encode(NODE, node)), (CLUSTER, stamp(1) + codec.encode(CLUSTER, cluster))], 0)
    assert (node_of(partition, PHONE), cluster_of(partition, ANN)) == (node, cluster)
    partition.write([(NODE, stamp(2)), (CLUSTER, stamp(2))], 1)
    assert (node_of(partition, PHONE), cluster_of(partition, ANN)) == (None, None)
