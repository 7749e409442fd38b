"""The rules held against a ledger: what is not as it must be."""

from collections.abc import Callable, Mapping

from app.check import components, limits
from app.check.ledger import Ledger
from app.check.report import Suspect
from app.check.rules import DERIVED, RACE_MS, RULES
from models.identity.policy import Policy

SUSPECTS_MAX = 2_000
"""Of one rule; more say nothing more."""


def suspects(ledger: Ledger, since: Mapping[str, int], guards: Policy, report: Callable[[int, int], None]) -> list[Suspect]:
    """Everything that breaks a rule. `since`: see `Told.since`; `report` gets rules that are done, and how many there are."""
    values = {**since, "race": RACE_MS}
    ledger.index()
    for table in DERIVED:
        ledger.derive(table.name, table.query, table.indexed, values)
    found: list[Suspect] = []
    for number, rule in enumerate(RULES):
        found += [Suspect(rule.name, *answer) for answer in ledger.ask(f"{rule.query} LIMIT {SUSPECTS_MAX}", values)]
        report(number + 1, len(RULES))
    found += [Suspect(components.NAME, *answer) for answer in components.unconnected(ledger)]
    return found + [Suspect(limits.NAME, *answer) for answer in limits.above(ledger, guards)]
