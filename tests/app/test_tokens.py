"""Tokens: whose they are, how long, and what a file that changes while it is read does."""

import logging
import os
from pathlib import Path

import pytest

from app import tokens
from app.settings import Settings, SettingsError
from app.tokens import Caller, Tokens, TokensError, digest_of, peer_token, tokens_in

GIVEN = {"ONETRAIL_READ_TOKEN": "read", "ONETRAIL_ADMIN_TOKEN": "admin", "ONETRAIL_PII_KEY": "sixteen letters!"}


def entry(name: str, token: str, scopes: str = '["read_masked"]', more: str = "") -> str:
    return f'[[tokens]]\nname = "{name}"\nscopes = {scopes}\nsha256 = "{digest_of(token).hex()}"\n{more}\n'


class File:
    """A file of tokens, and the tokens of a process that reads it as often as it is asked."""

    def __init__(self, path: Path) -> None:
        self.path, self._time = path, 1_000
        self.write("")
        self.tokens = Tokens(Settings.from_environment({**GIVEN, "ONETRAIL_DATA": str(path), "ONETRAIL_TOKENS": str(path)}))

    def write(self, text: str) -> None:
        """The file's time is our own, since two writes may fall into one tick of its clock."""
        self.path.write_text(text)
        self._time += 1
        os.utime(self.path, (self._time, self._time))

    def caller(self, token: str) -> Caller | None:
        return self.tokens.caller(token.encode())


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> File:
    monkeypatch.setattr(tokens, "LOOK_SECONDS", 0.0)
    return File(tmp_path / "tokens.toml")


def test_the_tokens_of_the_environment_read_and_change(file: File) -> None:
    reader, administrator = file.caller("read"), file.caller("admin")
    assert reader is not None
    assert administrator is not None
    assert (reader.masked, reader.may_change) == (False, False)
    assert (administrator.masked, administrator.may_change) == (False, True)


def test_a_token_that_nobody_has_is_nobodys(file: File) -> None:
    for given in ("", "reader", "read ", digest_of("read").hex()):
        assert file.caller(given) is None


def test_workers_know_each_other_by_the_key_they_share(file: File) -> None:
    settings = Settings.from_environment({**GIVEN, "ONETRAIL_DATA": str(file.path)})
    worker = file.caller(peer_token(settings))
    assert worker is not None
    assert worker.scopes == {"peer"}


def test_a_named_token_works_as_soon_as_the_file_has_it_and_no_longer(file: File) -> None:
    file.write(entry("crm", "t1"))
    assert file.caller("t1") == Caller("crm", frozenset({"read_masked"}))
    file.write(entry("crm", "t2"))
    assert (file.caller("t1"), file.caller("t2")) == (None, Caller("crm", frozenset({"read_masked"})))


def test_while_a_token_is_replaced_both_work_under_one_name(file: File) -> None:
    file.write(entry("crm", "old") + entry("crm", "new"))
    assert [file.caller(token) for token in ("old", "new")] == [Caller("crm", frozenset({"read_masked"}))] * 2


@pytest.mark.parametrize(
    ("scopes", "masked", "may_change"),
    [
        ('["read"]', False, False),
        ('["read_masked"]', True, False),
        ('["admin"]', True, True),
        ('["read", "admin"]', False, True),
    ],
)
def test_scopes_say_what_a_caller_sees_and_may(file: File, scopes: str, masked: bool, may_change: bool) -> None:
    file.write(entry("desk", "t", scopes))
    found = file.caller("t")
    assert found is not None
    assert (found.masked, found.may_change) == (masked, may_change)


def test_an_expired_token_is_nobodys(file: File) -> None:
    file.write(
        entry("a", "past", more="expires = 2020-01-01T00:00:00Z") + entry("b", "future", more="expires = 2999-01-01T00:00:00Z")
    )
    assert file.caller("past") is None
    assert file.caller("future") is not None


@pytest.mark.parametrize("broken", ["[[tokens]", entry("crm", "t2", '["everything"]'), None])
def test_a_broken_file_keeps_what_was_and_says_so_once(file: File, caplog: pytest.LogCaptureFixture, broken: str | None) -> None:
    file.write(entry("crm", "t1"))
    file.caller("t1")
    caplog.clear()
    if broken is None:
        file.path.unlink()
    else:
        file.write(broken)
    with caplog.at_level(logging.ERROR):
        assert [file.caller("t1") is not None for _ in range(3)] == [True] * 3
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["tokens stay as they were"]


def test_a_file_that_cannot_be_used_at_the_start_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[[tokens]")
    for name in ("broken.toml", "missing.toml"):
        env = {**GIVEN, "ONETRAIL_DATA": str(tmp_path), "ONETRAIL_TOKENS": str(tmp_path / name)}
        with pytest.raises(SettingsError, match=r"^ONETRAIL_TOKENS: .*") as error:
            Tokens(Settings.from_environment(env))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "nothing else"),
        ("tokens = 1", "nothing else"),
        ('[[tokens]]\nname = "a"\ntoken = "clear"', "nothing else"),
        (entry("a b", "t"), "name has"),
        ('[[tokens]]\nname = "a"\nscopes = ["read"]\nsha256 = "abc"', "64 hexadecimal"),
        (entry("a", "t", "[]"), "scopes is a list"),
        (entry("a", "t", '["read", "read"]'), "scopes is a list"),
        (entry("a", "t", '["peer"]'), "scopes is a list"),
        (entry("a", "t", more="rate = 0"), "rate is"),
        (entry("a", "t", more="rate = true"), "rate is"),
        (entry("a", "t", more="expires = 2027-01-01T00:00:00"), "expires is"),
        (entry("a", "t", more='expires = "soon"'), "expires is"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(text: str, said: str) -> None:
    with pytest.raises(TokensError, match=said):
        tokens_in(text)
