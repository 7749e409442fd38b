"""An upgrade of Faust that changes what the runtime overrides or relies on is noticed."""

import pytest

from app.runtime import upstream
from app.runtime.app import App
from app.runtime.durable import Producer
from app.runtime.rows import RocksDBOptions, RowStore
from app.runtime.runs import Consumer
from app.runtime.tables import RowTable


def test_the_installed_packages_are_those_the_runtime_was_written_against() -> None:
    assert upstream.changed() == []


def test_a_changed_function_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upstream.RELIED_ON, Consumer.perform_seek, "another")
    assert upstream.changed() == ["faust.transport.consumer.Consumer.perform_seek"]


@pytest.mark.parametrize("ours", [App, Consumer, Producer, RowStore, RocksDBOptions, RowTable])
def test_whatever_is_overridden_is_watched(ours: type) -> None:
    assert overridden(ours) <= set(upstream.RELIED_ON)


def overridden(ours: type) -> set[object]:
    """The upstream functions that a class of ours puts its own in the place of; `__init__` only adds to them."""
    theirs = [vars(base) for base in ours.__mro__[1:] if base.__module__.startswith("faust")]
    names = {name for name, value in vars(ours).items() if callable(value) and not name.startswith("__")}
    return {next(base[name] for base in theirs if name in base) for name in names if any(name in base for base in theirs)}
