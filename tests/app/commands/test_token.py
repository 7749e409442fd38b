"""`onetrail token`: what it prints is what workers take."""

import pytest
from click.testing import CliRunner

from app.commands import main
from app.tokens import Caller, digest_of, tokens_in


def test_the_lines_it_prints_make_the_token_it_shows_a_good_one() -> None:
    done = CliRunner().invoke(
        main, ["token", "crm", "--scope", "read_masked", "--expires", "2027-01-01T00:00:00Z", "--rate", "50"]
    )
    assert done.exit_code == 0
    (token,) = tokens_in(done.stdout)
    shown = done.stderr.split()[-1]
    assert token.digest == digest_of(shown)
    assert (token.caller, token.expires_ms) == (Caller("crm", frozenset({"read_masked"}), 50.0), 1_798_761_600_000)
    assert shown not in done.stdout, "the file holds no token"


def test_two_tokens_are_never_the_same() -> None:
    made = [CliRunner().invoke(main, ["token", "crm", "--scope", "read"]).stdout for _ in range(2)]
    assert made[0] != made[1]


@pytest.mark.parametrize("wrong", [
    ["token", "c r m", "--scope", "read"],
    ["token", 'crm"\nscopes = ["admin"]', "--scope", "read"],
    ["token", "crm"],
    ["token", "crm", "--scope", "peer"],
    ["token", "crm", "--scope", "read", "--expires", "soon"],
    ["token", "crm", "--scope", "read", "--scope", "read"],
])  # fmt: skip
def test_a_wrong_call_makes_no_token(wrong: list[str]) -> None:
    done = CliRunner().invoke(main, wrong)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
