"""Parting two identifiers: what is cut, who goes, who keeps the uid."""

from itertools import pairwise

import networkx
from hypothesis import given
from hypothesis import strategies as st

from models.identity import parting
from models.identity.values import SAMPLES_MAX, Content, Evidence, Member, Pair, Proof, Version, pair
from models.ids import EventId, IdentifierKey, mint
from tests.simulation.history import sighting

NOW = Version(1000, "r")
SEEN = [sighting(f"n:{i}") for i in range(7)]
KEYS = [one.key for one in SEEN]


def person(links: dict[Pair, int]) -> Content:
    """A person of all that is linked, with so many events a link."""
    held = {key for link in links for key in link}
    members = {one.key: Member(3, one.namespace, one.value, 0) for one in SEEN if one.key in held}
    return Content(members=members, links={link: proof(count) for link, count in links.items()})


def proof(events: int) -> Proof:
    """So many events, one a millisecond."""
    shown = Proof(())
    for i in range(events):
        shown = shown.plus(Evidence(i, EventId(f"e{i}"), "web", i))
    return shown


def test_the_link_with_the_fewest_events_is_cut() -> None:
    content = person({pair(KEYS[0], KEYS[1]): 3, pair(KEYS[1], KEYS[2]): 1})
    _, refused = parting.cut(content, pair(KEYS[0], KEYS[2]), NOW)
    assert list(refused) == [pair(KEYS[1], KEYS[2])]


def test_of_equally_many_events_the_youngest_link_is_cut() -> None:
    young = {pair(KEYS[1], KEYS[2]): Proof((Evidence(9, EventId("late"), "web", 9),))}
    content = person({pair(KEYS[0], KEYS[1]): 1, pair(KEYS[1], KEYS[2]): 1})
    _, refused = parting.cut(Content(content.members, content.links | young), pair(KEYS[0], KEYS[2]), NOW)
    assert list(refused) == list(young)


def test_of_equally_old_links_the_one_of_smaller_names_is_cut() -> None:
    content = person({pair(KEYS[0], KEYS[1]): 1, pair(KEYS[1], KEYS[2]): 1})
    _, refused = parting.cut(content, pair(KEYS[0], KEYS[2]), NOW)
    assert list(refused) == [pair(KEYS[0], KEYS[1])]


def test_the_fragment_that_the_uid_was_born_from_stays() -> None:
    content, apart = person({pair(KEYS[0], KEYS[1]): 1, pair(KEYS[1], KEYS[2]): 2}), pair(KEYS[0], KEYS[1])
    cut, _ = parting.cut(content, apart, NOW)
    for born, stay in ((KEYS[0], {KEYS[0]}), (KEYS[2], {KEYS[1], KEYS[2]})):
        parted = parting.part(mint(1, "seed", born), cut, apart, NOW)
        assert set(parted.stays.members) == stay
        assert set(parted.stays.departed) == set(parted.leaves.members) == set(content.members) - stay


def test_without_it_the_larger_fragment_stays() -> None:
    content, apart = person({pair(KEYS[0], KEYS[1]): 1, pair(KEYS[1], KEYS[2]): 2}), pair(KEYS[0], KEYS[1])
    cut, _ = parting.cut(content, apart, NOW)
    assert set(parting.part(mint(1, "seed", KEYS[6]), cut, apart, NOW).stays.members) == {KEYS[1], KEYS[2]}


def weakest_first(graph: networkx.Graph, a: int, b: int) -> list[frozenset[int]]:
    """The cuts by the rule, in the plainest way."""
    cuts = []
    while networkx.has_path(graph, a, b):
        path = min(networkx.all_shortest_paths(graph, min(a, b), max(a, b)))
        links = list(pairwise(path))
        weakest = min(links, key=lambda link: (graph.edges[link]["events"], sorted(link)))
        cuts.append(frozenset(weakest))
        graph.remove_edge(*weakest)
    return cuts


@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(1, 3), min_size=2), st.data())
def test_cuts_are_those_of_the_rule_and_leave_two_fragments(drawn: dict[tuple[int, int], int], data: st.DataObject) -> None:
    graph = networkx.Graph()
    graph.add_edges_from((min(link), max(link), {"events": count}) for link, count in drawn.items() if link[0] != link[1])
    if not graph:
        return
    graph = networkx.Graph(graph.subgraph(max(networkx.connected_components(graph), key=lambda one: (len(one), min(one)))))
    a, b = data.draw(st.permutations(sorted(graph)))[:2]
    content = person({pair(KEYS[u], KEYS[v]): events for u, v, events in graph.edges(data="events")})
    apart = pair(KEYS[a], KEYS[b])
    cut, refused = parting.cut(content, apart, NOW)
    assert [frozenset(map(KEYS.index, link)) for link in refused] == weakest_first(graph, a, b)
    parted = parting.part(mint(1, "seed", KEYS[data.draw(st.sampled_from(sorted(graph)))]), cut, apart, NOW)
    sides: set[frozenset[IdentifierKey]] = {frozenset(parted.stays.members), frozenset(parted.leaves.members)}
    assert sides == {frozenset(KEYS[i] for i in side) for side in networkx.connected_components(graph)}


@given(st.lists(st.integers(0, 30), min_size=1, unique=True))
def test_a_proof_keeps_its_earliest_events_and_counts_all(times: list[int]) -> None:
    shown = Proof(())
    for at in times:
        assert not shown.shows(EventId(f"e{at}"))
        shown = shown.plus(Evidence(at, EventId(f"e{at}"), "web", 0))
    assert [one.occurred_at for one in shown.samples] == sorted(times)[:SAMPLES_MAX]
    assert shown.events == len(times)
    assert all(shown.shows(EventId(f"e{at}")) for at in times)
