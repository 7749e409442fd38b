"""Every path, command, variable, route and walk in the Markdown is real. What README.md lets one ask a running system is asked
in tests/real/test_readme.py."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.commands import main
from app.config import load
from app.openapi import OPENAPI
from app.settings import PACKAGED_CONFIG, Settings
from app.topics import topics_of
from tests.benchmarks.report import BASELINES, CHAIN
from tests.markdown import ROOT, Document

DOCUMENTS = [Document(path.name) for path in sorted(ROOT.glob("*.md"))]
README = Document("README.md")
PACKAGES = ("app", "agents", "tables", "models")
PIPELINE = (
    "behaviour.<channel>",
    "agents/collect.py",
    "people.inbox",
    "agents/people.py",
)
DOORS = ("app/collector/", "app/lookups.py", "agents/collect.py", "agents/people.py")
WALKS = ("An event", "A merge", "A lookup")
WALK_STEPS_MAX = 8

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def test_the_four_documents_are_there() -> None:
    assert {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {document.name for document in DOCUMENTS}
    assert [document.name for document in DOCUMENTS if not any(document.paths)] in ([], ["CHANGELOG.md"])


@every_document
def test_paths_exist(document: Document) -> None:
    ignored = {line.strip() for line in (ROOT / ".gitignore").read_text().splitlines()}
    named = {path for path in document.paths if path.partition("/")[0] + "/" not in ignored}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    assert [path for path in sorted(named) if path.endswith("/") and not (ROOT / path).is_dir()] == []


@every_document
def test_make_targets_exist(document: Document) -> None:
    makefile = (ROOT / "Makefile").read_text()  # make itself takes every directory for a target
    for command in document.commands:
        if command.startswith("make "):
            words = [re.sub(r"=n$", "=1", word) for word in command.split()[1:]]
            assert {word for word in words if "=" not in word} <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)), command
            done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


@every_document
def test_onetrail_commands_have_these_names_and_options(document: Document) -> None:
    for command in document.commands:
        if command.startswith("onetrail "):
            assert parses(command.split()[1:]), command


def parses(words: list[str]) -> bool:
    """Whether the command line would be understood; nothing is run."""
    named = next((word for word in words if not word.startswith("-")), None)
    if named is None:
        return CliRunner().invoke(main, words).exit_code == 0
    command = main.get_command(click.Context(main), named)
    if command is None or CliRunner().invoke(main, [named, "--help"]).exit_code != 0:
        return False
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {word.partition("=")[0] for word in words if word.startswith("-")} <= known | {"--help"}


def test_a_command_that_nobody_knows_is_noticed() -> None:
    assert (parses(["--help"]), parses(["status"]), parses(["up", "--demo"])) == (True, True, True)
    assert (parses(["stats"]), parses(["status", "--loud"]), parses(["--loud"])) == (False, False, False)


@every_document
def test_variables_are_settings(document: Document) -> None:
    read = "".join((ROOT / "app" / name).read_text() for name in ("settings.py", "kafka_security.py"))
    assert [name for name in re.findall(r"\bONETRAIL_[A-Z_]+\b", document.text) if f'"{name}"' not in read] == []


@every_document
def test_data_in_blocks_is_data(document: Document) -> None:
    readers: dict[str, Callable[[str], object]] = {"json": json.loads, "toml": tomllib.loads, "python": ast.parse}
    for block in document.blocks:
        assert block.language in {"", "console", *readers}
        if block.language in readers:
            readers[block.language](block.text)


def served() -> set[str]:
    """The routes of a worker, as its views declare them; those between workers are nobody's business."""
    texts = [path.read_text() for path in (ROOT / "app").glob("*.py")]
    return {
        route for text in texts for route in re.findall(r'^@app\.page\("([^"]+)"\)', text, re.M) if not route.startswith("/_")
    }


def test_the_table_of_routes_is_what_is_served() -> None:
    named = {word.removeprefix("POST ") for line in README.text.splitlines() if line.startswith("| `") for word in quoted(line)}
    assert {word for word in named if word.startswith("/")} == served()
    assert {path for path in served() if path.startswith("/v1/")} == set(OPENAPI["paths"])


def quoted(line: str) -> list[str]:
    return re.findall(r"`([^`]+)`", line.split("|")[1])


def test_the_environment_that_is_named_first_is_all_one_needs_on_one_machine() -> None:
    """The ports that the examples speak to are the defaults."""
    settings = Settings.from_environment({}, generate=False)
    ports = set(re.findall(r"127\.0\.0\.1:(\d+)", README.text))
    assert ports == {str(settings.web_port), str(settings.collect_port)}


def test_the_table_of_figures_has_the_rows_that_are_measured() -> None:
    rows = [line.split("|")[1].strip() for line in performance()[0].splitlines() if line.startswith("| ")]
    assert rows[1:] == [*CHAIN.values(), *BASELINES.values()]


def test_the_table_of_measurements_has_all_that_there_are() -> None:
    sources = {path.stem: path.read_text() for path in (ROOT / "tests" / "benchmarks").glob("[!_]*.py")}
    measure = {name for name, text in sources.items() if re.search(r"^@click\.command", text, re.MULTILINE)}
    assert set(re.findall(r"`make bench WHAT=(\w+)", performance()[1])) == measure


def performance() -> list[str]:
    """The tables of that section, the whole chain first."""
    return [part for part in README.section("Performance").split("\n\n") if part.startswith("| ")]


# The walks


@pytest.fixture(name="told", params=WALKS)
def walk_as_told(request: pytest.FixtureRequest) -> str:
    """The paragraph; an arrow is a step."""
    return README.section("Three walks").split(f"**{request.param}.** ", 1)[1].split("\n\n", 1)[0]


@pytest.fixture
def walk(told: str) -> list[str]:
    """Files and topics of a walk, in order."""
    return re.findall(r"`([^`]+)`", told)


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    settings = Settings.from_environment({"ONETRAIL_DATA": str(tmp_path_factory.mktemp("data")), "ONETRAIL_PREFIX": "p"})
    return {topic.name.removeprefix("p.") for topic in topics_of(settings, load(PACKAGED_CONFIG))} | {"behaviour.<channel>"}


def test_a_walk_is_short(told: str) -> None:
    assert 4 <= len(told.split("→")) <= WALK_STEPS_MAX


def test_a_step_is_a_file_or_a_topic(walk: list[str], topics: set[str]) -> None:
    assert [step for step in walk if step not in topics and not (ROOT / step).exists()] == []


def test_a_walk_follows_the_pipeline(walk: list[str]) -> None:
    along = [PIPELINE.index(step) for step in walk if step in PIPELINE]
    assert along == sorted(along)


def test_a_step_is_reached_by_imports_from_a_door_before_it(walk: list[str]) -> None:
    """A walk that names no door is inside the agents."""
    doors = [step for step in walk if step in DOORS]
    for place, step in enumerate(walk):
        if (ROOT / step).exists():
            before = [door for door in doors if walk.index(door) <= place] if doors else list(DOORS)
            assert any(step in reached(door) for door in before), f"{step} is reached from none of {before}"


@lru_cache
def reached(door: str) -> frozenset[str]:
    """All files of ours that a file, or a package, imports, directly or not; and itself."""
    waiting = [str(path.relative_to(ROOT)) for path in (ROOT / door).glob("*.py")] if door.endswith("/") else [door]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imported(path)
    return frozenset(seen | {door})


def imported(path: str) -> Iterator[str]:
    """The files of ours that a file imports, names taken from packages included."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGES):
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                yield from (str(found.relative_to(ROOT)) for found in files_of(name) if found.is_file())


def files_of(module: str) -> tuple[Path, Path]:
    place = ROOT / module.replace(".", "/")
    return place.with_suffix(".py"), place / "__init__.py"
