"""The packages that we build on: exactly those of the lock, all of them licensed so that anybody may use them with us.

Known faults of packages are asked of a service on the network, which is what `make audit` does; no test may depend on one.
"""

import re
import tomllib
from importlib.metadata import Distribution, distributions

import pytest

from tests.markdown import ROOT

LOCK = (ROOT / "docker" / "requirements.lock").read_text().splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PERMISSIVE = {
    *(
        "mit",
        "mit-0",
        "mit license",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd license",
        "psf-2.0",
        "python software foundation license",
    ),
    *("apache-2.0", "apache software license", "apache license, version 2.0"),
    "mpl-2.0",  # of files: whoever changes one of theirs publishes it, and we change none
    "mozilla public license 2.0 (mpl 2.0)",
    "repoze public license",  # BSD and a clause on names
}

SAID_IN_ITS_FILE = {"crawler-user-agents": {"mit"}}
"""Licences of packages whose metadata have none."""


def pins(lines: list[str]) -> dict[str, str]:
    return {canonical(name): version for name, _, version in (line.partition("==") for line in lines)}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


LOCKED = pins([line for line in LOCK if not line.startswith("#")])
INSTALLED: dict[str, Distribution] = {canonical(one.metadata["Name"]): one for one in distributions()}


def test_every_package_of_the_lock_has_one_exact_version() -> None:
    entry = re.compile(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*")
    assert [line for line in LOCK if not line.startswith("#") and not entry.fullmatch(line)] == []
    assert len(LOCKED) == len([line for line in LOCK if not line.startswith("#")])


def test_what_is_needed_directly_is_locked_in_the_version_that_is_named() -> None:
    direct = pins([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
    assert {name: version for name, version in direct.items() if LOCKED.get(name) != version} == {}


def test_the_environment_holds_what_the_lock_says() -> None:
    assert {name: version for name, version in LOCKED.items() if INSTALLED[name].version != version} == {}


def test_the_lock_has_what_every_package_in_it_needs() -> None:
    for name, one in ((name, INSTALLED[name]) for name in LOCKED):
        plain = [need for need in one.requires or () if ";" not in need]
        missing = {canonical(re.split(r"[^A-Za-z0-9._-]", need)[0]) for need in plain} - LOCKED.keys()
        assert missing == set(), name


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_a_licence_lets_anybody_use_it(name: str) -> None:
    found = licences(INSTALLED[name])
    assert found
    assert found <= PERMISSIVE


def licences(one: Distribution) -> set[str]:
    """As the package says it: an expression, else classifiers, else the first line of its text."""
    told = {name: one.metadata.get_all(name) or [] for name in ("License-Expression", "Classifier", "License")}
    for expression in told["License-Expression"]:
        return {part.strip().lower() for part in re.split(r"\bAND\b|\bOR\b|[()]", expression) if part.strip()}
    classifiers = [text.rsplit("::", 1)[-1].strip().lower() for text in told["Classifier"] if text.startswith("License")]
    if classifiers or not told["License"]:
        return set(classifiers) or SAID_IN_ITS_FILE.get(canonical(one.metadata["Name"]), set())
    return {told["License"][0].splitlines()[0].lower()}
