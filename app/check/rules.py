"""What must hold, as data: each rule is a question to the ledger whose answers are what breaks it.

An answer is (identifier, event id, expected, found, uid): key of the identifier and id of the event where there is one, what is
expected and what was found in words, and a uid by whose size witnesses are ordered. Values that a question may name: `raw`,
`requests`, `rejected` = since when those topics hold everything (0 = always), `race` = `RACE_MS`, `cluster_limit`.
"""

from typing import NamedTuple

RACE_MS = 60_000
"""An event that came so shortly after an erasure may have been forgotten with the person: the two lie in different topics."""


class Derived(NamedTuple):
    """A table that rules ask."""

    name: str
    query: str
    indexed: str


class Rule(NamedTuple):
    """What is broken by each answer of the question."""

    name: str
    query: str


DERIVED = (
    # Of several deliveries of an event to one person the earliest stands.
    Derived(
        "standing",
        """SELECT uid, event_id, anchor, occurred, received, digest, sure FROM (
             SELECT n.uid AS uid, t.event_id, t.anchor, t.occurred, t.received, t.digest,
                    CASE WHEN n.erased_at >= 0 AND t.received <= n.erased_at + :race THEN 0 ELSE t.sure END AS sure,
                    row_number() OVER (PARTITION BY n.uid, t.event_id ORDER BY t.received, t.occurred, t.anchor) AS place
             FROM told t JOIN nodes n ON n.key = t.anchor
             WHERE n.uid IS NOT NULL AND t.occurred > n.erased_at)
           WHERE place = 1""",
        "uid, event_id",
    ),
    # Pairs of which a link or a refusal must be known; what was before an erasure of one end links nothing.
    Derived(
        "due",
        """SELECT DISTINCT p.a, p.b, na.uid AS a_uid, nb.uid AS b_uid
           FROM pairs p JOIN nodes na ON na.key = p.a JOIN nodes nb ON nb.key = p.b
           WHERE p.sure = 1 AND na.uid IS NOT NULL AND nb.uid IS NOT NULL
             AND p.occurred > max(na.erased_at, nb.erased_at)
             AND (max(na.erased_at, nb.erased_at) < 0 OR p.received > max(na.erased_at, nb.erased_at) + :race)""",
        "a, b",
    ),
    Derived("refused_pairs", "SELECT a, b FROM refusals UNION SELECT a, b FROM merge_refusals", "a, b"),
    Derived(
        "newest",
        """SELECT a, b, kind, id, sure FROM (
             SELECT *, row_number() OVER (PARTITION BY a, b ORDER BY at DESC, id DESC) AS place FROM requests
             WHERE kind IN ('link', 'unlink'))
           WHERE place = 1""",
        "a, b",
    ),
)

_UNEXCUSED = """
  NOT EXISTS (SELECT 1 FROM excused x WHERE x.event_id = t.event_id)
  AND NOT EXISTS (SELECT 1 FROM rejected r WHERE (r.topic, r.partition, r.place) = (t.topic, t.partition, t.place))"""

EVENTS = (
    Rule(
        "an event is in the journey of whoever has its anchor",
        """SELECT s.anchor, s.event_id, 'in the journey of ' || s.uid,
             coalesce((SELECT 'in the journey of ' || min(e2.uid) FROM entries e2
                       WHERE e2.event_id = s.event_id AND e2.anchor = s.anchor), 'nowhere'), s.uid
           FROM standing s
           LEFT JOIN entries e ON e.uid = s.uid AND e.event_id = s.event_id
           LEFT JOIN headers h ON h.uid = s.uid
           WHERE e.uid IS NULL AND s.sure = 1 AND (h.listed_since IS NULL OR s.occurred >= h.listed_since)
             AND EXISTS (SELECT 1 FROM told t WHERE t.event_id = s.event_id AND t.anchor = s.anchor AND"""
        + _UNEXCUSED
        + ")",
    ),
    Rule(
        "an event whose anchor is nobody's is rejected",
        """SELECT t.anchor, t.event_id, 'in a journey', 'nowhere, and nobody has its identifier', NULL
           FROM told t LEFT JOIN nodes n ON n.key = t.anchor
           WHERE n.uid IS NULL AND t.sure = 1 AND t.occurred > coalesce(n.erased_at, -1)
             AND (coalesce(n.erased_at, -1) < 0 OR t.received > n.erased_at + :race)
             AND"""
        + _UNEXCUSED,
    ),
    Rule(
        "an event that earlier rules read left a trace",
        """SELECT t.anchor, t.event_id, 'in a journey, or rejected', 'nowhere', NULL
           FROM told t
           LEFT JOIN nodes n ON n.key = t.anchor
           LEFT JOIN headers h ON h.uid = n.uid
           WHERE t.sure = 2 AND t.received > :rejected
             AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.event_id = t.event_id)
             AND t.occurred > coalesce(n.erased_at, -1)
             AND NOT EXISTS (
               SELECT 1 FROM pairs p JOIN nodes x ON x.key = p.a OR x.key = p.b
               WHERE (p.a = t.anchor OR p.b = t.anchor) AND p.received = t.received
                 AND x.erased_at >= 0 AND (x.erased_at >= t.occurred OR x.erased_at + :race >= t.received))
             AND (h.listed_since IS NULL OR t.occurred >= h.listed_since)
             AND"""
        + _UNEXCUSED,
    ),
    Rule(
        "an event that stands in a journey was told, and stands with whoever has its anchor",
        """SELECT e.anchor, e.event_id,
             CASE WHEN n.uid IS NOT NULL AND n.uid <> e.uid THEN 'only in the journey of ' || n.uid
                  WHEN n.erased_at >= e.occurred THEN 'nowhere: it occurred before its person was erased'
                  WHEN n.uid IS NULL THEN 'nowhere: nobody has its identifier'
                  ELSE 'nowhere: no topic holds it' END,
             'in the journey of ' || e.uid, e.uid
           FROM entries e
           LEFT JOIN standing s ON s.uid = e.uid AND s.event_id = e.event_id
           LEFT JOIN nodes n ON n.key = e.anchor
           WHERE s.uid IS NULL AND e.received > :raw
             AND NOT EXISTS (SELECT 1 FROM told t WHERE t.event_id = e.event_id AND t.sure = 2)
             AND NOT EXISTS (SELECT 1 FROM standing o WHERE o.event_id = e.event_id AND o.anchor = e.anchor AND o.uid = n.uid
                             AND NOT EXISTS (SELECT 1 FROM entries f WHERE f.uid = o.uid AND f.event_id = o.event_id))""",
    ),
    Rule(
        "an event stands once in a journey",
        """SELECT min(anchor), event_id, 'once in the journey of ' || uid, count(*) || ' times', uid
           FROM entries GROUP BY uid, event_id HAVING count(*) > 1""",
    ),
    Rule(
        "an event stands as it was told",
        """SELECT s.anchor, s.event_id,
             'anchored on ' || s.anchor || ', at ' || s.occurred || ' ms, content ' || printf('%016x', s.digest),
             'anchored on ' || e.anchor || ', at ' || e.occurred || ' ms, content ' || printf('%016x', e.digest), s.uid
           FROM standing s JOIN entries e ON e.uid = s.uid AND e.event_id = s.event_id
           WHERE s.sure = 1 AND e.received > :raw AND (s.occurred, s.anchor, s.digest) <> (e.occurred, e.anchor, e.digest)
             AND NOT EXISTS (SELECT 1 FROM told t WHERE t.event_id = s.event_id AND t.received = s.received
                             AND (t.occurred, t.anchor, t.digest) = (e.occurred, e.anchor, e.digest))""",
    ),
    Rule(
        "a journey counts what it lists, and what it lists no more",
        """SELECT (SELECT min(m.key) FROM members m WHERE m.uid = h.uid), NULL,
             'as many events in the journey of ' || h.uid || ' as its header counts: ' || (h.events - h.aged),
             (SELECT count(*) FROM entries e WHERE e.uid = h.uid AND e.repeats >= 0) || ' events', h.uid
           FROM headers h
           WHERE h.state = 'live'
             AND h.events - h.aged <> (SELECT count(*) FROM entries e WHERE e.uid = h.uid AND e.repeats >= 0)""",
    ),
    Rule(
        "a click counts unless it repeats another",
        """SELECT c.anchor, c.event_id, CASE WHEN before IS NULL THEN 'counted' ELSE 'only a repetition of another click' END,
             CASE WHEN before IS NULL THEN 'only a repetition' ELSE 'counted' END, c.uid
           FROM (SELECT e.*, (SELECT max(o.occurred) FROM entries o
                              WHERE o.uid = e.uid AND o.subject = e.subject AND o.repeats >= 0 AND o.occurred > e.occurred - e.gap
                                AND (o.occurred, o.event_id) < (e.occurred, e.event_id)) AS before
                 FROM entries e WHERE e.subject IS NOT NULL) c
           WHERE (c.before IS NULL) <> (c.repeats >= 0)""",
    ),
    Rule(
        "what is no event is rejected, with its reason",
        """SELECT NULL, t.topic || '/' || t.partition || '@' || t.place, 'rejected as ' || t.reason,
             coalesce((SELECT 'rejected as ' || min(r.reason) FROM rejected r
                       WHERE (r.topic, r.partition, r.place) = (t.topic, t.partition, t.place)), 'no rejected record'), NULL
           FROM turned t
           WHERE t.sure = 1 AND t.received > :rejected
             AND NOT EXISTS (SELECT 1 FROM rejected r WHERE (r.topic, r.partition, r.place, r.reason)
                             = (t.topic, t.partition, t.place, t.reason))""",
    ),
)

IDENTITIES = (
    Rule(
        "an identifier that an event showed is somebody's",
        """SELECT key, min(event_id), 'somebody has it', 'nobody has it', NULL FROM (
             SELECT t.anchor AS key, t.event_id FROM told t LEFT JOIN nodes n ON n.key = t.anchor
             WHERE n.uid IS NULL AND t.sure = 1 AND t.occurred > coalesce(n.erased_at, -1)
               AND (coalesce(n.erased_at, -1) < 0 OR t.received > n.erased_at + :race)
             UNION ALL
             SELECT CASE WHEN na.uid IS NULL THEN p.a ELSE p.b END, NULL
             FROM pairs p LEFT JOIN nodes na ON na.key = p.a LEFT JOIN nodes nb ON nb.key = p.b
             WHERE p.sure = 1 AND (na.uid IS NULL OR nb.uid IS NULL)
               AND p.occurred > max(coalesce(na.erased_at, -1), coalesce(nb.erased_at, -1))
               AND (max(coalesce(na.erased_at, -1), coalesce(nb.erased_at, -1)) < 0
                    OR p.received > max(coalesce(na.erased_at, -1), coalesce(nb.erased_at, -1)) + :race))
           GROUP BY key""",
    ),
    Rule(
        "an identifier that somebody has was shown",
        """SELECT n.key, NULL, 'nobody has it: no topic holds it', 'with ' || n.uid, n.uid
           FROM nodes n
           WHERE n.uid IS NOT NULL AND n.since > max(:raw, :requests)
             AND NOT EXISTS (SELECT 1 FROM names x WHERE x.key = n.key)""",
    ),
    Rule(
        "an identifier and its person agree",
        """SELECT n.key, NULL, 'a member of ' || n.uid,
             coalesce((SELECT 'a member of ' || min(o.uid) FROM members o WHERE o.key = n.key), 'a member of nobody'), n.uid
           FROM nodes n LEFT JOIN members m ON m.key = n.key AND m.uid = n.uid WHERE n.uid IS NOT NULL AND m.key IS NULL""",
    ),
    Rule(
        "a member knows its person",
        """SELECT m.key, NULL, 'with ' || m.uid, coalesce('with ' || n.uid, 'with nobody'), m.uid
           FROM members m LEFT JOIN nodes n ON n.key = m.key
           WHERE n.uid IS NULL OR (n.uid <> m.uid AND EXISTS (
             SELECT 1 FROM members o WHERE o.key = n.key AND o.uid = n.uid))""",
    ),
    Rule(
        "a pair that was shown together is linked or refused",
        """SELECT d.a, NULL, 'linked with ' || d.b || ', or the link refused', 'neither', d.a_uid
           FROM due d
           WHERE NOT EXISTS (SELECT 1 FROM links l WHERE (l.a, l.b) = (d.a, d.b))
             AND NOT EXISTS (SELECT 1 FROM refused_pairs r WHERE (r.a, r.b) = (d.a, d.b))""",
    ),
    Rule(
        "a link was shown by an event, or asked for",
        """SELECT l.a, NULL, 'no link with ' || l.b || ': nothing shows the two together', 'linked', l.uid
           FROM links l
           WHERE l.received > max(:raw, :requests) AND NOT EXISTS (SELECT 1 FROM pairs p WHERE (p.a, p.b) = (l.a, l.b))
             AND NOT EXISTS (SELECT 1 FROM requests q WHERE q.kind = 'link' AND (q.a, q.b) = (l.a, l.b))""",
    ),
    Rule(
        "linked identifiers are one person",
        """SELECT l.a, NULL, 'one person with ' || l.b,
             'two: ' || coalesce(na.uid, 'nobody') || ' and ' || coalesce(nb.uid, 'nobody'), l.uid
           FROM links l LEFT JOIN nodes na ON na.key = l.a LEFT JOIN nodes nb ON nb.key = l.b
           WHERE na.uid IS NOT l.uid OR nb.uid IS NOT l.uid""",
    ),
    Rule(
        "a pair that an operator parted is not one person",
        """SELECT q.a, NULL, 'kept apart from ' || q.b, 'both with ' || na.uid, na.uid
           FROM newest q JOIN nodes na ON na.key = q.a JOIN nodes nb ON nb.key = q.b
           LEFT JOIN request_rows r ON r.id = q.id
           WHERE q.kind = 'unlink' AND q.sure = 1 AND na.uid = nb.uid AND r.state IS NOT 'refused'""",
    ),
    Rule(
        "a request has an end",
        """SELECT q.a, NULL, 'the ' || q.kind || ' ' || q.id || ' done, refused or superseded', coalesce(r.state, 'unknown'), NULL
           FROM requests q LEFT JOIN request_rows r ON r.id = q.id
           WHERE q.sure = 1 AND (r.state IS NULL OR r.state = 'accepted')""",
    ),
    Rule(
        "who was erased is forgotten",
        """SELECT q.a, NULL, 'erased at ' || q.at || ' ms',
             CASE WHEN n.erased_at >= 0 THEN 'erased at ' || n.erased_at || ' ms' ELSE 'not erased' END, n.uid
           FROM requests q LEFT JOIN nodes n ON n.key = q.a LEFT JOIN request_rows r ON r.id = q.id
           WHERE q.kind = 'erasure' AND r.state = 'done' AND coalesce(n.erased_at, -1) < q.at""",
    ),
    Rule(
        "only an erasure forgets",
        """SELECT n.key, NULL, 'not erased: nobody asked for it', 'erased at ' || n.erased_at || ' ms', n.uid
           FROM nodes n
           WHERE n.erased_at > :requests
             AND NOT EXISTS (SELECT 1 FROM requests q WHERE q.kind = 'erasure' AND q.at = n.erased_at)""",
    ),
    Rule(
        "an absorbed person leads to a survivor",
        """SELECT NULL, NULL, c.uid || ' absorbed by ' || c.into_uid, 'nobody of that name', c.uid
           FROM clusters c LEFT JOIN clusters o ON o.uid = c.into_uid
           WHERE c.state = 'merged' AND (o.uid IS NULL OR o.state = 'unborn')""",
    ),
    Rule(
        "a merge comes to an end",
        """SELECT (SELECT min(m.key) FROM members m WHERE m.uid = c.uid), NULL,
             c.uid || ' at rest', 'it waits for an answer', c.uid
           FROM clusters c WHERE c.state = 'frozen'""",
    ),
)
RULES = (*EVENTS, *IDENTITIES)
