"""The stories of this folder, on the chain in memory."""

from itertools import chain, combinations

import pytest

from app.config import load
from app.settings import PACKAGED_CONFIG
from models.notation import Line
from tests.scenarios.chain import MemoryChain
from tests.scenarios.story import Story, read, stories
from tests.scenarios.suite import play

STORIES = stories()
CONFIG = load(PACKAGED_CONFIG)
WRONG = """# A question whose answer is another
t1  web  user_id:a  page_viewed
"""


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
async def test_what_is_told_is_what_is_shown(story: Story) -> None:
    await play(story, MemoryChain(CONFIG))


@pytest.mark.parametrize(
    "question",
    [
        "journey user_id:a\n    t2 web page_viewed",
        "journey user_id:a",
        "known user_id:a phone:+8613800138000",
        "unknown user_id:a",
        "known user_id:b",
        "apart user_id:a user_id:a",
        "seen user_id:a app",
        "refused user_id:a phone:+8613800138000",
    ],
)
async def test_a_wrong_answer_is_noticed(question: str) -> None:
    with pytest.raises(AssertionError):
        await play(read(WRONG + question), MemoryChain(CONFIG))


def test_no_story_knows_the_people_of_another() -> None:
    for one, other in combinations(STORIES.values(), 2):
        assert not one.identifiers & other.identifiers


def test_every_acceptance_that_is_about_people_has_its_story() -> None:
    titles = "".join(story.title for story in STORIES.values())
    assert [
        code for code in ("S0.26", "A3.1", "A3.3", "A3.5", "A3.6", "A4.1", "A4.5", "A4.6", "A5.1", "A5.5") if code not in titles
    ] == []


def test_every_event_of_a_story_has_an_id_of_its_own() -> None:
    for story in STORIES.values():
        ids = list(chain(step.id for step in story.steps if isinstance(step, Line)))
        assert len(ids) == len(set(ids)), story.title


@pytest.mark.parametrize(
    "line", ["    t1 web page_viewed", "t1 web", 't1 web "user_id:a', "x1 web user_id:a", "t1 web user_id:a at=soon"]
)
def test_a_line_that_says_nothing_is_no_story(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(WRONG + line)
