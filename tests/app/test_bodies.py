"""What operators may ask for in a body, and what they are told otherwise."""

from collections.abc import Callable

import pytest

from app.bodies import Named, erasure, pair
from app.web import Refusal


def test_a_pair_and_a_person() -> None:
    body = pair(b'{"a": {"namespace": "user_id", "value": 42}, "b": {"namespace": "phone", "value": "1"}, "reason": "seen"}')
    assert (body.a, body.b, body.reason) == (Named("user_id", 42), Named("phone", "1"), "seen")
    assert erasure(b'{"namespace": "phone", "value": "1"}').value == "1"


WRONG = [
    *(b"", b"{", b"[]", b"\xff", b"null", b"[" * 100_000),
    *(b'{"a": 1}', b'{"namespace": "phone"}', b'{"namespace": "phone", "value": 1.5}', b'{"namespace": "\xff", "value": 1}'),
    b'{"a": {"namespace": "phone", "value": null}, "b": {"namespace": "phone", "value": 1}}',
]


@pytest.mark.parametrize("read", [pair, erasure])
@pytest.mark.parametrize("raw", WRONG)
def test_any_other_body_is_told_in_one_sentence_what_it_should_be(read: Callable[[bytes], object], raw: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read(raw)
    assert refused.value.code == "bad_request"
    assert str(refused.value).startswith("the body is JSON like {")
    assert "`" not in str(refused.value), "as the decoder puts it"
