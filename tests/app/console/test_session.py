"""A sign-in lasts its hours, on every worker, and ends with its token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.session import HOURS, Sessions
from app.tokens import digest_of

SECRET, NOW = b"the key of identifiers", 1_790_000_000_000
TOKEN, OTHER = digest_of("reader"), digest_of("another reader")
sessions = Sessions(SECRET)
COOKIE = sessions.issued(TOKEN, NOW)


def test_a_cookie_says_by_which_token_on_any_worker() -> None:
    session = Sessions(SECRET).read(COOKIE, [OTHER, TOKEN], NOW)
    assert session is not None
    assert session.digest == TOKEN
    assert len(session.csrf) >= 20


def test_a_cookie_does_not_hold_the_token_or_its_hash() -> None:
    assert TOKEN.hex() not in COOKIE
    assert "reader" not in COOKIE


def test_a_sign_in_ends_after_its_hours() -> None:
    end = NOW + HOURS * 3_600_000
    assert sessions.read(COOKIE, [TOKEN], end - 1) is not None
    assert sessions.read(COOKIE, [TOKEN], end) is None


def test_a_sign_in_ends_with_its_token() -> None:
    assert sessions.read(COOKIE, [OTHER], NOW) is None
    assert sessions.read(COOKIE, [], NOW) is None


def test_another_key_does_not_know_the_cookie() -> None:
    assert Sessions(b"another key of identifiers").read(COOKIE, [TOKEN], NOW) is None


def test_each_cookie_has_a_proof_of_its_own() -> None:
    one, other = (sessions.read(sessions.issued(TOKEN, at), [TOKEN], NOW) for at in (NOW, NOW - 1))
    assert one is not None
    assert other is not None
    assert one.csrf != other.csrf


@pytest.mark.parametrize("place", range(len(COOKIE) - 1))
def test_no_character_of_a_cookie_may_change(place: int) -> None:
    changed = COOKIE[:place] + ("A" if COOKIE[place] != "A" else "B") + COOKIE[place + 1 :]
    assert sessions.read(changed, [TOKEN], NOW) is None


@given(st.text() | st.binary().map(lambda raw: raw.hex()))
def test_anything_else_is_nobody(text: str) -> None:
    assert sessions.read(text, [TOKEN], NOW) is None
