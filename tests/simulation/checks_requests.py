"""What must be true at rest about operators' requests: the newest about a pair decides, and each has its answer."""

from collections.abc import Iterator

from models.identity.outcome import RequestResult
from models.identity.values import Decision, Pair, pair
from tests.simulation.world import World


def wrong(world: World) -> list[str]:
    """Everything that is wrong."""
    return [*decisions(world), *entries(world), *answers(world), *lifts(world)]


def results(world: World) -> dict[str, RequestResult]:
    """How each request ended: the first final result counts."""
    found: dict[str, RequestResult] = {}
    for record in world.outputs:
        if isinstance(record, RequestResult) and record.state != "accepted":
            found.setdefault(record.request_id, record)
    return found


def newest(world: World) -> dict[Pair, Decision]:
    """The request that decides each pair, of those that were taken."""
    full = {name for name, result in results(world).items() if result.detail.startswith("too many unlinks")}
    found: dict[Pair, Decision] = {}
    asked = [(pair(r.key, r.other), Decision(r.version, True)) for r in world.history.unlinks]
    asked += [(pair(r.key, r.far.key), Decision(r.version, False)) for r in world.history.links]
    for both, decision in asked:
        taken = decision.version.request_id not in full
        if taken and (both not in found or found[both].version < decision.version):
            found[both] = decision
    return found


def decisions(world: World) -> Iterator[str]:
    """The newest decision is in the node of the pair's home and with its holder; no parted pair is together."""
    for (home, other), decision in newest(world).items():
        node, far = world.nodes.get(home), world.nodes.get(other)
        if node is None or node.apart.get(other) != decision:
            yield "request-lost"
            continue
        if decision.on and far is not None and node.uid is not None and node.uid == far.uid:
            yield "kept-apart-together"
        if node.uid in world.live and world.live[node.uid].content.apart.get((home, other)) != decision:
            yield "decision-not-with-holder"


def entries(world: World) -> Iterator[str]:
    """No cluster has an entry that is none of its business."""
    asked = newest(world)
    for row in world.live.values():
        for both, decision in row.content.apart.items():
            if both[0] not in row.content.members:
                yield "decision-stray"
            if both not in asked:
                yield "decision-of-nobody"
            if decision.on and both[1] in row.content.members:
                yield "parted-pair-held"


def answers(world: World) -> Iterator[str]:
    """Every request ends, and what is said of it is true when nothing newer changed it."""
    history, found, asked = world.history, results(world), newest(world)
    every = {unlink.version.request_id for unlink in history.unlinks} | {link.version.request_id for link in history.links}
    every |= {erasure.request_id for erasure in history.erasures}
    if every - found.keys():
        yield "request-without-end"
    if history.erasures:
        return
    for link in history.links:
        result, decision = found.get(link.version.request_id), asked.get(pair(link.key, link.far.key))
        newest_one = decision is not None and decision.version == link.version
        if result is not None and newest_one and result.state == "superseded":
            yield "superseded-by-nothing"
    for unlink in history.unlinks:
        result = found.get(unlink.version.request_id)
        if result is not None and result.state == "refused" and not result.detail.startswith("too many"):
            yield "unlink-refused"


def lifts(world: World) -> Iterator[str]:
    """A pair that was linked last is linked, or refused since then."""
    if world.history.erasures:
        return
    contents = [row.content for row in world.live.values()]
    for both, decision in newest(world).items():
        if decision.on or any(both in content.links for content in contents):
            continue
        refused = [content.refused[both].version for content in contents if both in content.refused]
        if not refused or max(refused) < decision.version:
            yield "lift-not-tried"
