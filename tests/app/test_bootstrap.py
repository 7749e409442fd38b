"""Setting up: what is missing is said in a sentence, what is done is not done again, what was interrupted is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import bootstrap
from app.bootstrap import INPUTS, BootstrapError, belongs_here, bring_up_to_date, demand, install_packages, is_fresh, stamp_of
from app.lock import pinned


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def set_up(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (clone / ".venv" / "onetrail.stamp").write_text(stamp_of(clone))


@pytest.mark.parametrize(
    ("version", "missing", "sentence"),
    [
        ((3, 10), [], "Python 3.11 or later is needed, this is 3.10; install it: sudo apt install python3.11 python3.11-venv"),
        ((3, 12), ["ensurepip"], "this Python lacks ensurepip; install: sudo apt install python3.12-venv"),
        ((3, 11), ["venv", "ensurepip"], "this Python lacks venv and ensurepip; install: sudo apt install python3.11-venv"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    version: tuple[int, int], missing: list[str], sentence: str
) -> None:
    with pytest.raises(BootstrapError) as error:
        demand(version, missing)
    assert str(error.value) == sentence


def test_a_python_that_has_all_is_enough() -> None:
    demand((3, 11), [])
    demand((3, 13), [])


def test_an_environment_with_the_right_stamp_is_left_alone(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "install", lambda _: pytest.fail("installed again"))
    set_up(clone)
    bring_up_to_date(clone)


@pytest.mark.parametrize("name", INPUTS)
def test_a_change_of_any_input_makes_it_stale(clone: Path, name: str) -> None:
    set_up(clone)
    assert is_fresh(clone)
    (clone / name).write_text("changed")
    assert not is_fresh(clone)


def test_an_environment_whose_interpreter_is_gone_is_stale(clone: Path) -> None:
    set_up(clone)
    (clone / ".venv" / "bin" / "python").unlink()
    assert not is_fresh(clone)


def test_the_same_inputs_in_another_place_have_another_stamp(clone: Path) -> None:
    here = stamp_of(clone)
    assert stamp_of(clone.rename(clone.with_name("moved"))) != here


def test_a_moved_environment_does_not_belong_here(tmp_path: Path) -> None:
    venv = tmp_path / "a" / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "pyvenv.cfg").write_text(f"command = /usr/bin/python -m venv {venv}\n")
    assert belongs_here(venv)
    (venv / "pyvenv.cfg").write_text(f"command = /usr/bin/python -m venv {tmp_path}/b{venv}\n")
    assert not belongs_here(venv)


def test_a_failed_download_leaves_no_stamp_and_says_so(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "cache_directory", lambda: clone / "cache")
    monkeypatch.setattr(bootstrap, "belongs_here", lambda _: True)
    set_up(clone)
    (clone / ".venv" / "bin" / "python").unlink()
    (clone / ".venv" / "bin" / "python").symlink_to("/bin/false")
    with pytest.raises(BootstrapError, match="is the network there"):
        bring_up_to_date(clone)
    assert not (clone / ".venv" / "onetrail.stamp").exists()
    assert list((clone / "cache" / "wheels").iterdir()) == []


def test_wheels_that_are_all_there_are_installed_without_the_network(clone: Path, tmp_path: Path) -> None:
    pip = clone / "pip"
    pip.write_text('#!/bin/sh\ncase "$*" in *--no-index*) echo "$@" >> "$0.calls";; *) exit 1;; esac\n')
    pip.chmod(0o755)
    (tmp_path / "wheels").mkdir()
    install_packages([pip], clone / "docker/requirements.lock", tmp_path / "wheels")
    assert (clone / "pip.calls").read_text().count("\n") == 1


def test_the_lock_holds_exact_versions_in_order() -> None:
    report = {"install": [{"metadata": {"name": "Zlib", "version": "2"}}, {"metadata": {"name": "aio", "version": "1.0"}}]}
    assert list(pinned(report)) == ["aio==1.0", "zlib==2"]


def test_every_direct_dependency_is_in_the_lock_with_its_version() -> None:
    locked = set((bootstrap.ROOT / bootstrap.LOCK).read_text().splitlines())
    lines = (bootstrap.ROOT / "pyproject.toml").read_text().splitlines()
    direct = [line.split('"')[1].lower() for line in lines if line.startswith('    "') and "==" in line]
    assert len(direct) > 20
    assert set(direct) <= locked


def test_make_with_nothing_to_do_is_quick_and_silent() -> None:
    # As from a shell: a make that `make test` itself runs would tell which directory it enters.
    shell = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}

    def make_venv(seconds_max: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "venv"], cwd=bootstrap.ROOT, env=shell, capture_output=True, text=True, check=True, timeout=seconds_max
        )

    done, again = make_venv(300), make_venv(5)
    assert (again.stdout, again.stderr) == ("", ""), done.stderr
