"""Explanations: a shortest path, its evidence, its bridges, and whose an identifier was."""

import networkx
from hypothesis import given
from hypothesis import strategies as st

from models.identity.explain import explain, owner_at, refusals_of, tenures
from models.identity.rows import Cluster
from models.identity.values import Content, Evidence, Member, Proof, pair
from models.ids import EventId
from tests.models.identity.actors import Actors
from tests.simulation.history import sighting


def steps(actors: Actors, start: str, end: str) -> list[tuple[str, str, list[str], bool]]:
    """Each step as near, far, event ids, bridge."""
    path = explain(actors.cluster(start), sighting(start).key, sighting(end).key)
    assert path is not None
    return [(s.near.name, s.far.name, [one.event_id for one in s.evidence], s.bridge) for s in path]


def test_a_chain_is_explained_link_by_link_with_its_events() -> None:
    actors = Actors().told("t1 crm phone:p1 member_id:m7").told("t2 web anonymous_id:c1 phone:p1")
    wanted = [("anonymous_id:c1", "phone:p1", ["e2"], True), ("phone:p1", "member_id:m7", ["e1"], True)]
    assert steps(actors, "anonymous_id:c1", "member_id:m7") == wanted


def test_no_link_of_a_ring_is_a_bridge() -> None:
    actors = Actors().told("t1 web user_id:1 phone:2").told("t2 web phone:2 email:3").told("t3 web email:3 user_id:1")
    assert steps(actors, "user_id:1", "email:3") == [("user_id:1", "email:3", ["e3"], False)]


def test_of_equally_short_paths_the_smaller_names_are_told_in_both_directions() -> None:
    actors = Actors().told("t1 web a:1 x:1 y:1").told("t2 web b:1 x:1 y:1")
    assert [near for near, *_ in steps(actors, "a:1", "b:1")] == ["a:1", "x:1"]
    assert [near for near, *_ in steps(actors, "b:1", "a:1")] == ["b:1", "x:1"]


def test_the_path_that_is_explained_is_the_one_that_an_unlink_cuts_first() -> None:
    actors = Actors().told("t1 web a:1 x:1 y:1").told("t2 web b:1 x:1 y:1").told("t3 web a:1 x:1").told("t4 web a:1 y:1")
    actors.told("t5 unlink a:1 b:1")
    assert set(actors.refused("b:1")) == {"x:1", "y:1"}


def test_strangers_are_not_explained() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2")
    assert explain(actors.cluster("user_id:1"), sighting("user_id:1").key, sighting("phone:2").key) is None


def test_history_tells_each_owner_and_when() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2")
    young, old = actors.uid("phone:2"), actors.uid("user_id:1")
    actors.told("t3 web phone:2 user_id:1").told("t4 unlink user_id:1 phone:2")
    node = actors.node("phone:2")
    assert node is not None
    told = [(one.assignment.uid, one.assignment.since, one.until, one.assignment.cause.kind) for one in tenures(node)]
    now = actors.uid("phone:2")
    assert told == [(young, 2000, 3000, "born"), (old, 3000, 4000, "merged"), (now, 4000, None, "split")]
    assert [owner_at(node, at) for at in (1999, 2000, 3500, 9999)] == [None, young, old, now]


def test_refused_links_are_listed_on_both_ends() -> None:
    actors = Actors().told("t1 unlink user_id:1 phone:2").told("t2 web user_id:1 phone:2")
    for mine, other in (("user_id:1", "phone:2"), ("phone:2", "user_id:1")):
        [(key, refusal)] = refusals_of(actors.cluster(mine), sighting(mine).key)
        assert (key, refusal.reason, refusal.evidence.event_id) == (sighting(other).key, "kept_apart", "e2")


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1), st.data())
def test_a_path_is_a_shortest_one_and_its_bridges_are_the_graphs(edges: set[tuple[int, int]], data: st.DataObject) -> None:
    graph = networkx.Graph([(a, b) for a, b in edges if a != b])
    graph.add_nodes_from(range(8))
    seen = {node: sighting(f"n:{node}") for node in graph}
    cluster = Cluster(
        "live",
        Content(
            members={one.key: Member(0, one.namespace, one.value, 0) for one in seen.values()},
            links={pair(seen[a].key, seen[b].key): Proof((Evidence(1, EventId("e"), "web", 1),)) for a, b in graph.edges},
        ),
    )
    start, end = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 7))
    path = explain(cluster, seen[start].key, seen[end].key)
    if not networkx.has_path(graph, start, end):
        assert path is None
        return
    assert path is not None
    names = [start, *(int(step.far.value) for step in path)]
    lower, upper = min(start, end), max(start, end)
    best = min(networkx.all_shortest_paths(graph, lower, upper))
    assert names == (best if start == lower else best[::-1])
    bridges = {frozenset(edge) for edge in networkx.bridges(graph)}
    assert [step.bridge for step in path] == [frozenset((int(s.near.value), int(s.far.value))) in bridges for s in path]
