"""The command as a whole: help that teaches, and one line for whatever is wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.commands import COMMANDS, main

NOBODY = {"ONETRAIL_BROKER_PORT": "1", "ONETRAIL_WEB_PORT": "1"}


def call(tmp_path: Path, *arguments: str, **env: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    given = {"ONETRAIL_DATA": str(tmp_path), **NOBODY, **{f"ONETRAIL_{name}": value for name, value in env.items()}}
    done = CliRunner().invoke(main, arguments, env=given)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_with_an_example(tmp_path: Path, name: str) -> None:
    code, out, _ = call(tmp_path, name, "--help")
    assert code == 0
    assert f"Usage: main {name}" in out
    assert "Example" in out
    assert f"onetrail {name}" in out or name in ("broker", "collect")


def test_the_help_names_all_commands(tmp_path: Path) -> None:
    code, out, _ = call(tmp_path, "--help")
    assert code == 0
    assert all(f"\n  {name} " in out for name in COMMANDS)


def test_an_unknown_command_is_a_wrong_call(tmp_path: Path) -> None:
    code, _, err = call(tmp_path, "fly")
    assert (code, "No such command 'fly'" in err) == (2, True)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "token"])  # it reads none
def test_a_bad_setting_is_one_line_that_names_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("{}\n")
    needed = {
        "replay": [str(file), "--channel", "web"],
        "edge": ["--channel", "web"],
        "simulate": [str(file)],
        "clean": ["--dry-run", str(file)],
    }
    code, out, err = call(tmp_path, name, *needed.get(name, []), WEB_PORT="x")
    assert (code, out) == (1, "")
    assert err == "onetrail: ONETRAIL_WEB_PORT must be a port from 1 to 65535, not 'x'\n"


@pytest.mark.parametrize("name", ["up", "topics", "collect", "worker", "rejected"])
def test_a_bad_configuration_is_one_line_that_names_file_and_key(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.toml").write_text("[topics]\npartitions = 0\n")
    code, out, err = call(tmp_path, name, CONFIG=str(tmp_path / "bad.toml"))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"onetrail: {tmp_path}/bad.toml: ")
    assert "partitions" in err


@pytest.mark.parametrize(
    "arguments", [["topics"], ["topics", "--check"], ["rejected"], ["rejected", "--retry"], ["rebuild", "--back"]]
)
def test_without_a_broker_it_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    code, out, err = call(tmp_path, *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("onetrail: Kafka: ")


def test_without_a_worker_the_status_is_one_line(tmp_path: Path) -> None:
    code, out, err = call(tmp_path, "status", "--json", READ_TOKEN="read")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "nobody answers at http://127.0.0.1:1/v1/status" in err


def test_without_a_token_the_status_says_where_it_looked(tmp_path: Path) -> None:
    code, _, err = call(tmp_path, "status")
    assert code == 1
    assert str(tmp_path) in err


def test_an_unknown_channel_is_a_wrong_call_that_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("{}\n")
    code, _, err = call(tmp_path, "replay", str(tmp_path / "events.jsonl"), "--channel", "fax")
    assert code == 2
    assert "web, app, mini_program" in err


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    assert call(tmp_path, "replay", str(tmp_path / "none.jsonl"), "--channel", "web")[0] == 2
