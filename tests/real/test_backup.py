"""Backup and restore as OPERATING.md tells it: what the broker keeps, and the key, are all that is needed."""

import shutil
from pathlib import Path

import pytest

from tests.real.conftest import kafka
from tests.real.crowd import Crowd, truth
from tests.real.judge import differences
from tests.real.system import System
from tests.real.test_check import check

pytestmark = pytest.mark.asyncio
PREFIX = "backup"


async def test_everybody_is_there_after_the_machine_was_lost(tmp_path: Path) -> None:
    told = Crowd(seed=21, people=30).events(300)
    first, copy, second = tmp_path / "first", tmp_path / "copy", tmp_path / "second"
    with kafka(first) as broker:
        async with System.run(broker.bootstrap, PREFIX, first / "workers") as system:
            await system.started()
            await system.tell(told)
            before = await system.settled()
    shutil.copytree(first, copy, ignore=shutil.ignore_patterns("workers"))
    shutil.rmtree(first)

    shutil.copytree(copy, second)
    with kafka(second) as broker:
        async with System.run(broker.bootstrap, PREFIX, second / "workers") as system:
            worker = await system.started()
            after = await system.settled()
            assert (after["events"], after["rejected"]) == (before["events"], before["rejected"])
            assert await differences(system, truth(told), worker) == []
            assert (await check(system)).document["right"]
