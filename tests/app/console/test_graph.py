"""The drawing of a person: every identifier once, every link, bridges by an independent oracle, nobody on top of another."""

import math
from itertools import combinations

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.graph import Drawing, drawn
from models.identity.rows import Cluster
from tests.app.console.people import linked

NAMES = [f"device_id:{n}" for n in range(9)]
LINKS = st.lists(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True).map(" ".join), max_size=14)


def names_of(drawing: Drawing) -> set[frozenset[str]]:
    return {frozenset((line.near.member.name, line.far.member.name)) for line in drawing.lines}


def test_a_star_has_its_anchor_in_the_middle() -> None:
    drawing = drawn(linked(*(f"user_id:1 anonymous_id:{n}" for n in range(12))))
    (middle,) = (spot for spot in drawing.spots if spot.member.namespace == "user_id")
    far = {round(math.hypot(spot.x - middle.x, spot.y - middle.y)) for spot in drawing.spots} - {0}
    assert len(far) == 1
    assert middle.degree == 12


@given(LINKS)
def test_everything_is_drawn_once_and_bridges_are_bridges(links: list[str]) -> None:
    cluster = linked(*links, alone="phone:1")
    drawing = drawn(cluster)
    assert {spot.member.name for spot in drawing.spots} == {member.name for member in cluster.content.members.values()}
    assert names_of(drawing) == {frozenset(link.split()) for link in links}
    graph = networkx.Graph([link.split() for link in links])
    wanted = {frozenset(edge) for edge in networkx.bridges(graph)}
    assert {frozenset((line.near.member.name, line.far.member.name)) for line in drawing.lines if line.bridge} == wanted


@given(LINKS)
def test_nobody_stands_on_another_or_outside(links: list[str]) -> None:
    drawing = drawn(linked(*links, alone="phone:1"))
    assert all(0 < spot.x < drawing.width and 0 < spot.y < drawing.height for spot in drawing.spots)
    for one, other in combinations(drawing.spots, 2):
        assert math.hypot(one.x - other.x, one.y - other.y) > 20, (one, other)


@pytest.mark.parametrize("cluster", [linked(alone="phone:1"), linked("user_id:1 phone:2")], ids=["alone", "two"])
def test_a_drawing_is_the_same_every_time(cluster: Cluster) -> None:
    assert drawn(cluster) == drawn(cluster)
