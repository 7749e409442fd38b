"""What a text in the box may mean."""

import pytest

from app.config import load, namespaces_of
from app.console import find
from app.console.find import Meant
from app.settings import PACKAGED_CONFIG
from models.ids import Identifier

namespaces = namespaces_of(load(PACKAGED_CONFIG))
UID = "u_" + "0" * 44


def meant(text: str) -> Meant:
    return find.meant(text, namespaces, ["phone", "email"])


@pytest.mark.parametrize(
    ("text", "namespace", "value"),
    [
        ("138 0013 8000", "phone", "+8613800138000"),
        ("＋８６１３８００１３８０００", "phone", "+8613800138000"),
        (" Ann@Example.com ", "email", "ann@example.com"),
        ("wecom_external_userid:wmX", "wecom_external_userid", "wmX"),
        ("phone: 13800138000", "phone", "+8613800138000"),
        ("anonymous_id:a:b", "anonymous_id", "a:b"),
    ],
)
def test_a_text_that_speaks_for_itself_means_one_identifier(text: str, namespace: str, value: str) -> None:
    assert meant(text).identifiers == (Identifier(namespace, value),)


def test_a_uid_is_a_uid() -> None:
    assert meant(f" {UID}\n") == (UID, ())


def test_any_other_text_may_be_of_every_namespace_that_takes_it() -> None:
    found = {identifier.namespace for identifier in meant("user_0504").identifiers}
    assert {"user_id", "anonymous_id", "device_id"} <= found
    assert not found & {"phone", "email"}


def test_a_colon_does_not_make_a_namespace() -> None:
    assert {i.value for i in meant("sess:12").identifiers} == {"sess:12"}


@pytest.mark.parametrize("text", ["", " ", "null", "phone:no number", "user_id:", "x" * 600])
def test_nobody_is_known_by_nothing(text: str) -> None:
    assert meant(text) == (None, ())
