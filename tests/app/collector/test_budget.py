"""How much the collector holds, and what happens beyond it."""

import asyncio

import pytest

from app.collector import budget as budgets
from app.collector.budget import Budget
from app.web import Refusal


async def test_beyond_the_limit_a_request_waits_until_another_is_answered() -> None:
    budget = Budget(limit=10)
    with budget.hold() as second:
        with budget.hold() as first:
            await first.grow(8)
            waiting = asyncio.create_task(second.grow(5))
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        assert budget.held == 5
    assert budget.held == 0


async def test_a_request_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "PATIENCE_SECONDS", 0.01)
    budget = Budget(limit=10)
    with budget.hold() as first, budget.hold() as second:
        await first.grow(8)
        with pytest.raises(Refusal) as refused:
            await second.grow(5)
    assert (refused.value.code, budget.held) == ("not_ready", 0)
