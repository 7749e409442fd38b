"""What must be true at rest. Each check yields the names of what is wrong; an empty list is a good run."""

from collections.abc import Iterator

import networkx

from models.identity.outcome import Mapped, Merged, RequestResult
from models.identity.rows import Cluster
from models.identity.values import Version, pair
from models.ids import IdentifierKey, UnifiedUserId
from tests.oracle import components
from tests.simulation import checks_requests
from tests.simulation.world import World

Custody = dict[IdentifierKey, tuple[UnifiedUserId, int]]


def wrong(world: World) -> list[str]:
    """Everything that is wrong, without repetition."""
    found = [*disks(world), *custody(world), *merges(world), *mapping(world), *lives(world)]
    found += checks_requests.wrong(world)
    if world.history.erasures:
        found += [*erased(world)]
    else:
        found += [*links(world), *persons(world), *events(world)]
    return list(dict.fromkeys(found))


def holders(world: World) -> Custody:
    """Who holds each identifier, and with what version."""
    return {key: (uid, one.version) for uid, row in world.live.items() for key, one in row.content.members.items()}


def disks(world: World) -> Iterator[str]:
    """Whoever takes over a partition, with an empty or an old disk, holds what the owner held."""
    monotone = world.setting.rules.monotone
    for partition in world.runtime.partitions:
        held = {key: row for key, (_, row) in partition.disk.rows.items() if key != "z|"}
        if partition.restored(None, monotone) != held:
            yield "changelog-gap"
        if partition.restored(1 - partition.owner, monotone) != held:
            yield "stale-disk"


def custody(world: World) -> Iterator[str]:
    """Each identifier is held once, by a live cluster, and its node knows by whom."""
    states = {row.state for row in world.clusters.values()}
    yield from (f"{state}-forever" for state in ("unborn", "frozen") if state in states)
    held = holders(world)
    if sum(len(row.content.members) for row in world.live.values()) != len(held):
        yield "held-twice"
    if any(row.pending or row.awaiting for row in world.clusters.values()):
        yield "waits-for-ever"
    for key, node in world.nodes.items():
        if node.uid is None and key in held:
            yield "held-without-person"
        elif node.uid is not None and key not in held:
            yield "orphan"
        elif node.uid is not None and held[key][0] != node.uid:
            yield "stale-pointer"
        elif node.uid is not None and held[key][1] != node.version:
            yield "stale-version"
    if held.keys() - world.nodes.keys():
        yield "member-without-node"


def root(world: World, uid: UnifiedUserId) -> UnifiedUserId | None:
    """Who survives of a uid; None when the way is broken."""
    row: Cluster | None = world.clusters.get(uid)
    while row is not None and row.into is not None:
        uid, row = row.into, world.clusters.get(row.into)
    return uid if row is not None else None


def merges(world: World) -> Iterator[str]:
    """Each uid loses at most once, and the records of merges fold to what the rows say."""
    winners: dict[UnifiedUserId, UnifiedUserId] = {}
    for record in world.outputs:
        if isinstance(record, Merged):
            if winners.setdefault(record.absorbed, record.survivor) != record.survivor:
                yield "two-winners"
            if not record.survivor < record.absorbed:
                yield "merged-into-younger"
    for uid, row in world.clusters.items():
        if row.state == "live" and uid in winners:
            yield "merge-recorded-of-living"
        if row.state != "merged":
            continue
        told = uid
        while told in winners:
            told = winners[told]
        if uid not in winners:
            yield "merge-unrecorded"
        elif told != root(world, uid):
            yield "merge-records-differ"


def mapping(world: World) -> Iterator[str]:
    """The newest record of each identifier says what its node says."""
    newest: dict[IdentifierKey, Mapped] = {}
    for record in world.outputs:
        if isinstance(record, Mapped):
            known = newest.get(record.key)
            if known is None or (record.version, record.uid is None) > (known.version, known.uid is None):
                newest[record.key] = record
    for key, node in world.nodes.items():
        if (newest[key].uid if key in newest else None) != node.uid:
            yield "map-differs"


def lives(world: World) -> Iterator[str]:
    """What a node remembers of its own: history in order up to now; shared when its member is."""
    held = world.live
    for key, node in world.nodes.items():
        if node.uid is None:
            if node.history:
                yield "history-of-erased"
            continue
        if not node.history or node.history[-1].uid != node.uid:
            yield "history-ends-elsewhere"
        if [one.since for one in node.history] != sorted(one.since for one in node.history):
            yield "history-out-of-order"
        member = held[node.uid].content.members.get(key) if node.uid in held else None
        if member is not None and member.shared != node.shared:
            yield "shared-differs"


def links(world: World) -> Iterator[str]:
    """Every pair seen together is linked or refused, with its reason, on both sides; nothing else is linked."""
    history = world.history
    linked = {both for row in world.live.values() for both in row.content.links}
    refused = {both for row in world.live.values() for both in row.content.refused}
    asked = {pair(request.key, request.far.key) for request in history.links}
    free = not (history.unlinks or history.policy.limits or history.policy.cluster_limit < 100)
    if not history.pairs() <= linked | refused:
        yield "pair-unaccounted"
    if linked - history.pairs() - asked:
        yield "link-of-nobody"
    if free and (refused and history.policy.cluster_unlinks_max >= 1000):
        yield "refused-without-cause"
    for row in world.live.values():
        if row.content.links.keys() & row.content.refused.keys():
            yield "linked-and-refused"
        if any(not (both[0] in row.content.members and both[1] in row.content.members) for both in row.content.links):
            yield "link-across"
        if too_much(world, row):
            yield "limit-exceeded"
    yield from refusals(world)


def refusals(world: World) -> Iterator[str]:
    """A refused link is visible on both identifiers, the same on both."""
    held = holders(world)
    for uid, row in world.live.items():
        for both, refusal in row.content.refused.items():
            if refusal.reason == "kept_apart" and refusal.kept_apart not in {pair(r.key, r.other) for r in world.history.unlinks}:
                yield "reason-false"
            if not any(key in row.content.members for key in both):
                yield "refusal-stray"
            ends = [world.live[held.get(key, (uid, 0))[0]] for key in both]
            if any(end.content.refused.get(both) != refusal for end in ends):
                yield "refusal-one-sided"


def too_much(world: World, row: Cluster) -> bool:
    """Whether a person breaks a guard."""
    guards, members = world.history.policy, row.content.members.values()
    counts = {namespace: sum(one.namespace == namespace for one in members) for namespace in guards.limits}
    return len(members) > guards.cluster_limit or any(counts[name] > limit for name, limit in guards.limits.items())


def persons(world: World) -> Iterator[str]:
    """Persons are the components of the accepted links; without guards and unlinks, of all that was seen together."""
    history = world.history
    born = {seen.key for event in history.events for seen in event.identifiers}
    born |= {key for request in history.links for key in (request.key, request.far.key) if _lives(world, key)}
    accepted = [both for row in world.live.values() for both in row.content.links]
    wanted = components(born, accepted)
    graph = networkx.Graph(accepted)
    graph.add_nodes_from(born)
    if {frozenset(one) for one in networkx.connected_components(graph)} != wanted:
        yield "oracles-differ"
    if {frozenset(row.content.members) for row in world.live.values()} != wanted:
        yield "components"
    looked_up: dict[UnifiedUserId, set[IdentifierKey]] = {}
    for key, node in world.nodes.items():
        if node.uid is not None:
            looked_up.setdefault(node.uid, set()).add(key)
    if {frozenset(keys) for keys in looked_up.values()} != wanted:
        yield "lookup-components"
    guards = history.policy
    if not (history.unlinks or guards.limits or guards.cluster_limit < 100 or guards.cluster_unlinks_max < 1000):
        granted = [(one.key, one.far.key) for one in history.links if _done(world, one.version)]
        if wanted != components(born, [*history.pairs(), *granted]):
            yield "components-of-all"


def _lives(world: World, key: IdentifierKey) -> bool:
    return key in world.nodes and world.nodes[key].uid is not None


def _done(world: World, version: Version) -> bool:
    return any(isinstance(r, RequestResult) and r.request_id == version.request_id and r.state == "done" for r in world.outputs)


def events(world: World) -> Iterator[str]:
    """Every event is in one journey, that of whoever holds its anchor."""
    held, placed = holders(world), [name for row in world.journeys.values() for name in row.events]
    if len(placed) != len(set(placed)):
        yield "event-twice"
    if {event.event_id for event in world.history.events} - set(placed):
        yield "event-lost"
    for uid, row in world.journeys.items():
        if row.count != len(row.events):
            yield "event-counted-twice"
        if any(event.key not in held or held[event.key][0] != uid for event in row.events.values()):
            yield "event-in-wrong-journey"


def erased(world: World) -> Iterator[str]:
    """Nothing is left of who was erased, and nothing from before brings anybody back."""
    held = holders(world)
    for uid, journey in world.journeys.items():
        if journey.state == "live" and any(held.get(one.key, ("", 0))[0] != uid for one in journey.events.values()):
            yield "residue-in-journey"
        if any(one.occurred_at <= world.nodes[one.key].erased_at for one in journey.events.values()):
            yield "erased-event"
    for key, node in world.nodes.items():
        if node.erased_at >= 0 and node.uid is not None and not _shown_since(world, key, node.erased_at):
            yield "resurrected"
    for request in world.history.erasures:
        asked = world.nodes.get(request.key)
        if asked is None or (asked.uid is not None and asked.erased_at < request.at):
            yield "not-erased"
    for row in world.clusters.values():
        yield from _left_of(world, row)


def _left_of(world: World, row: Cluster) -> Iterator[str]:
    if row.state == "erased" and row.content.members:
        yield "residue"
    if row.state == "live" and len(components(row.content.members, row.content.links)) != 1:
        yield "disconnected"
    for both, proof in row.content.links.items():
        if any(one.occurred_at <= world.nodes[key].erased_at for key in both for one in proof.samples):
            yield "erased-link"


def _shown_since(world: World, key: IdentifierKey, erased_at: int) -> bool:
    shown = any(key == seen.key and e.occurred_at > erased_at for e in world.history.events for seen in e.identifiers)
    return shown or any(key in (r.key, r.far.key) and r.version.at > erased_at for r in world.history.links)
