"""The short fire: eight faults under load, then every person is right. `make fire` has all faults, for as long as asked."""

from pathlib import Path

from tests.fire.broken import RULES
from tests.fire.faults import FAULTS
from tests.fire.run import SHORT, run

SEED = 7


async def test_nothing_acknowledged_is_lost_doubled_or_misplaced_whatever_dies(tmp_path: Path) -> None:
    report = await run(tmp_path, SEED, SHORT, print)
    print(report.line)
    assert report.differences == []
    assert report.survived.total() == len(SHORT)
    assert report.answers > 0, "nobody could be asked"


def test_every_fault_that_is_named_is_there() -> None:
    named = {*SHORT, *(fault for rule in RULES.values() for fault in rule.faults)}
    assert named <= FAULTS.keys()
