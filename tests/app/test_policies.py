"""From the configuration to what records are read by."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import Config, load, namespaces_of, policies_of, pulled_policies_of
from app.config.policies import phone
from app.settings import PACKAGED_CONFIG
from models import normalise
from models.event import Event
from models.ids import Identifier
from models.parse import Position, parse


@pytest.fixture(scope="module", name="packaged")
def packaged_config() -> Config:
    return load(PACKAGED_CONFIG)


def test_the_packaged_channels_read_an_event(packaged: Config) -> None:
    raw = b'{"event":"addCart","occurred_at":"2026-11-22 16:00:00","identifiers":{"openid":"oX","phone":"138 0013 8000"}}'
    found = parse(raw, policies_of(packaged)["behaviour.mini_program"], Position("t", 0, 0), 1_795_400_000_000)
    assert isinstance(found, Event)
    assert (found.event, found.channel, found.stage, found.occurred_at) == (
        "add_to_cart",
        "mini_program",
        "intent",
        1_795_334_400_000,
    )
    assert found.identifiers == (Identifier("wechat_openid", "oX"), Identifier("phone", "+8613800138000"))


def test_there_is_a_policy_for_every_channel(packaged: Config) -> None:
    policies = policies_of(packaged)
    assert {policy.channel for policy in policies.values()} == set(packaged.channels)
    assert set(policies) == {channel.topic for channel in packaged.channels.values()}


def test_namespaces_rank_by_priority_then_by_their_place_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    names = [("c", 5), ("a", 5), ("b", 9)]
    text = "".join(f"[identity.namespaces.{name}]\npriority = {priority}\n" for name, priority in names)
    path.write_text(text + "[channels.web]\n", encoding="utf-8")
    rules = namespaces_of(load(path)).rules
    assert sorted(rules, key=lambda name: rules[name].rank) == ["b", "c", "a"]


def test_the_block_list_of_the_file_holds(packaged: Config) -> None:
    assert namespaces_of(packaged).identifier("user_id", "Undefined") == "blocked_identifier"


def test_events_of_a_system_that_is_asked_have_its_name_as_channel(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    systems = '[systems.orders]\nurl = "http://h/x"\nnamespace = "u"\n'
    path.write_text(f"[identity.namespaces.u]\npriority = 1\n[channels.web]\n{systems}", encoding="utf-8")
    policies = pulled_policies_of(load(path))
    assert {name: policy.channel for name, policy in policies.items()} == {"orders": "orders"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+44 020 7946 0958", "+442079460958"),  # the zero is for callers at home
        ("+39 06 698 1234", "+39066981234"),  # and in Italy it is a part of the number
        ("+1 415 555 2671", "+14155552671"),
        ("138 0013 8000", "+8613800138000"),
        ("+1 415 555", None),
        ("+999 123 4567", None),
        ("+31 0000000", None),  # zeros that are shed one by one
    ],
)
def test_numbers_abroad_are_read_as_their_country_does(written: str, meant: str | None) -> None:
    assert phone(written) == meant


@given(st.from_regex(r"(\+|00)[0-9]{6,16}", fullmatch=True))
def test_a_spelling_of_a_phone_is_its_own(written: str) -> None:
    once = phone(written)
    assert once is None or phone(once) == once


@given(st.from_regex(r"(\+86|0086|)1[3-9][0-9]{9}", fullmatch=True))
def test_mobiles_of_china_need_no_library(written: str) -> None:
    assert phone(written) == normalise.phone(written) is not None
