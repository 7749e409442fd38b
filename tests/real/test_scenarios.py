"""The stories of tests/scenarios/, on a broker and a worker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.scenario import KafkaChain
from tests.real.system import System
from tests.scenarios.story import Story, stories
from tests.scenarios.suite import play

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORIES = stories()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with System.run(broker.bootstrap, "scenarios", tmp_path_factory.mktemp("scenarios")) as running:
        await running.started()
        yield running


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
async def test_what_is_told_is_what_is_shown(story: Story, system: System) -> None:
    await play(story, KafkaChain(system))
