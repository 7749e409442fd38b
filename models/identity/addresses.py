"""Where rows lie: the key of each actor's row. Its last characters are the route, by which a row is placed."""

from models.ids import IdentifierKey, UnifiedUserId

POLICY_KEY = "p|"
"""The row of the guards' policy; each partition has its own."""


def node_address(key: IdentifierKey) -> str:
    """The row of an identifier."""
    return "n|" + key


def cluster_address(uid: UnifiedUserId) -> str:
    """The row of a uid."""
    return "c|" + uid


def request_address(request_id: str) -> str:
    """The row of an operator's request."""
    return "r|" + request_id
