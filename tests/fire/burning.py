"""What a fault may touch."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.fire.load import Load
from tests.fire.people import Told
from tests.fire.site import Site
from tests.real.system import Worker


@dataclass
class Fire:
    """A site that burns."""

    site: Site
    load: Load
    told: Told
    chance: random.Random
    say: Callable[[str], None]

    def worker(self) -> Worker:
        """Any that should be up."""
        return self.chance.choice(self.site.wanted)

    async def for_a_while(self, least: float, most: float) -> None:
        """Some seconds."""
        await asyncio.sleep(self.chance.uniform(least, most))

    def kill_all(self) -> set[str]:
        """kill -9 of all workers, which stay down until their names leave `site.hands_off`; the names."""
        names = {worker.name for worker in self.site.wanted}
        self.site.hands_off |= names
        for worker in self.site.wanted:
            worker.kill()
        return names


Fault = Callable[[Fire], Awaitable[None]]
