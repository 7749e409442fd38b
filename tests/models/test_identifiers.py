"""Which identifiers of an event are usable, in which order, and what is noted of the others."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identifiers import NamespaceRule, Namespaces
from models.ids import Identifier
from models.normalise import NORMALISERS

NAMESPACES = Namespaces(
    {
        "user_id": NamespaceRule("user_id", 0, NORMALISERS["none"], (re.compile("^test"), re.compile("internal"))),
        "phone": NamespaceRule("phone", 1, NORMALISERS["phone"], (re.compile(r"^\+861700000"),)),
        "email": NamespaceRule("email", 2, NORMALISERS["email"]),
        "anonymous_id": NamespaceRule("anonymous_id", 3, NORMALISERS["lower"]),
    }
)
RENAMED = {"userId": "user_id", "mobile": "phone"}

VALUES = [
    ("user_id", "42", "42"),
    ("user_id", " 42\n", "42"),
    ("user_id", 42, "42"),
    ("user_id", 123456789012345678901234567890, "123456789012345678901234567890"),
    ("user_id", "李雷", "李雷"),
    ("user_id", "x" * 512, "x" * 512),
    ("phone", 13800138000, "+8613800138000"),
    ("email", "A@B.cn", "a@b.cn"),
    ("anonymous_id", "A-1", "a-1"),
]
FAULTS = [
    ("passport", "42", "unknown_namespace"),
    ("passport", None, "unknown_namespace"),
    ("userId", "42", "unknown_namespace"),  # lookups use the declared names
    ("user_id", "", "blocked_identifier"),
    ("user_id", "  ", "blocked_identifier"),
    ("user_id", 0, "blocked_identifier"),
    ("user_id", -1, "blocked_identifier"),
    ("user_id", "NULL", "blocked_identifier"),
    ("user_id", "test-7", "blocked_identifier"),
    ("user_id", "an internal one", "blocked_identifier"),
    ("phone", "1700 0000 001", "blocked_identifier"),  # blocked in its normalised form
    ("phone", "12345", "blocked_identifier"),
    ("email", "nobody", "blocked_identifier"),
    ("user_id", "x" * 513, "no_identifier"),
    ("user_id", True, "no_identifier"),
    ("user_id", 42.0, "no_identifier"),
    ("user_id", None, "no_identifier"),
    ("user_id", ["42"], "no_identifier"),
    ("user_id", {"id": "42"}, "no_identifier"),
]


@pytest.mark.parametrize(("namespace", "value", "normal"), VALUES)
def test_a_value_becomes_an_identifier(namespace: str, value: object, normal: str) -> None:
    assert NAMESPACES.identifier(namespace, value) == Identifier(namespace, normal)


@pytest.mark.parametrize(("namespace", "value", "reason"), FAULTS)
def test_a_value_is_refused_with_its_reason(namespace: str, value: object, reason: str) -> None:
    assert NAMESPACES.identifier(namespace, value) == reason


def usable(given: Mapping[str, object]) -> list[str]:
    return [f"{namespace}:{value}" for namespace, value in map(_pair, NAMESPACES.gather(given, RENAMED).usable)]


def _pair(identifier: Identifier) -> tuple[str, str]:
    return identifier.namespace, identifier.value


def test_the_anchor_is_of_the_highest_priority_whatever_the_order() -> None:
    assert usable({"anonymous_id": "a", "email": "a@b.cn", "user_id": "42"}) == ["user_id:42", "email:a@b.cn", "anonymous_id:a"]


def test_of_two_values_the_smaller_comes_first() -> None:
    assert usable({"user_id": ["b", "a", 10]}) == ["user_id:10", "user_id:a", "user_id:b"]


def test_doubles_are_one_after_normalisation() -> None:
    assert usable({"phone": ["138 0013 8000", "+8613800138000"], "mobile": 13800138000}) == ["phone:+8613800138000"]


def test_incoming_names_are_renamed() -> None:
    assert usable({"userId": "42", "mobile": "13800138000"}) == ["user_id:42", "phone:+8613800138000"]


def test_null_is_a_missing_value_and_not_noted() -> None:
    assert NAMESPACES.gather({"user_id": None, "phone": [None]}, {}) == NAMESPACES.gather({}, {})


def test_what_is_left_out_is_noted_once() -> None:
    gathered = NAMESPACES.gather({"user_id": ["null", "none", True], "userId": "", "passport": "7", "email": "a@b.cn"}, RENAMED)
    assert gathered.usable == (Identifier("email", "a@b.cn"),)
    assert gathered.dropped == (
        ("user_id", "blocked_identifier"),
        ("user_id", "no_identifier"),
        ("passport", "unknown_namespace"),
    )


FAULT_OF_ALL = [
    ({"passport": "7", "user_id": "null", "phone": True}, "unknown_namespace"),
    ({"user_id": "null", "phone": True}, "blocked_identifier"),
    ({"phone": True, "email": 1.5}, "no_identifier"),
    ({"user_id": None}, "no_identifier"),
    ({"user_id": []}, "no_identifier"),
    ({}, "no_identifier"),
    (None, "no_identifier"),
    (["user_id", "42"], "no_identifier"),
    ("user_id", "no_identifier"),
    ({f"n{number}": "x" for number in range(30)} | {"user_id": "null"}, "unknown_namespace"),
    ({"user_id": ["null"] * 3, **{f"n{number}": "x" for number in range(30)}}, "unknown_namespace"),
]


@pytest.mark.parametrize(("given", "reason"), FAULT_OF_ALL)
def test_when_none_is_left_the_reason_is_the_first_that_applies(given: object, reason: str) -> None:
    gathered = NAMESPACES.gather(given, {})
    assert gathered.usable == ()
    assert gathered.fault() == reason


def test_notes_stay_few() -> None:
    assert len(NAMESPACES.gather({f"n{number}": "x" for number in range(5000)}, {}).dropped) == 20


VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = VALUE | st.lists(VALUE, max_size=3)


@given(st.dictionaries(st.sampled_from(["user_id", "phone", "email", "mobile", "passport"]), JSON))
def test_the_order_in_which_identifiers_are_written_does_not_matter(given: dict[str, object]) -> None:
    backwards = dict(reversed(given.items()))
    assert NAMESPACES.gather(given, RENAMED).usable == NAMESPACES.gather(backwards, RENAMED).usable


@given(st.sampled_from(["user_id", "phone", "email", "anonymous_id"]), JSON)
def test_a_stored_value_is_found_by_its_own_spelling(namespace: str, value: object) -> None:
    found = NAMESPACES.identifier(namespace, value)
    if isinstance(found, Identifier):
        assert NAMESPACES.identifier(namespace, found.value) == found
