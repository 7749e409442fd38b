"""A question that only `onetrail check` asks of workers: the rows of a partition as they lie there, page by page."""

import msgspec

from app.runtime.rows import Partition

PAGE_ROWS = 500
"""Read in a few milliseconds, so that others are answered in between."""
RowsPage = list[tuple[bytes, bytes]]
ROWS = "identity-rows"
"""The question. Workers of an earlier program, with which a rebuild compares, know it by this name, of identities alone."""
_asked = msgspec.msgpack.Decoder(tuple[bytes, bytes])


def rows_page(partition: Partition, raw: msgspec.Raw) -> RowsPage:
    """The next rows whose keys begin with a prefix, from a key on, without their stamps."""
    prefix, start = _asked.decode(raw)
    return partition.bodies(prefix, start=start, limit=PAGE_ROWS)
