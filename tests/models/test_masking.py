"""Masking: what is left of personal values, and that none of them gets through in any spelling."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import Identifier
from models.masking import Kind, Mask, Rules, masked

RULES = Rules({"phone": "phone", "email": "email", "imei": "other", "member_id": "other"}, frozenset({"name", "real_name"}))
STRANGER = Mask(RULES)
PERSON = Mask(
    RULES,
    [
        Identifier("phone", "+8675722334455"),
        Identifier("member_id", "VIP-7788"),
        Identifier("email", "wang@x.cn"),
        Identifier("user_id", "42"),
    ],
)


@pytest.mark.parametrize(("kind", "value", "shown"), [
    ("phone", "+8613800138000", "138****8000"),
    ("phone", "138 0013 8000", "138****8000"),
    ("phone", "+442071838750", "+44****8750"),
    ("phone", "+8675722334455", "+86****4455"),
    ("phone", "10086", "1****"),
    ("email", "li.lei@example.com", "l***@example.com"),
    ("email", "a@b", "a***@b"),
    ("email", "nonsense", "n****"),
    ("other", "356938035643809", "356****3809"),
    ("other", "张三丰", "张****"),
    ("other", "x", "****"),
    ("other", "", ""),
])  # fmt: skip
def test_a_value_keeps_so_much(kind: Kind, value: str, shown: str) -> None:
    assert masked(kind, value) == shown
    assert masked(kind, shown) == shown


@pytest.mark.parametrize(("text", "shown"), [
    ("call 13800138000 now", "call 138****8000 now"),
    ("+86 138-0013-8000", "138****8000"),
    ("0086 138 0013 8000", "138****8000"),
    ("tel:8613800138000;x", "tel:138****8000;x"),
    ("１３８００１３８０００", "138****8000"),
    ("https://x/?p=%2B8613800138000&q=1", "https://x/?p=%2B138****8000&q=1"),
    ("https://x/?mail=li%40example.com", "https://x/?mail=l***%40example.com"),
    ("to Li.Lei@Example.com, please", "to L***@Example.com, please"),
    ("+44 20 7183 8750", "+44****8750"),
    ("IMEI 356938035643809", "IMEI 356****3809"),
    ("110101199003074610", "110****4610"),
    ("110101199003074611", "110101199003074611"),
    ("order 1380013800", "order 1380013800"),
    ("at 1763798400123 ms", "at 1763798400123 ms"),
    ("356938035643808", "356938035643808"),
    ("nothing personal", "nothing personal"),
])  # fmt: skip
def test_what_looks_personal_is_hidden_in_any_text(text: str, shown: str) -> None:
    assert STRANGER.text(text) == shown
    assert STRANGER.text(shown) == shown


@pytest.mark.parametrize(
    "text", ["0757-22334455", "(0757) 2233 4455", "22334455", "+86 757 22334455", "card vip-7788.", "WANG@X.CN"]
)
def test_the_identifiers_of_who_is_shown_are_hidden_in_every_spelling(text: str) -> None:
    assert "****" in PERSON.text(text) or "***@" in PERSON.text(text)
    assert not any(raw in PERSON.text(text).lower() for raw in ("22334455", "2233 4455", "vip-7788", "wang@"))


def test_a_short_identifier_of_an_open_namespace_is_left_alone() -> None:
    assert PERSON.text("42 apples") == "42 apples"
    assert PERSON.identifier("user_id", "42") == "42"


def test_an_account_that_is_a_telephone_number_is_hidden_too() -> None:
    assert STRANGER.identifier("user_id", "13800138000") == "138****8000"


def test_a_document_is_hidden_through_and_through() -> None:
    document = {
        "phone": 13800138000, "name": "张三丰", "Real_Name": ["李四"], "email": None, "ok": True, "n": 7, "part": 1.5,
        "deep": [{"note": "ask 13800138000", "13800138000": "key"}], "member_id": {"no": "VIP-7788"}, "order": 13800138000,
    }  # fmt: skip
    assert json.loads(STRANGER.json(json.dumps(document).encode())) == {
        "phone": "138****8000", "name": "张****", "Real_Name": ["李****"], "email": None, "ok": True, "n": 7, "part": 1.5,
        "deep": [{"note": "ask 138****8000", "138****8000": "key"}], "member_id": "****", "order": "138****8000",
    }  # fmt: skip


def test_a_trait_is_hidden_by_its_name_or_by_what_it_holds() -> None:
    assert STRANGER.named("name", '"张三丰"'.encode()) == '"张****"'.encode()
    assert STRANGER.named("mobile", b'"13800138000"') == b'"138****8000"'
    assert STRANGER.named("city", '"佛山"'.encode()) == '"佛山"'.encode()


def test_what_is_nested_too_deep_is_hidden_whole() -> None:
    deep = b"[" * 200 + b'"13800138000"' + b"]" * 200
    assert b"13800138000" not in STRANGER.json(deep)


phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
prefixes = st.sampled_from(["", "+86", "0086", "86", "+86 ", "0"])


@given(phones, prefixes, st.sampled_from(["", " ", "-", "."]), st.text(alphabet="ab ,;:/=？号", max_size=4))
def test_no_spelling_of_a_mobile_number_gets_through(number: str, prefix: str, mark: str, around: str) -> None:
    written = prefix + mark.join((number[:3], number[3:7], number[7:]))
    shown = STRANGER.text(f"{around}{written}{around}")
    assert shown == f"{around}{number[:3]}****{number[-4:]}{around}"
