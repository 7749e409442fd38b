"""From records on channels to answers: the whole chain, with a real broker and a worker as a process of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.crowd import Crowd, truth
from tests.real.judge import differences
from tests.real.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with System.run(broker.bootstrap, "chain", tmp_path_factory.mktemp("chain")) as running:
        await running.started()
        yield running


async def test_everybody_is_as_the_oracle_says(system: System) -> None:
    crowd = Crowd(seed=1, people=80)
    told = crowd.events(1_500)
    await system.tell(told + told[:200])
    await system.settled()
    assert await differences(system, truth(told)) == []
