"""Bodies of rows: a version byte in front; older state is brought up, newer state is refused."""

import msgspec
import pytest

from tables import format as formats
from tables.format import VERSION, Format, NewerState


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A row that got a field since it was first written."""

    name: str
    count: int = 7


def test_a_row_comes_back_as_it_was() -> None:
    form: Format[Row] = Format(Row)
    body = form.encode(Row("加购 🛒", 3))
    assert body[0] == VERSION
    assert form.decode(body) == Row("加购 🛒", 3)


def test_a_field_that_was_not_there_yet_has_its_default() -> None:
    form: Format[Row] = Format(Row)
    assert form.decode(bytes([VERSION]) + msgspec.msgpack.encode(["ann"])) == Row("ann", 7)


def test_newer_state_is_refused_in_words() -> None:
    form: Format[Row] = Format(Row)
    with pytest.raises(NewerState, match=f"format {VERSION + 1} by a newer onetrail; this one knows {VERSION} at most"):
        form.decode(bytes([VERSION + 1]) + msgspec.msgpack.encode(["ann"]))


def test_older_state_goes_up_one_version_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "VERSION", VERSION + 2)
    form: Format[Row] = Format(Row)
    monkeypatch.setitem(formats.UPCAST, VERSION, lambda body: msgspec.msgpack.encode([msgspec.msgpack.decode(body) + "-b"]))
    monkeypatch.setitem(
        formats.UPCAST, VERSION + 1, lambda body: msgspec.msgpack.encode([msgspec.msgpack.decode(body)[0] + "-c", 9])
    )
    assert form.decode(bytes([VERSION]) + msgspec.msgpack.encode("a")) == Row("a-b-c", 9)
    assert form.decode(form.encode(Row("now"))) == Row("now")


def test_every_step_up_is_there() -> None:
    assert sorted(formats.UPCAST) == list(range(1, VERSION))


def test_what_is_no_row_is_an_error() -> None:
    form: Format[Row] = Format(Row)
    with pytest.raises(msgspec.DecodeError):
        form.decode(bytes([VERSION]) + msgspec.msgpack.encode([1]))
