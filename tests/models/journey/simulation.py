"""One history from a seed, judged after every message."""

from tests.models.journey.judge import Judge
from tests.models.journey.world import World

HAPPENINGS = 40
MESSAGES_MAX = 2_000
"""A history has a few hundred."""


def run(seed: int, *, patient: bool = False, ageing: bool = False) -> World:
    """Lives a history to its end; AssertionError with what is wrong.

    Where clicks age, what counts depends on what had aged when; so they have a test of their own.
    """
    world = World(seed, patient=patient, ageing=ageing, clicking=not ageing)
    judge = Judge(world)
    haste = world.random.choice((0.3, 0.6, 0.85))
    for _ in range(HAPPENINGS):
        world.happen()
        judge.look()
        calm = world.random.random() < (0.4 if patient or ageing else 0.05)
        while (calm or world.random.random() < haste) and _progress(world):
            judge.look()
    while _progress(world):
        judge.look()
    judge.rest()
    return world


def _progress(world: World) -> bool:
    assert world.messages < MESSAGES_MAX, "it never comes to rest"
    return world.progress()
