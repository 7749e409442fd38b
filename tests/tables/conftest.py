"""A partition of a table on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import rocksdict

from app.runtime.rows import Partition, RocksDBOptions


@pytest.fixture(scope="module")
def partition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partition]:
    """Empty at first; shared by the tests of a module, which keep apart by uid."""
    path: Path = tmp_path_factory.mktemp("rows") / "0"
    db = rocksdict.Rdict(str(path), options=RocksDBOptions(use_rocksdict=True).as_options())
    yield Partition(db)
    db.close()
